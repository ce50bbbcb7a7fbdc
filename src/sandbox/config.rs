//! What the simulator is told at its start: secrets, where the app listens, which rules are loosened.
//!
//! `boot` (or a test) fills this in; nothing here is read from the environment, so that two simulators can stand
//! beside each other in one process.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// Where the simulator takes the time from. Tests hand in one that they can move.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Everything the simulator needs to know before it starts.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Signs every HTTP delivery, as Slack's signing secret does.
    pub signing_secret: String,
    /// The bot token (`xoxb-…`) that Web API calls must carry.
    pub bot_token: String,
    /// The app-level token (`xapp-…`) that opens Socket Mode connections.
    pub app_token: String,
    /// How payloads reach the app.
    pub delivery: Delivery,
    /// What the application on Discord is told by.
    pub discord: DiscordConfig,
    /// The registered slash commands.
    pub commands: Vec<SlashCommand>,
    /// OAuth scopes granted to the bot token.
    pub scopes: Vec<String>,
    /// Events the app subscribed to.
    pub events: Vec<String>,
    /// Whether rate limits hold.
    pub limits: RateLimits,
    /// Where the workspace is kept between starts; `None` keeps it in memory only.
    pub state_file: Option<PathBuf>,
    /// Forget the kept workspace and begin anew.
    pub reset: bool,
    /// How the app and people reach the simulator; by default the listener's own address.
    pub base_url: Option<Url>,
    /// The time.
    pub clock: Clock,
}

/// What the application on Discord is told by.
#[derive(Clone)]
pub struct DiscordConfig {
    /// The bot's token.
    pub bot_token: String,
    /// What its key pair is made of: deliveries are signed with it.
    pub seed: [u8; 32],
    /// Addresses of the app's replicas that interactions are posted to in turn; none: they go over the gateway.
    pub deliver_to: Vec<Url>,
}

impl DiscordConfig {
    /// The public key, as the developer portal shows it.
    pub fn public_key(&self) -> String {
        super::discord::pair(&self.seed)
            .map_or_else(String::new, |pair| super::discord::public(&pair))
    }

    /// The signature of some bytes, in hexadecimal digits.
    pub(in crate::sandbox) fn sign(&self, bytes: &[u8]) -> String {
        let pair = super::discord::pair(&self.seed);
        pair.map_or_else(String::new, |pair| hex::encode(pair.sign(bytes)))
    }

    /// The endpoint at an address: `/discord/interactions`, where none is named.
    pub(in crate::sandbox) fn endpoint(target: &Url) -> Url {
        let mut endpoint = target.clone();
        if matches!(endpoint.path(), "" | "/") {
            endpoint.set_path("/discord/interactions");
        }
        endpoint
    }
}

/// A slash command as registered in the app's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlashCommand {
    /// With the slash: `/idp`.
    pub name: String,
    /// One line shown by the composer's completion.
    pub description: String,
    /// Hint about the words that may follow.
    pub usage_hint: String,
}

/// How payloads reach the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum Delivery {
    /// Signed POSTs to one of the targets in turn; one that can't be reached is passed over.
    Http {
        /// Base addresses of the app's replicas.
        targets: Vec<Url>,
        /// Request paths per kind of payload.
        #[serde(default)]
        paths: Paths,
    },
    /// Envelopes over the web sockets that the app opened.
    Socket,
}

/// Request paths per kind of payload, joined to a target's base address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paths {
    /// Slash commands.
    pub commands: String,
    /// Presses, submitted and closed views.
    pub interactions: String,
    /// Events.
    pub events: String,
    /// Searches of external selects.
    pub options: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            commands: "/slack/commands".into(),
            interactions: "/slack/interactions".into(),
            events: "/slack/events".into(),
            options: "/slack/options".into(),
        }
    }
}

impl Paths {
    /// The same path for everything, as Bolt's HTTP receiver has it.
    pub fn all(path: &str) -> Self {
        Self {
            commands: path.into(),
            interactions: path.into(),
            events: path.into(),
            options: path.into(),
        }
    }
}

/// Whether rate limits hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimits {
    /// As on the platforms: on Slack tiers per method and one message a second per channel, on Discord its buckets.
    Slack,
    /// None; for tests about something else.
    Off,
}

/// The events of the shipped app manifests; each needs no scope beyond those below.
const EVENTS: [&str; 11] = [
    "app_mention",
    "message.im",
    "subteam_members_changed",
    "subteam_updated",
    "user_change",
    "member_joined_channel",
    "member_left_channel",
    "channel_archive",
    "channel_unarchive",
    "tokens_revoked",
    "app_uninstalled",
];

/// The scopes of the shipped app manifests.
const SCOPES: [&str; 12] = [
    "commands",
    "chat:write",
    "im:write",
    "im:read",
    "im:history",
    "users:read",
    "usergroups:read",
    "channels:read",
    "channels:history",
    "groups:read",
    "groups:history",
    "app_mentions:read",
];

impl SandboxConfig {
    /// An app named idp with `/idp`, Socket Mode delivery and Slack's limits.
    pub fn new(clock: Clock) -> Self {
        Self {
            signing_secret: "sandbox-signing-secret".into(),
            bot_token: "xoxb-sandbox-bot".into(),
            app_token: "xapp-sandbox-app".into(),
            delivery: Delivery::Socket,
            discord: DiscordConfig {
                bot_token: "sandbox.discord.bot".into(),
                seed: *b"a seed of thirty-two bytes, fine",
                deliver_to: Vec::new(),
            },
            commands: vec![SlashCommand {
                name: "/idp".into(),
                description: "Ask the developer platform".into(),
                usage_hint: "new-service | status | help".into(),
            }],
            scopes: SCOPES.iter().map(ToString::to_string).collect(),
            events: EVENTS.iter().map(ToString::to_string).collect(),
            limits: RateLimits::Slack,
            state_file: None,
            reset: false,
            base_url: None,
            clock,
        }
    }
}
