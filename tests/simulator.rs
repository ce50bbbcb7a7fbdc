//! The chat simulator held to Slack's rules, by an app of a few lines and by clients that nobody here wrote.

pub mod clients;
mod deliveries;
mod events;
pub mod harness;
mod messages;
mod sockets;
mod views;
