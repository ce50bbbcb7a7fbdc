//! What the operator configured, as far as verbs need it. `boot` fills it and, when the file changes, fills it again;
//! nothing here reads files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use secrecy::SecretSlice;
use serde_json::{Map, Value, json};

use crate::domain::canonical::{self, Digest};
use crate::domain::person::Platform;
use crate::domain::team::GitHubTeam;

/// The settings of a process, swapped as a whole when the operator changes them. Clones share them.
#[derive(Debug, Clone)]
pub struct Live(Arc<ArcSwap<Settings>>);

impl Live {
    /// Begins with these.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// The settings as of now. Hold them for one piece of work, not longer.
    pub fn current(&self) -> Arc<Settings> {
        self.0.load_full()
    }

    /// Puts others in their place, for everybody at once, and gives those that stood before.
    pub fn replace(&self, settings: Settings) -> Arc<Settings> {
        self.0.swap(Arc::new(settings))
    }
}

/// The configuration of verbs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `[teams]`: by name.
    pub teams: BTreeMap<String, Team>,
    /// `[groups]`: a handle and the platform's ids of its accounts, or teams on GitHub (`group:github:acme/security`).
    pub groups: BTreeMap<String, Vec<String>>,
    /// `[channels]`: where threads stand.
    pub channels: Channels,
    /// `[[people]]`: chat accounts that are one human's each.
    pub people: Vec<Vec<Listed>>,
    /// How much of what.
    pub limits: Limits,
    /// The organisation on GitHub; `None`: there is no GitHub.
    pub organisation: Option<String>,
    /// Whether people can link their accounts on GitHub.
    pub links: bool,
    /// Why new requests are refused now; `None`: they are not.
    pub paused: Option<String>,
    /// `IDP_PUBLIC_URL` without its last slash: without one no link to our pages is shown.
    pub public_url: Option<String>,
    /// Whether there is a local forge that is open: to whoever is on this machine, and to nobody else.
    pub forge_is_open: bool,
    /// `IDP_STATE_KEY`: authenticates checkpoints.
    pub state_key: Option<SecretSlice<u8>>,
    /// What templates read as `environment.parameters`; its member `secrets` as `environment.secrets`.
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

/// A chat account as the file names it. `Display` is how the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The platform.
    pub platform: Platform,
    /// The workspace's or server's id there.
    pub installation: String,
    /// The account's id there.
    pub account: String,
    /// Where it stands in the file.
    pub at: String,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            platform,
            installation,
            account,
            ..
        } = self;
        write!(f, "{platform}:{installation}/{account}")
    }
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
    /// Open requests of one person.
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

/// The group whose members may cancel, retry and undo anything, and pick any team.
pub const PLATFORM_GROUP: &str = "platform";

impl Settings {
    /// Whether the members of a team on GitHub are read at all: those of our own organisation are.
    pub fn reads(&self, team: &GitHubTeam) -> bool {
        self.organisation
            .as_ref()
            .is_some_and(|ours| ours.eq_ignore_ascii_case(&team.organisation))
    }

    /// What an operator may change while idp runs, as one value: its changes are audit rows. No secret is in it.
    pub fn digest(&self) -> Digest {
        let parts = self.parts();
        canonical::digest("settings", &Value::Object(parts.into_iter().collect()))
    }

    /// What differs from settings that stood before, in the words of the file: `paused`, `teams.payments`,
    /// `groups.security`, `channels.default`.
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let (old, new) = (before.parts(), self.parts());
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differs = |key: &&String| old.get(*key) != new.get(*key);
        keys.into_iter().filter(differs).cloned().collect()
    }

    /// Its parts by their keys in the file.
    fn parts(&self) -> BTreeMap<String, Value> {
        let teams = self.teams.iter().map(|(name, team)| {
            let value =
                json!({ "title": team.title, "members": team.members, "leads": team.leads });
            (format!("teams.{name}"), value)
        });
        let groups = self.groups.iter();
        let groups = groups.map(|(name, ids)| (format!("groups.{name}"), json!(ids)));
        let channels = self.channels.groups.iter();
        let channels = channels.map(|(name, channel)| (format!("channels.{name}"), json!(channel)));
        let commands = self.channels.commands.iter();
        let commands = commands.map(|(name, channel)| (format!("commands.{name}"), json!(channel)));
        // Templates read it as `environment.parameters.organisation`.
        let organisation = self.environment.get("organisation");
        let rest = [
            ("organisation", json!(organisation)),
            ("paused", json!(self.paused)),
            ("channels.default", json!(self.channels.default)),
            (
                "limits.open_requests_per_person",
                json!(self.limits.open_requests),
            ),
            ("retention.drafts_hours", json!(self.limits.draft_hours)),
            (
                "retention.deliveries_days",
                json!(self.limits.delivery_days),
            ),
            ("retention.messages_days", json!(self.limits.message_days)),
        ];
        let rest = rest.map(|(key, value)| (key.to_owned(), value));
        let people = self.people.iter();
        let people: Vec<Vec<String>> = people
            .map(|accounts| accounts.iter().map(Listed::to_string).collect())
            .collect();
        let people = (!people.is_empty()).then(|| ("people".to_owned(), json!(people)));
        teams
            .chain(groups)
            .chain(channels)
            .chain(commands)
            .chain(rest)
            .chain(people)
            .collect()
    }
}
