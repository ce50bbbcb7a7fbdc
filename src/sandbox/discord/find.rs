//! Finding things by what they are called.

use chrono::{DateTime, Utc};

use super::{
    id::Id,
    state::{Channel, ChannelKind, Discord, Member, Message, Role},
};

impl Discord {
    /// A new id, larger than all before.
    pub(in crate::sandbox) fn next_id(&mut self, now: DateTime<Utc>) -> Id {
        self.last = Id::first_of(now).max(Id(self.last.0 + 1));
        self.last
    }

    /// A member by id, username or display name; whoever left isn't one.
    pub(in crate::sandbox) fn member(&self, name: &str) -> Option<&Member> {
        let id = name.parse().ok();
        let named = |own: &&Member| {
            id == Some(own.id) || own.handle == name || own.name.eq_ignore_ascii_case(name)
        };
        self.members.iter().filter(|own| !own.left).find(named)
    }

    /// A member by id.
    pub(in crate::sandbox) fn member_of(&self, id: Id) -> Option<&Member> {
        self.members.iter().find(|own| own.id == id && !own.left)
    }

    /// A channel or thread by id.
    pub(in crate::sandbox) fn channel(&self, id: Id) -> Option<&Channel> {
        self.channels.iter().find(|own| own.id == id)
    }

    /// The same, to change it.
    pub(in crate::sandbox) fn channel_mut(&mut self, id: Id) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|own| own.id == id)
    }

    /// A channel by id or by name, with or without `#`; a thread by its name too.
    pub(in crate::sandbox) fn channel_named(&self, name: &str) -> Option<&Channel> {
        let id = name.parse().ok();
        let bare = name.trim_start_matches('#');
        let by_id = self.channels.iter().find(|own| Some(own.id) == id);
        by_id.or_else(|| {
            let mut named = self.channels.iter().filter(|own| own.name == bare);
            named.find(|own| own.kind != ChannelKind::Direct)
        })
    }

    /// A role by id or name.
    pub(in crate::sandbox) fn role(&self, name: &str) -> Option<&Role> {
        let id = name.parse().ok();
        let named = |own: &&Role| Some(own.id) == id || own.name.eq_ignore_ascii_case(name);
        self.roles.iter().find(named)
    }

    /// A message by its address.
    pub(in crate::sandbox) fn message(&self, channel: Id, id: Id) -> Option<&Message> {
        self.channel(channel)?.messages.get(&id)
    }

    /// The same, to change it.
    pub(in crate::sandbox) fn message_mut(&mut self, channel: Id, id: Id) -> Option<&mut Message> {
        self.channel_mut(channel)?.messages.get_mut(&id)
    }

    /// The direct messages of a member with the bot, opened if need be.
    pub(in crate::sandbox) fn direct(&mut self, member: Id, now: DateTime<Utc>) -> Id {
        let stands = self
            .channels
            .iter()
            .find(|own| own.kind == ChannelKind::Direct && own.owner == Some(member));
        if let Some(stands) = stands {
            return stands.id;
        }
        let id = self.next_id(now);
        let mut channel = Channel::new(id, ChannelKind::Direct, "");
        channel.owner = Some(member);
        self.channels.push(channel);
        id
    }
}
