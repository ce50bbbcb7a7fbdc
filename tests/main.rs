//! The one integration-test binary: stories through the outside surface, and the tests that hold the code to its frame.

#![expect(
    unreachable_pub,
    reason = "the binary has no outside: `pub` marks what a support module offers to the stories"
)]

mod architecture;
mod support;

mod forge;
mod postgres;
