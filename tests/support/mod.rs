//! What the tests stand on.

pub mod discord;
pub mod postgres;
pub mod serve;
pub mod slack;

/// Says aloud what is left out and why: past the harness, which keeps what a passing test prints to itself.
pub fn left_out(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "LEFT OUT {what}");
}
