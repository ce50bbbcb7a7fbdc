//! Slack's wire, both ways.

/// The names that tie an answer to what was drawn: ids of blocks, elements and views.
mod ids;
/// Slack's size limits, each with its source.
pub mod limits;
/// Deliveries into events.
pub mod parse;
/// Cards, forms and replies into Slack's JSON.
pub mod render;
/// The signature check; the only way to a delivery that may be parsed.
pub mod verify;
