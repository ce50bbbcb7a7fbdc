//! What a member sees: the list of channels, what stands in one, a thread.

use serde::Serialize;

use super::{
    id::Id,
    state::{Channel, ChannelKind, Discord, Member, Message, flag},
};
use crate::sandbox::{
    acts::ActError,
    world::{DeliveryRecord, Inner, Kind, Log, World},
};

/// What kind of place a line of the list leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Place {
    Channel,
    Thread,
    Direct,
}

/// A line of the list of channels.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Room {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) kind: Place,
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) topic: String,
    /// A thread's channel.
    pub(in crate::sandbox) parent: Option<Id>,
    /// Not everybody sees it.
    pub(in crate::sandbox) private: bool,
    /// The member may write here.
    pub(in crate::sandbox) writable: bool,
    pub(in crate::sandbox) archived: bool,
    /// The newest message that the member sees.
    pub(in crate::sandbox) latest: Option<Id>,
}

/// A message as one member sees it.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Seen {
    #[serde(flatten)]
    pub(in crate::sandbox) message: Message,
    /// Who wrote it, readable.
    pub(in crate::sandbox) by: String,
    pub(in crate::sandbox) by_bot: bool,
    /// The colour of the author's highest role, 0 for none.
    pub(in crate::sandbox) color: u32,
    /// "thinking…"
    pub(in crate::sandbox) loading: bool,
    /// The name of its thread, and how many messages stand there.
    pub(in crate::sandbox) thread: Option<(String, usize)>,
    /// Who used which command for it.
    pub(in crate::sandbox) used: Option<(String, String)>,
    /// What it answers: author and beginning.
    pub(in crate::sandbox) answered: Option<(String, String)>,
}

impl World {
    /// Everybody in the guild but the bot.
    pub(in crate::sandbox) fn members(&self) -> Vec<Member> {
        self.with(|inner| {
            let here = inner
                .discord
                .members
                .iter()
                .filter(|own| !own.left && !own.bot);
            here.cloned().collect()
        })
    }

    /// The guild's state without what was written in it.
    pub(in crate::sandbox) fn guild(&self) -> Discord {
        self.with(|inner| {
            let mut discord = inner.discord.clone();
            for channel in &mut discord.channels {
                channel.messages.clear();
            }
            discord
        })
    }

    /// The channels, threads and direct messages that a member sees, threads behind their channel.
    pub(in crate::sandbox) fn rooms(&self, person: &str) -> Result<Vec<Room>, ActError> {
        self.with(|inner| {
            let discord = &inner.discord;
            let member = discord.member(person).ok_or(ActError::NoPerson)?;
            let mut rooms = Vec::new();
            for channel in &discord.channels {
                let text = matches!(channel.kind, ChannelKind::Text | ChannelKind::Direct);
                if !text || !discord.sees(member, channel) {
                    continue;
                }
                rooms.push(discord.room(member, channel));
                let threads = discord.channels.iter();
                let own = threads.filter(|own| own.parent == Some(channel.id) && !own.archived);
                rooms.extend(own.map(|thread| discord.room(member, thread)));
            }
            Ok(rooms)
        })
    }

    /// What a member sees in a channel or thread, oldest first.
    pub(in crate::sandbox) fn messages(
        &self,
        person: &str,
        channel: &str,
    ) -> Result<Vec<Seen>, ActError> {
        self.with(|inner| {
            let (member, channel) = inner.looks(person, channel)?;
            let shown = channel.messages.values();
            let shown = shown.filter(|own| own.kind != 21 && own.seen_by(member.id));
            Ok(shown.map(|own| inner.discord.seen(own)).collect())
        })
    }

    /// One message, where the member sees it, with what was delivered before it.
    pub(in crate::sandbox) fn message_seen(
        &self,
        person: &str,
        channel: Id,
        id: Id,
    ) -> Result<(Seen, Option<DeliveryRecord>), ActError> {
        self.with(|inner| {
            let (member, channel) = inner.looks(person, &channel.to_string())?;
            let message = channel
                .messages
                .get(&id)
                .filter(|own| own.seen_by(member.id));
            let message = message.ok_or(ActError::NoMessage)?;
            let before = message.after.and_then(|own| inner.log.delivery(own));
            Ok((inner.discord.seen(message), before.cloned()))
        })
    }
}

impl Discord {
    fn room(&self, member: &Member, channel: &Channel) -> Room {
        let title = match channel.kind {
            ChannelKind::Direct => self.application.name.clone(),
            _ => channel.name.clone(),
        };
        let everybody = self.guild.id;
        let bits = self.permissions_in(member, channel);
        let latest = channel
            .messages
            .values()
            .rfind(|own| own.seen_by(member.id));
        Room {
            id: channel.id,
            kind: match channel.kind {
                ChannelKind::Direct => Place::Direct,
                ChannelKind::Thread => Place::Thread,
                ChannelKind::Text | ChannelKind::Voice => Place::Channel,
            },
            title,
            topic: channel.topic.clone(),
            parent: channel.parent,
            private: channel
                .overwrites
                .iter()
                .any(|own| own.id == everybody && own.deny & super::permission::VIEW_CHANNEL != 0),
            writable: bits & Self::writing(channel) != 0 && !channel.locked,
            archived: channel.archived,
            latest: latest.map(|own| own.id),
        }
    }

    fn seen(&self, message: &Message) -> Seen {
        let author = self.members.iter().find(|own| own.id == message.author);
        let name = |id: Id| {
            let own = self.members.iter().find(|own| own.id == id);
            own.map_or_else(|| "somebody".to_owned(), |own| own.name.clone())
        };
        let colored =
            self.roles.iter().rev().find(|role| {
                role.color != 0 && author.is_some_and(|own| own.roles.contains(&role.id))
            });
        let thread = Some(message.id)
            .filter(|_| message.flags & flag::HAS_THREAD != 0)
            .and_then(|id| self.channel(id));
        let used = message.cause.as_ref().and_then(|cause| {
            let command = cause.name.clone()?;
            Some((name(cause.member), format!("/{command}")))
        });
        let answered = message
            .answers
            .and_then(|id| self.message(message.channel, id))
            .map(|own| (name(own.author), own.content.chars().take(120).collect()));
        Seen {
            by: name(message.author),
            by_bot: author.is_some_and(|own| own.bot),
            color: colored.map_or(0, |role| role.color),
            loading: message.flags & flag::LOADING != 0,
            thread: thread.map(|own| {
                let shown = own.messages.values().filter(|own| own.kind != 21);
                (own.name.clone(), shown.count())
            }),
            used,
            answered,
            message: message.clone(),
        }
    }
}

impl Log {
    /// The newest thing that somebody did on Discord.
    pub(super) fn newest_interaction(&self) -> Option<u64> {
        let mut records = self.deliveries.iter().rev();
        let found = records.find(|own| matches!(own.kind, Kind::Discord(kind) if kind.is_act()));
        found.map(|own| own.id)
    }
}

impl Inner {
    /// Whether the app can be reached at all: over the gateway it has to be there.
    pub(in crate::sandbox) fn discord_reached(&self) -> bool {
        !self.live.endpoints.is_empty() || self.live.sessions.connected() > 0
    }
}
