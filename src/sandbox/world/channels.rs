//! Looking things up by name: team, people, groups, channels, and the address of a message.

use super::{App, Channel, Group, Message, Person, Team, World};

impl World {
    /// The team.
    pub fn team(&self) -> Team {
        self.with(|inner| inner.workspace.team.clone())
    }

    /// The installed app.
    pub fn app(&self) -> App {
        self.with(|inner| inner.workspace.app.clone())
    }

    /// Everyone, in the order they joined; the first one is who a page opens as.
    pub fn people(&self) -> Vec<Person> {
        self.with(|inner| inner.workspace.people.clone())
    }

    /// A person by id or handle.
    pub fn person(&self, name: &str) -> Option<Person> {
        self.with(|inner| inner.person(name).cloned())
    }

    /// All user groups.
    pub fn groups(&self) -> Vec<Group> {
        self.with(|inner| inner.workspace.groups.clone())
    }

    /// A channel by id or name, with everything in it.
    pub fn channel(&self, name: &str) -> Option<Channel> {
        self.with(|inner| inner.channel_named(name).cloned())
    }

    /// The direct message between a person and the bot.
    pub fn bot_dm(&self, person: &str) -> Option<String> {
        self.with(|inner| {
            let person = inner.person(person)?;
            inner
                .direct(&person.id, &inner.workspace.app.user_id)
                .map(|channel| channel.id.clone())
        })
    }

    /// The address of a message, as `chat.getPermalink` gives it.
    pub fn permalink(&self, channel: &str, ts: &str) -> Option<String> {
        let message = self.with(|inner| inner.message(channel, ts).cloned())?;
        self.link_to(&message)
    }

    pub(in crate::sandbox) fn link_to(&self, message: &Message) -> Option<String> {
        let Message { channel, ts, .. } = message;
        let path = format!("archives/{channel}/p{}", ts.replace('.', ""));
        let mut link = self.base().join(&path).ok()?;
        if let Some(root) = &message.thread_ts {
            link.query_pairs_mut()
                .append_pair("thread_ts", root)
                .append_pair("cid", channel);
        }
        Some(link.into())
    }
}
