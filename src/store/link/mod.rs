//! Codes that link accounts: those of GitHub, and our own between two chats.

pub mod chat;
pub mod github;
