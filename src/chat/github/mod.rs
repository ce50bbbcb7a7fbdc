//! GitHub's webhooks: what its deliveries mean, once they are proven to be GitHub's.

pub mod parse;
pub mod verify;
