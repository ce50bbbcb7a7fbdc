//! The chat simulator held to the rules of Slack and Discord, by apps of a few lines and by clients that nobody here wrote.

pub mod clients;
mod deliveries;
mod discord;
mod events;
pub mod harness;
mod messages;
mod sockets;
mod views;
