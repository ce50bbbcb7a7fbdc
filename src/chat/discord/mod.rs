//! Discord's wire, both ways: interactions by HTTP (or by the gateway) in, messages and modals out.

/// The slash command, as it is registered.
pub mod commands;
/// The names that tie an answer to what was drawn: custom ids of buttons, modals and inputs.
mod ids;
/// Discord's size limits, each with its source.
pub mod limits;
/// Interactions into events.
pub mod parse;
/// Cards, forms and replies into Discord's JSON.
pub mod render;
/// The signature check; the only way to a delivery that may be parsed.
pub mod verify;
