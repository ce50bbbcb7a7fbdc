//! The core: states, rules, plans and words as values. Pure: no IO, no clock, no randomness.

pub mod tree;
