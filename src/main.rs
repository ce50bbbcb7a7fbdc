//! The `idp` program.

fn main() {}
