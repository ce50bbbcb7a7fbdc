//! What the operator configured, as far as verbs need it. `boot` fills it; nothing here reads files.

use std::collections::BTreeMap;

use secrecy::SecretSlice;
use serde_json::{Map, Value};

use crate::domain::canonical::{self, Digest};

/// The configuration of verbs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `[teams]`: by name.
    pub teams: BTreeMap<String, Team>,
    /// `[groups]`: a handle and the platform's ids of its accounts.
    pub groups: BTreeMap<String, Vec<String>>,
    /// `[channels]`: where threads stand.
    pub channels: Channels,
    /// How much of what.
    pub limits: Limits,
    /// Why new requests are refused now; `None`: they are not.
    pub paused: Option<String>,
    /// `IDP_PUBLIC_URL` without its last slash: without one no link to our pages is shown.
    pub public_url: Option<String>,
    /// `IDP_STATE_KEY`: authenticates checkpoints.
    pub state_key: Option<SecretSlice<u8>>,
    /// What templates read as `environment.parameters`.
    pub environment: Map<String, Value>,
}

/// A team of `[teams]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Team {
    /// What people read.
    pub title: String,
    /// Its members: `group:payments`, or the platform's ids of accounts.
    pub members: Vec<String>,
    /// Its leads: likewise.
    pub leads: Vec<String>,
}

/// Where threads and notices stand: names with their `#`, or the platform's ids of channels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channels {
    /// Where a request stands that was asked where none can; none: the requester's direct messages.
    pub default: Option<String>,
    /// By command: wins over the command's own `channel`.
    pub commands: BTreeMap<String, String>,
    /// By group: where its deciders are told when they are too many for direct messages.
    pub groups: BTreeMap<String, String>,
}

/// How much of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open requests of one person (experience.md §2).
    pub open_requests: u32,
    /// How often planning is tried before it is given up.
    pub plan_attempts: u32,
    /// Hours that a draft is kept.
    pub draft_hours: u32,
    /// Days that deliveries are kept: repeated ones come within minutes (Slack) or days (a person presses "redeliver").
    pub delivery_days: u32,
    /// Days that messages are kept after the end of their request.
    pub message_days: u32,
    /// Hours that an approval is good for a start or a retry.
    pub approval_hours: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_requests: 5,
            plan_attempts: 6,
            draft_hours: 24,
            delivery_days: 7,
            message_days: 30,
            approval_hours: 24,
        }
    }
}

/// The group whose members may cancel, retry and undo anything, and pick any team (experience.md §2).
pub const PLATFORM_GROUP: &str = "platform";

impl Settings {
    /// What of it decides who may do what: its changes are audit rows.
    pub fn digest(&self) -> Digest {
        let teams: Map<String, Value> = self
            .teams
            .iter()
            .map(|(name, team)| {
                let value = serde_json::json!({ "title": team.title, "members": team.members, "leads": team.leads });
                (name.clone(), value)
            })
            .collect();
        canonical::digest(
            "settings",
            &serde_json::json!({
                "teams": teams,
                "groups": self.groups,
                "open_requests": self.limits.open_requests,
                "approval_hours": self.limits.approval_hours,
                "paused": self.paused,
            }),
        )
    }
}
