//! The nouns of a workspace: people, groups, channels, messages, views. Plain data, as Slack would keep it.
//!
//! Ids are the strings of the wire (`U…`, `C…`, `1700000000.000100`): everything that is done with them is comparing
//! and sending them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The part of the world that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    /// The team.
    pub team: Team,
    /// The installed app.
    pub app: App,
    /// People, deactivated ones included.
    pub people: Vec<Person>,
    /// User groups.
    pub groups: Vec<Group>,
    /// Channels and direct messages, with what was written in them.
    pub channels: Vec<Channel>,
    /// The last message timestamp given out: (seconds, counter).
    pub last_ts: (i64, u32),
}

/// A Slack team.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Team {
    /// `T…`
    pub id: String,
    /// Shown name.
    pub name: String,
    /// The part before `.slack.com`.
    pub domain: String,
}

/// The installed app and its bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct App {
    /// `A…`
    pub id: String,
    /// `B…`
    pub bot_id: String,
    /// The bot's own user, `U…`.
    pub user_id: String,
    /// Shown name, also its handle.
    pub name: String,
    /// The bot token no longer works (uninstalled or revoked).
    pub revoked: bool,
}

/// What kind of account someone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A full member.
    Member,
    /// A guest: in some channels only, never in user groups.
    Guest,
    /// Someone of another company, seen in shared channels.
    Outsider,
}

/// Someone with an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// `U…`
    pub id: String,
    /// Their team; an outsider's is another one.
    pub team_id: String,
    /// The name in mentions: `priya`.
    pub handle: String,
    /// Shown name: `Priya Nair`.
    pub name: String,
    /// What they do: `Developer, payments`.
    pub title: String,
    /// Member, guest or outsider.
    pub kind: PersonKind,
    /// The account was deactivated.
    pub deactivated: bool,
}

/// A user group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// `S…`
    pub id: String,
    /// The name in mentions: `payments-leads`.
    pub handle: String,
    /// Shown name.
    pub name: String,
    /// Member ids.
    pub members: Vec<String>,
    /// Switched off.
    pub disabled: bool,
}

/// Who can see a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Everyone may join.
    Public,
    /// Members only.
    Private,
    /// Between two: people, or a person and the bot.
    Direct,
}

/// A channel or direct message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// `C…` or `D…`
    pub id: String,
    /// Without `#`; empty for a direct message.
    pub name: String,
    /// Who can see it.
    pub kind: ChannelKind,
    /// One line about it.
    pub topic: String,
    /// Ids of people, and of the bot's user if it is in.
    pub members: Vec<String>,
    /// Nothing can be written any more.
    pub archived: bool,
    /// Shared with another company.
    pub shared: bool,
    /// By timestamp, which sorts as it was written.
    #[serde(with = "super::save::kept_messages")]
    pub messages: BTreeMap<String, Message>,
}

impl Channel {
    /// Whether this account (person or bot user) is in.
    pub fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member == user)
    }

    /// The channel without what was written in it.
    pub(in crate::sandbox) fn bare(&self) -> Self {
        Self {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.kind,
            topic: self.topic.clone(),
            members: self.members.clone(),
            archived: self.archived,
            shared: self.shared,
            messages: BTreeMap::new(),
        }
    }
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person, by id.
    Person(String),
    /// The app's bot.
    Bot,
    /// Slack itself: failed commands, joins.
    Slackbot,
}

/// One message, in a channel or seen by one person only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Unique in its channel and increasing.
    pub ts: String,
    /// Its channel.
    pub channel: String,
    /// Who wrote it.
    pub author: Author,
    /// mrkdwn; the fallback when there are blocks.
    pub text: String,
    /// Block Kit, with every block id filled in.
    pub blocks: Vec<Value>,
    /// Legacy attachments, kept as they came.
    pub attachments: Vec<Value>,
    /// The root's timestamp when this is a reply.
    pub thread_ts: Option<String>,
    /// A reply that is also shown in the channel.
    pub broadcast: bool,
    /// The app's own data: `event_type` and `event_payload`.
    pub metadata: Option<Value>,
    /// When it was last edited, as a timestamp.
    pub edited: Option<String>,
    /// An ephemeral message: only this person sees it, until the simulator stops.
    pub only_for: Option<String>,
    /// A deleted root that still has replies.
    pub tombstone: bool,
    /// The command or submission delivered last before this was posted.
    pub after_delivery: Option<u64>,
}
