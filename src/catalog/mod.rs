//! `commands/` and `templates/` read into checked definitions; forms, expressions and rendering.
