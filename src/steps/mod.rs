//! What steps do: a file per action, in the order input, plan, run, undo.
