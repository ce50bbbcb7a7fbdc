//! A guild as it stands: whether the roles that decide hear a call, and whether the bot may post in the channels that
//! files name.

use std::collections::BTreeSet;

use super::ROLES;
use crate::app::people::PlatformGroup;
use crate::boot::doctor::{Check, State, channels};
use crate::clients::discord::{Channel, Discord, Guild as Place, Member, Permissions, Role};
use crate::worker::Guild;
use crate::worker::people::read_guild;

const CHANNELS: &str = "discord channels";

/// What was read of a guild.
pub(super) struct Seen {
    /// Its roles as groups.
    pub(super) groups: Vec<PlatformGroup>,
    place: Place,
    roles: Vec<Role>,
    /// Those that people write in.
    channels: Vec<Channel>,
    bot: Member,
}

impl Seen {
    /// Reads it; the account is the bot's own.
    pub(super) async fn read(
        client: &Discord,
        place: Place,
        account: &str,
    ) -> anyhow::Result<Self> {
        let guild = Guild {
            client: client.clone(),
            id: place.id.clone(),
        };
        let groups = read_guild(&guild).await?.groups();
        let mut channels = client.channels(&place.id).await?;
        channels.retain(Channel::is_text);
        Ok(Self {
            groups,
            roles: client.roles(&place.id).await?,
            channels,
            bot: client.member(&place.id, account).await?,
            place,
        })
    }

    /// The roles among those that are called which no call of idp's reaches.
    pub(super) fn unheard(&self, called: &BTreeSet<String>) -> Vec<Check> {
        if Permissions::in_guild(&self.bot.roles, self.everybody()).calls_all_roles() {
            return Vec::new();
        }
        let silent = |id: &str| self.roles.iter().any(|r| r.id == id && !r.mentionable);
        self.groups
            .iter()
            .filter(|group| called.contains(&group.handle) && silent(&group.external))
            .map(|group| self.reaches_nobody(&group.name))
            .collect()
    }

    fn reaches_nobody(&self, role: &str) -> Check {
        let says = format!(
            "idp's call reaches nobody of {role} in {}: nobody is notified when it mentions the role",
            self.place.name
        );
        Check::warn(ROLES, says)
            .fix("give idp's role *Mention @everyone, @here, and All Roles* in Server Settings, Roles")
            .fix(format!(
                "or switch *Allow anyone to @mention this role* on for {role} there"
            ))
    }

    /// Judges the channels that files name; `alone`: they can be meant for no other place.
    pub(super) fn channels(&self, names: &[String], alone: bool) -> Vec<Check> {
        let judged = names.iter().filter_map(|name| self.channel(name, alone));
        let checks: Vec<Check> = judged.collect();
        if checks.is_empty() && !names.is_empty() {
            let says = format!("{} in {}", names.join(", "), self.place.name);
            return vec![Check::ok(CHANNELS, says)];
        }
        checks
    }

    /// Whether a channel is there.
    pub(super) fn has(&self, written: &str) -> bool {
        self.named(written).next().is_some()
    }

    /// The channels of a name, with or without its `#`, or of an id: several may have one name.
    fn named(&self, written: &str) -> impl Iterator<Item = &Channel> {
        let name = written.trim_start_matches('#').to_owned();
        let all = self.channels.iter();
        all.filter(move |channel| channel.id == name || channel.name == name)
    }

    fn channel(&self, written: &str, alone: bool) -> Option<Check> {
        let may = self.named(written).map(|channel| self.may(channel));
        // Of channels of one name idp takes one that it can post in.
        let lacking = |may: &Permissions| (!may.posts(), may.lacks_for_threads().count());
        match may.min_by_key(lacking) {
            Some(may) => self.closed(written, may),
            None => Some(self.missing(written, alone)),
        }
    }

    /// What the bot may in a channel.
    fn may(&self, channel: &Channel) -> Permissions {
        let bot = &self.bot;
        Permissions::of(&bot.id, &bot.roles, self.everybody(), channel)
    }

    /// What is closed to the bot in a channel: the channel itself, or the threads of its cards.
    fn closed(&self, written: &str, may: Permissions) -> Option<Check> {
        let lacks: Vec<&str> = may.lacks().chain(may.lacks_for_threads()).collect();
        if lacks.is_empty() {
            return None;
        }
        let (guild, lacks) = (&self.place.name, lacks.join(", "));
        let check = if may.posts() {
            let says = format!(
                "replies stand in {written} in {guild} itself, not in a thread: the bot lacks {lacks}"
            );
            Check::warn(CHANNELS, says)
        } else {
            let says = format!("the bot may not post in {written} in {guild}: it lacks {lacks}");
            Check::fail(CHANNELS, says)
        };
        Some(check.fix(format!(
            "allow idp's role these in Edit Channel, Permissions of {written}, or in Server Settings, Roles"
        )))
    }

    fn missing(&self, written: &str, alone: bool) -> Check {
        // Of several places each may have some of the channels.
        let state = if alone { State::Fail } else { State::Warn };
        let says = format!("{written} isn't in {}", self.place.name);
        let there = self.channels.iter().map(|channel| channel.name.as_str());
        let name = written.trim_start_matches('#');
        let check = channels::nearest_of(Check::new(CHANNELS, state, says), name, there);
        check.fix("make a text channel of this name, or name another")
    }

    /// The role that is everybody's, which has the guild's own id, and all roles.
    fn everybody(&self) -> (&str, &[Role]) {
        (&self.place.id, &self.roles)
    }
}

/// Judges the channels that files name in all guilds; `alone`: they are meant for no other platform.
pub(super) fn judge(guilds: &[Seen], names: &[String], alone: bool) -> Vec<Check> {
    if names.is_empty() && !guilds.is_empty() {
        return vec![channels::none(CHANNELS)];
    }
    let alone = alone && guilds.len() == 1;
    // An id is of one guild, and nothing to the others.
    let of_another = |guild: &Seen, name: &str| {
        let is_id = channels::is_of_discord(name) && !guild.has(name);
        is_id && guilds.iter().any(|other| other.has(name))
    };
    let judged = guilds.iter().flat_map(|guild| {
        let mut names = names.to_vec();
        names.retain(|name| !of_another(guild, name));
        guild.channels(&names, alone)
    });
    judged.collect()
}
