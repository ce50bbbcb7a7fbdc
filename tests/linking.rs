//! One human with two chat accounts: a code from one to the other, the operator's file, and what follows for requests,
//! votes, lists and cards on both sides. Told through `app::handle`, and once over both wires.

mod codes;
mod humans;
mod listed;
mod races;
mod two;
mod wires;
