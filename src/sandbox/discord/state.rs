//! The nouns of a Discord server: guild, roles, members, channels, threads, messages. Plain data, as Discord would keep it.
//!
//! Components and embeds stay the JSON of the wire: everything that is done with them is checking, drawing and sending
//! them back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::Id;

/// The part of Discord that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Discord {
    /// The server.
    pub(in crate::sandbox) guild: Guild,
    /// The application that is installed there.
    pub(in crate::sandbox) application: Application,
    /// Roles; the one with the guild's id is everybody's.
    pub(in crate::sandbox) roles: Vec<Role>,
    /// People and the bot, those who left not.
    pub(in crate::sandbox) members: Vec<Member>,
    /// Channels, direct messages, threads, with what was written in them.
    pub(in crate::sandbox) channels: Vec<Channel>,
    /// The registered commands, as they go out.
    pub(in crate::sandbox) commands: Vec<Value>,
    /// The last id given out.
    pub(in crate::sandbox) last: Id,
}

/// A guild: what people call a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Guild {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) owner: Id,
}

/// The application with its bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of an application"
)]
pub(in crate::sandbox) struct Application {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) name: String,
    /// The bot's user.
    pub(in crate::sandbox) bot: Id,
    /// The Server Members intent is switched on.
    pub(in crate::sandbox) members_intent: bool,
    /// The Message Content intent is switched on.
    pub(in crate::sandbox) content_intent: bool,
    /// The token was reset.
    pub(in crate::sandbox) revoked: bool,
    /// Anybody may add the bot to a server of theirs, as Discord makes applications.
    #[serde(default = "public")]
    pub(in crate::sandbox) public: bool,
}

/// What an application that was kept without this is.
const fn public() -> bool {
    true
}

/// A role of the guild.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Role {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) name: String,
    /// RGB, 0 for none.
    pub(in crate::sandbox) color: u32,
    /// Bits.
    pub(in crate::sandbox) permissions: u64,
    /// It belongs to a bot.
    pub(in crate::sandbox) managed: bool,
    /// Whoever writes may call it.
    #[serde(default)]
    pub(in crate::sandbox) mentionable: bool,
}

/// Somebody in the guild.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a member"
)]
pub(in crate::sandbox) struct Member {
    /// The user's id.
    pub(in crate::sandbox) id: Id,
    /// The username: `priya`.
    pub(in crate::sandbox) handle: String,
    /// The display name.
    pub(in crate::sandbox) name: String,
    /// What they do; Discord has no such field, the page shows it.
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) bot: bool,
    pub(in crate::sandbox) roles: Vec<Id>,
    pub(in crate::sandbox) joined: DateTime<Utc>,
    /// The server's rules were not accepted yet.
    pub(in crate::sandbox) pending: bool,
    /// Takes no direct messages from members of the server.
    pub(in crate::sandbox) closed: bool,
    /// Not in the guild any more.
    pub(in crate::sandbox) left: bool,
}

/// What a role or a member may and may not in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Overwrite {
    /// The role or the member.
    pub(in crate::sandbox) id: Id,
    /// It is a member.
    pub(in crate::sandbox) member: bool,
    pub(in crate::sandbox) allow: u64,
    pub(in crate::sandbox) deny: u64,
}

/// Kinds of channels, as Discord numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum ChannelKind {
    Text,
    Direct,
    Voice,
    Thread,
}

impl ChannelKind {
    /// Discord's number.
    pub(in crate::sandbox) const fn number(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Direct => 1,
            Self::Voice => 2,
            Self::Thread => 11,
        }
    }
}

/// A channel, a thread, or direct messages with the bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Channel {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) kind: ChannelKind,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) topic: String,
    /// A thread's channel.
    pub(in crate::sandbox) parent: Option<Id>,
    /// Who opened a thread; whose direct messages these are.
    pub(in crate::sandbox) owner: Option<Id>,
    pub(in crate::sandbox) overwrites: Vec<Overwrite>,
    pub(in crate::sandbox) archived: bool,
    pub(in crate::sandbox) locked: bool,
    /// Minutes of silence after which a thread is archived.
    pub(in crate::sandbox) archive_after: u64,
    #[serde(with = "kept")]
    pub(in crate::sandbox) messages: BTreeMap<Id, Message>,
}

impl Channel {
    /// One without anything in it.
    pub(in crate::sandbox) fn new(id: Id, kind: ChannelKind, name: &str) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            topic: String::new(),
            parent: None,
            owner: None,
            overwrites: Vec::new(),
            archived: false,
            locked: false,
            archive_after: 10_080,
            messages: BTreeMap::new(),
        }
    }
}

/// What an interaction made a message of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Cause {
    pub(in crate::sandbox) interaction: Id,
    /// Discord's number of the interaction's kind.
    pub(in crate::sandbox) kind: u8,
    pub(in crate::sandbox) member: Id,
    /// The command's name.
    pub(in crate::sandbox) name: Option<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Message {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) channel: Id,
    pub(in crate::sandbox) author: Id,
    /// Discord's number: 0 plain, 19 a reply, 20 an answer to a command, 21 a thread's first.
    pub(in crate::sandbox) kind: u8,
    pub(in crate::sandbox) content: String,
    pub(in crate::sandbox) embeds: Vec<Value>,
    pub(in crate::sandbox) components: Vec<Value>,
    pub(in crate::sandbox) flags: u64,
    pub(in crate::sandbox) nonce: Option<Value>,
    /// The message that it answers.
    pub(in crate::sandbox) answers: Option<Id>,
    pub(in crate::sandbox) edited: Option<DateTime<Utc>>,
    /// Users and roles that it calls: who is notified.
    pub(in crate::sandbox) mentions: Vec<Id>,
    pub(in crate::sandbox) cause: Option<Cause>,
    /// An ephemeral message: only this member sees it, until the simulator stops.
    pub(in crate::sandbox) only_for: Option<Id>,
    /// The delivery that came last before the bot posted it.
    pub(in crate::sandbox) after: Option<u64>,
}

/// Flags of messages: docs.discord.com/developers/resources/message, "Message Flags".
pub(in crate::sandbox) mod flag {
    pub(in crate::sandbox) const SUPPRESS_EMBEDS: u64 = 1 << 2;
    pub(in crate::sandbox) const HAS_THREAD: u64 = 1 << 5;
    pub(in crate::sandbox) const EPHEMERAL: u64 = 1 << 6;
    pub(in crate::sandbox) const LOADING: u64 = 1 << 7;
    pub(in crate::sandbox) const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
}

impl Message {
    /// Whether a member sees it, where they see its channel.
    pub(in crate::sandbox) fn seen_by(&self, member: Id) -> bool {
        self.only_for.is_none_or(|own| own == member)
    }
}

/// Messages as they are kept: ephemeral ones are not.
mod kept {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Id, Message};

    pub(super) fn serialize<S: Serializer>(
        messages: &BTreeMap<Id, Message>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(messages.values().filter(|own| own.only_for.is_none()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Id, Message>, D::Error> {
        let messages = Vec::<Message>::deserialize(deserializer)?;
        Ok(messages.into_iter().map(|own| (own.id, own)).collect())
    }
}
