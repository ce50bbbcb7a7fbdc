//! Finding things by id or by name, and turning typed names into mentions and mentions into names.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Channel, Group, Inner, Person, World};

/// Shown names by id: of people, the bot, groups (`@handle`) and channels (`#name`).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Names(pub BTreeMap<String, String>);

impl Inner {
    /// A person by id, handle or `@handle`.
    pub(in crate::sandbox) fn person(&self, name: &str) -> Option<&Person> {
        let name = name.trim_start_matches('@');
        self.workspace
            .people
            .iter()
            .find(|person| person.id == name || person.handle == name)
    }

    /// A person to change.
    pub(in crate::sandbox) fn person_mut(&mut self, name: &str) -> Option<&mut Person> {
        let name = name.trim_start_matches('@');
        self.workspace
            .people
            .iter_mut()
            .find(|person| person.id == name || person.handle == name)
    }

    /// A user group to change, by id, handle or `@handle`.
    pub(in crate::sandbox) fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        let name = name.trim_start_matches('@');
        self.workspace
            .groups
            .iter_mut()
            .find(|group| group.id == name || group.handle == name)
    }

    /// A channel by id.
    pub(in crate::sandbox) fn channel(&self, id: &str) -> Option<&Channel> {
        self.workspace
            .channels
            .iter()
            .find(|channel| channel.id == id)
    }

    /// A channel to change.
    pub(in crate::sandbox) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.workspace
            .channels
            .iter_mut()
            .find(|channel| channel.id == id)
    }

    /// A channel by id, `#name` or name.
    pub(in crate::sandbox) fn channel_named(&self, name: &str) -> Option<&Channel> {
        let bare = name.trim_start_matches('#');
        self.channel(name).or_else(|| {
            let named = |channel: &&Channel| !bare.is_empty() && channel.name == bare;
            self.workspace.channels.iter().find(named)
        })
    }

    /// The direct message between these two accounts.
    pub(in crate::sandbox) fn direct(&self, one: &str, other: &str) -> Option<&Channel> {
        let direct = super::ChannelKind::Direct;
        self.workspace
            .channels
            .iter()
            .find(|channel| channel.kind == direct && channel.has(one) && channel.has(other))
    }

    /// What the composer sends for typed text: `@priya` becomes `<@U…>`, `@leads` `<!subteam^S…>`, `#random` `<#C…|…>`,
    /// and `& < >` are escaped.
    pub(in crate::sandbox) fn mentions(&self, typed: &str) -> String {
        let escaped = typed
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let mut sent = String::with_capacity(escaped.len());
        for word in escaped.split_inclusive(char::is_whitespace) {
            let core = word
                .trim_end()
                .trim_end_matches([',', '.', ':', '!', '?', ';']);
            let rest = &word[core.len()..];
            sent.push_str(&self.mention(core).unwrap_or_else(|| core.to_owned()));
            sent.push_str(rest);
        }
        sent
    }

    fn mention(&self, word: &str) -> Option<String> {
        if let Some(handle) = word.strip_prefix('@') {
            if handle == self.workspace.app.name {
                return Some(format!("<@{}>", self.workspace.app.user_id));
            }
            if let Some(person) = self
                .workspace
                .people
                .iter()
                .find(|person| person.handle == handle)
            {
                return Some(format!("<@{}>", person.id));
            }
            let group = self
                .workspace
                .groups
                .iter()
                .find(|group| group.handle == handle)?;
            return Some(format!("<!subteam^{}>", group.id));
        }
        let name = word.strip_prefix('#').filter(|name| !name.is_empty())?;
        let channel = self
            .workspace
            .channels
            .iter()
            .find(|channel| channel.name == name)?;
        Some(format!("<#{}|{}>", channel.id, channel.name))
    }
}

impl World {
    /// Names to show for the ids in mentions.
    pub fn names(&self) -> Names {
        self.with(|inner| {
            let workspace = &inner.workspace;
            let people = workspace
                .people
                .iter()
                .map(|own| (own.id.clone(), own.name.clone()));
            let groups = workspace
                .groups
                .iter()
                .map(|own| (own.id.clone(), format!("@{}", own.handle)));
            let channels = workspace
                .channels
                .iter()
                .filter(|own| !own.name.is_empty())
                .map(|own| (own.id.clone(), format!("#{}", own.name)));
            let app = &workspace.app;
            let bot = [
                (app.user_id.clone(), app.name.clone()),
                ("USLACKBOT".into(), "Slackbot".into()),
            ];
            Names(people.chain(groups).chain(channels).chain(bot).collect())
        })
    }
}
