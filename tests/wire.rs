//! The bot's edge to Slack, over real sockets, against a small Slack of the tests' own.

pub mod bot;

mod api;
mod client;
mod deliveries;
pub mod forms;
mod places;
mod socket;
