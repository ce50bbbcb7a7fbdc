//! Who may what where (docs.discord.com/developers/topics/permissions): roles first, then what the channel says of
//! everybody, of roles, of the member. Threads go by their channel.

use super::{
    id::Id,
    state::{Channel, ChannelKind, Discord, Member},
};

pub(in crate::sandbox) const ADMINISTRATOR: u64 = 1 << 3;
pub(in crate::sandbox) const ADD_REACTIONS: u64 = 1 << 6;
pub(in crate::sandbox) const VIEW_CHANNEL: u64 = 1 << 10;
pub(in crate::sandbox) const SEND_MESSAGES: u64 = 1 << 11;
pub(in crate::sandbox) const MANAGE_MESSAGES: u64 = 1 << 13;
pub(in crate::sandbox) const EMBED_LINKS: u64 = 1 << 14;
pub(in crate::sandbox) const READ_HISTORY: u64 = 1 << 16;
pub(in crate::sandbox) const MENTION_EVERYONE: u64 = 1 << 17;
pub(in crate::sandbox) const USE_COMMANDS: u64 = 1 << 31;
pub(in crate::sandbox) const CREATE_THREADS: u64 = 1 << 35;
pub(in crate::sandbox) const SEND_IN_THREADS: u64 = 1 << 38;

/// The permissions by the names that the control address takes.
const NAMED: [(&str, u64); 9] = [
    ("VIEW_CHANNEL", VIEW_CHANNEL),
    ("SEND_MESSAGES", SEND_MESSAGES),
    ("MANAGE_MESSAGES", MANAGE_MESSAGES),
    ("EMBED_LINKS", EMBED_LINKS),
    ("READ_MESSAGE_HISTORY", READ_HISTORY),
    ("MENTION_EVERYONE", MENTION_EVERYONE),
    ("USE_APPLICATION_COMMANDS", USE_COMMANDS),
    ("CREATE_PUBLIC_THREADS", CREATE_THREADS),
    ("SEND_MESSAGES_IN_THREADS", SEND_IN_THREADS),
];

/// A permission by Discord's name for it.
pub(in crate::sandbox) fn named(name: &str) -> Option<u64> {
    let found = NAMED.iter().find(|(own, _)| *own == name);
    found.map(|(_, bit)| *bit)
}

/// What everybody may in the direct messages with a bot.
const DIRECT: u64 = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | READ_HISTORY | USE_COMMANDS;

impl Discord {
    /// What a member may in the guild.
    pub(in crate::sandbox) fn permissions(&self, member: &Member) -> u64 {
        let own = |id: Id| id == self.guild.id || member.roles.contains(&id);
        let roles = self.roles.iter().filter(|role| own(role.id));
        let bits = roles.fold(0, |bits, role| bits | role.permissions);
        if bits & ADMINISTRATOR != 0 || member.id == self.guild.owner {
            u64::MAX >> 14
        } else {
            bits
        }
    }

    /// What a member may in a channel or thread.
    pub(in crate::sandbox) fn permissions_in(&self, member: &Member, channel: &Channel) -> u64 {
        if channel.kind == ChannelKind::Direct {
            let theirs = channel.owner == Some(member.id) || member.id == self.application.bot;
            return if theirs { DIRECT } else { 0 };
        }
        let base = self.permissions(member);
        if base & ADMINISTRATOR != 0 {
            return base;
        }
        let room = channel.parent.and_then(|id| self.channel(id));
        let overwrites = &room.unwrap_or(channel).overwrites;
        let of = |whose: &dyn Fn(Id) -> bool| {
            let these = overwrites.iter().filter(|own| whose(own.id));
            these.fold((0, 0), |(allow, deny), own| {
                (allow | own.allow, deny | own.deny)
            })
        };
        let everybody = self.guild.id;
        let steps = [
            of(&|id| id == everybody),
            of(&|id| id != everybody && member.roles.contains(&id)),
            of(&|id| id == member.id),
        ];
        let bits = steps
            .into_iter()
            .fold(base, |bits, (allow, deny)| (bits & !deny) | allow);
        // Whoever doesn't see a channel can do nothing in it ("Implicit Permissions").
        if bits & VIEW_CHANNEL == 0 { 0 } else { bits }
    }

    /// What the bot may in a channel or thread; nothing once it was thrown out.
    pub(in crate::sandbox) fn bots_permissions(&self, channel: &Channel) -> u64 {
        let bot = self.member_of(self.application.bot);
        bot.map_or(0, |bot| self.permissions_in(bot, channel))
    }

    /// Whether a member sees a channel.
    pub(in crate::sandbox) fn sees(&self, member: &Member, channel: &Channel) -> bool {
        self.permissions_in(member, channel) & VIEW_CHANNEL != 0
    }

    /// What it takes to write there.
    pub(in crate::sandbox) fn writing(channel: &Channel) -> u64 {
        if channel.kind == ChannelKind::Thread {
            SEND_IN_THREADS
        } else {
            SEND_MESSAGES
        }
    }
}
