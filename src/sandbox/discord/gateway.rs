//! The gateway (docs.discord.com/developers/events/gateway): a web socket over which events come, and interactions where
//! the application has no endpoint.

mod connection;
mod sessions;

pub(in crate::sandbox) use self::{
    connection::{connect, gateway_url},
    sessions::{Order, Sessions},
};

/// Intents, as bits.
pub(in crate::sandbox) mod intent {
    pub(in crate::sandbox) const GUILDS: u64 = 1;
    pub(in crate::sandbox) const GUILD_MEMBERS: u64 = 1 << 1;
    pub(in crate::sandbox) const GUILD_PRESENCES: u64 = 1 << 8;
    pub(in crate::sandbox) const GUILD_MESSAGES: u64 = 1 << 9;
    pub(in crate::sandbox) const DIRECT_MESSAGES: u64 = 1 << 12;
    pub(in crate::sandbox) const MESSAGE_CONTENT: u64 = 1 << 15;
    /// All that there are.
    pub(in crate::sandbox) const ALL: u64 = (1 << 26) - 1;
}
