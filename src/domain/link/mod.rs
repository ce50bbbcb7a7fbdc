//! Linking accounts to a person: one on GitHub, or two in chat.

pub mod chat;
pub mod github;
