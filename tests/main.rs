//! The one integration-test binary: stories through the outside surface, and the tests that hold the code to its frame.

#![expect(
    unreachable_pub,
    reason = "the binary has no outside: `pub` marks what a support module offers to the stories"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in tests a broken expectation should stop the test, also in a helper of several tests"
)]

/// What test modules shared with the crate name as `crate::domain`.
use idp::domain;

mod architecture;
mod support;

mod cards;
mod catalog;
mod cli;
mod core;
mod engine;
mod forge;
mod page;
mod postgres;
mod rules;
mod simulator;
mod wire;
