//! The one integration-test binary: stories through the outside surface, and the tests that hold the code to its frame.
