//! A guild as it stands: whether the roles that decide hear a call, and whether the bot may post and call in the channels
//! that files name.

use std::collections::BTreeSet;

use super::ROLES;
use crate::app::people::PlatformGroup;
use crate::boot::doctor::{Check, State, channels};
use crate::clients::discord::{
    Channel, Discord, DiscordError, Guild as Place, Member, Permissions, Role,
};
use crate::worker::Guild;
use crate::worker::people::{Reading, read_guild};

const CHANNELS: &str = "discord channels";

/// What files say of guilds.
#[derive(Clone, Copy)]
pub(super) struct Files<'a> {
    /// The channels that they name.
    pub(super) channels: &'a [String],
    /// Whether requests stand in others too.
    pub(super) anywhere: bool,
    /// The handles of the groups that a call for approval mentions as such.
    pub(super) called: &'a BTreeSet<String>,
    /// Whether they can mean no other place.
    pub(super) alone: bool,
}

/// What was read of a guild.
pub(super) struct Seen {
    /// Its roles as groups.
    pub(super) groups: Vec<PlatformGroup>,
    reading: Reading,
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
        let reading = read_guild(&guild).await?;
        let mut channels = client.channels(&place.id).await?;
        channels.retain(Channel::is_text);
        Ok(Self {
            groups: reading.groups(),
            reading,
            roles: client.roles(&place.id).await?,
            channels,
            bot: client.member(&place.id, account).await?,
            place,
        })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.place.name
    }

    /// The role with this id, if it is a group.
    pub(super) fn role(&self, id: &str) -> Option<&PlatformGroup> {
        self.groups.iter().find(|group| group.external == id)
    }

    /// Whether an account is a person's there; none: nobody can tell.
    pub(super) async fn knows(&self, client: &Discord, account: &str) -> Option<bool> {
        if let Some(all) = self.reading.members() {
            let mut own = all.iter().filter(|member| member.id == account);
            return Some(own.any(|member| !member.bot));
        }
        match client.member(&self.place.id, account).await {
            Ok(member) => Some(!member.bot),
            Err(DiscordError::UserGone { .. }) => Some(false),
            Err(_) => None,
        }
    }

    /// The roles among those that are called which no call of idp's reaches: where requests stand only in channels that files
    /// name, and each lets it call all, none.
    pub(super) fn unheard(&self, files: Files<'_>) -> Vec<Check> {
        let named = !files.anywhere && self.calls_all_roles_in(files.channels);
        if named || self.calls_all_roles() {
            return Vec::new();
        }
        let silent = self.silent(files.called);
        silent
            .map(|group| self.reaches_nobody(&group.name))
            .collect()
    }

    /// Whether a mention notifies all roles, where no channel says otherwise.
    fn calls_all_roles(&self) -> bool {
        Permissions::in_guild(&self.bot.roles, self.everybody()).calls_all_roles()
    }

    /// Whether a mention notifies all roles in each of these channels that is here; false where none is.
    fn calls_all_roles_in(&self, channels: &[String]) -> bool {
        let may = channels.iter().filter_map(|written| self.best(written));
        let calls: Vec<bool> = may.map(Permissions::calls_all_roles).collect();
        !calls.is_empty() && calls.into_iter().all(|calls| calls)
    }

    /// The roles among those that are called which not everybody may mention.
    fn silent<'a>(
        &'a self,
        called: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a PlatformGroup> {
        self.groups.iter().filter(move |group| {
            let mut own = self.roles.iter().filter(|role| role.id == group.external);
            called.contains(&group.handle) && own.any(|role| !role.mentionable)
        })
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

    /// Judges the channels that files name.
    fn channels(&self, files: Files<'_>) -> Vec<Check> {
        let names = files.channels;
        let judged = names.iter().flat_map(|name| self.channel(name, files));
        let checks: Vec<Check> = judged.collect();
        if checks.is_empty() && !names.is_empty() {
            let says = format!("{} in {}", names.join(", "), self.place.name);
            return vec![Check::ok(CHANNELS, says)];
        }
        checks
    }

    /// Whether a channel is there.
    fn has(&self, written: &str) -> bool {
        self.named(written).next().is_some()
    }

    /// The channels of a name, with or without its `#`, or of an id: several may have one name.
    fn named(&self, written: &str) -> impl Iterator<Item = &Channel> {
        let name = written.trim_start_matches('#').to_owned();
        let all = self.channels.iter();
        all.filter(move |channel| channel.id == name || channel.name == name)
    }

    /// What the bot may in a channel: of those of one name idp takes one that it can post in.
    fn best(&self, written: &str) -> Option<Permissions> {
        let all = self.named(written).map(|channel| self.may(channel));
        all.min_by_key(|may| (!may.posts(), may.lacks_for_threads().count()))
    }

    fn channel(&self, written: &str, files: Files<'_>) -> Vec<Check> {
        let Some(may) = self.best(written) else {
            return vec![self.missing(written, files.alone)];
        };
        let unheard = self.unheard_in(written, may, files.called);
        let closed = self.closed(written, may);
        closed.into_iter().chain(unheard).collect()
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

    /// The roles that a call reaches elsewhere in the guild, and not in this channel.
    fn unheard_in(
        &self,
        written: &str,
        may: Permissions,
        called: &BTreeSet<String>,
    ) -> Option<Check> {
        if may.calls_all_roles() || !self.calls_all_roles() {
            return None;
        }
        let roles: Vec<&str> = self.silent(called).map(|role| role.name.as_str()).collect();
        if roles.is_empty() {
            return None;
        }
        let says = format!(
            "idp's call in {written} in {} reaches nobody of {}: nobody is notified when it mentions a role there",
            self.place.name,
            roles.join(", ")
        );
        let check = Check::warn(CHANNELS, says).fix(format!(
            "allow idp's role *Mention @everyone, @here, and All Roles* in Edit Channel, Permissions of {written}"
        ));
        Some(check.fix(
            "or switch *Allow anyone to @mention this role* on for these in Server Settings, Roles",
        ))
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

/// Judges the channels that files name in all guilds.
pub(super) fn judge(guilds: &[Seen], files: Files<'_>) -> Vec<Check> {
    if files.channels.is_empty() && !guilds.is_empty() {
        return vec![channels::none(CHANNELS)];
    }
    // An id is of one guild, and nothing to the others.
    let of_another = |guild: &Seen, name: &str| {
        let is_id = channels::is_of_discord(name) && !guild.has(name);
        is_id && guilds.iter().any(|other| other.has(name))
    };
    let judged = guilds.iter().flat_map(|guild| {
        let mut names = files.channels.to_vec();
        names.retain(|name| !of_another(guild, name));
        guild.channels(Files {
            channels: &names,
            alone: files.alone && guilds.len() == 1,
            ..files
        })
    });
    judged.collect()
}
