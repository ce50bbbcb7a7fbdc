//! Cards, forms and replies into Slack's JSON.
//!
//! The JSON is written directly: slack-morphism's block types check no limits, and what counts here are limits and
//! escaping. Every payload passes the `slackblocks` crate in the tests, which was written by others.

mod answer;
mod blocks;
mod form;
mod input;
mod message;
mod mrkdwn;
mod text;

pub use answer::{Answer, Call, answer, errors_body, late, options, still_working};
pub use form::{form, reading};
pub use message::{Rendered, message};

#[cfg(test)]
mod tests;
