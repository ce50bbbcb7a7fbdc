//! The one integration-test binary: stories through the outside surface, and the tests that hold the code to its frame.

#![allow(
    unreachable_pub,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops aloud at a broken expectation, reads its environment and the clock, and has no outside"
)]

/// What test modules shared with the crate name as `crate::domain`.
use idp::domain;

mod architecture;
mod support;

mod cards;
mod catalog;
mod chaos;
mod cli;
mod conformance;
mod core;
mod demo;
mod discord;
mod engine;
mod experience;
mod forge;
mod github;
mod linking;
mod operate;
mod page;
mod postgres;
mod rules;
mod simulator;
mod wire;
