//! What is said around linking accounts: one on GitHub, two in chat. All of it is for one person alone.

pub mod chat;
pub mod github;
