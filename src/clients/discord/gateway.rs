//! Where the gateway is, and how many connections to it may be begun.

use std::time::Duration;

use serde_json::Value;

use super::{Discord, DiscordError, required};

/// What Discord says before a connection (docs.discord.com/developers/events/gateway, "Get Gateway Bot").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Its address.
    pub url: String,
    /// In how many connections the guilds are to be taken.
    pub shards: u32,
    /// Sessions that may be begun in a day.
    pub starts: u32,
    /// Those that are left of them.
    pub starts_left: u32,
    /// When all of them are there again.
    pub full_after: Duration,
    /// Sessions that may be begun within five seconds.
    pub at_once: u16,
}

impl Discord {
    /// Asks for the gateway.
    pub async fn gateway(&self) -> Result<Gateway, DiscordError> {
        let answer = self.get("/gateway/bot").await?;
        let number = |path| answer.pointer(path).and_then(Value::as_u64);
        let small = |path, otherwise| {
            let number = number(path).and_then(|number| u32::try_from(number).ok());
            number.unwrap_or(otherwise)
        };
        let starts = small("/session_start_limit/total", 1_000);
        let at_once = small("/session_start_limit/max_concurrency", 1);
        Ok(Gateway {
            url: required(&answer, "url")?.trim_end_matches('/').to_owned(),
            shards: small("/shards", 1).max(1),
            starts,
            starts_left: small("/session_start_limit/remaining", starts).min(starts),
            full_after: Duration::from_millis(
                number("/session_start_limit/reset_after").unwrap_or_default(),
            ),
            at_once: u16::try_from(at_once.max(1)).unwrap_or(u16::MAX),
        })
    }
}
