//! What can be changed while the simulator runs, and what pages are told of.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::MessageRef;
use crate::sandbox::config::{Delivery, RateLimits, SandboxConfig, SlashCommand};

/// "Nearly immediately, after 1 minute, after 5 minutes": <https://docs.slack.dev/apis/events-api>.
const EVENT_RETRIES_S: [u64; 3] = [0, 60, 300];

/// What can be changed while the simulator runs.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// How payloads reach the app.
    pub delivery: Delivery,
    /// The registered slash commands.
    pub commands: Vec<SlashCommand>,
    /// Scopes granted to the bot token.
    pub scopes: Vec<String>,
    /// Events subscribed to.
    pub events: Vec<String>,
    /// Whether rate limits hold.
    pub limits: RateLimits,
    /// So many of the next deliveries are sent twice.
    pub deliver_twice: u32,
    /// Seconds before each retry of an event that wasn't acknowledged.
    pub event_retries_s: Vec<u64>,
    /// Whether the app is installed for the whole organisation, of which this workspace is one.
    pub organisation: bool,
    /// Until then every Web API call is answered with 429.
    pub refuse_until: Option<DateTime<Utc>>,
}

/// Something a page may have to show anew.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A message was posted, edited or deleted.
    Message {
        /// Its channel.
        channel: String,
        /// Its timestamp.
        ts: String,
        /// The root's timestamp when it is a reply.
        thread_ts: Option<String>,
        /// Set when one person alone sees it.
        only_for: Option<String>,
    },
    /// Something on Discord.
    Discord {
        /// Set when one member alone sees it: their handle.
        only_for: Option<String>,
    },
    /// Someone's modal opened, changed or closed.
    View {
        /// Whose.
        person: String,
    },
    /// People, groups, channels, membership or settings.
    Workspace,
    /// A sentence for one person that no message carries: a press that reached nobody.
    Notice {
        /// Whose.
        person: String,
        /// What went wrong.
        text: String,
    },
    /// A delivery or a Web API call was recorded.
    Log {
        /// The message it touched, if any.
        about: Option<MessageRef>,
    },
}

impl Settings {
    /// As the configuration begins.
    pub(super) fn new(config: &SandboxConfig) -> Self {
        Self {
            delivery: config.delivery.clone(),
            commands: config.commands.clone(),
            scopes: config.scopes.clone(),
            events: config.events.clone(),
            limits: config.limits,
            event_retries_s: EVENT_RETRIES_S.to_vec(),
            deliver_twice: 0,
            organisation: false,
            refuse_until: None,
        }
    }
}
