//! A guild's people: roles as groups, text channels with those who can see them, members.
//!
//! Discord has no user groups: a role is one, by its name in lower case with dashes. Who has it stands in the list of
//! members, which takes the Server Members intent; without it only whoever acts tells their roles. A guild is read at one
//! go: who has a role and who sees a channel both follow from the same lists.

use crate::app::App;
use crate::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use crate::clients::discord::{
    Application, Channel, Discord, DiscordError, Member, Permissions, Role,
};
use crate::domain::event::PlaceKind;
use crate::domain::person::{AccountKind, Platform};
use crate::worker::{Chat, Guild};

/// Who we are on Discord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Our account's id.
    pub account: String,
    /// The application that it is of.
    pub application: Application,
}

/// Asks who we are.
pub async fn introduce_bot(client: &Discord) -> anyhow::Result<Bot> {
    Ok(Bot {
        account: client.myself().await?.id,
        application: client.application().await?,
    })
}

/// Makes the guilds known that the bot is in, but for those that are.
pub async fn introduce_guilds(
    app: &App,
    client: &Discord,
    bot: &Bot,
    known: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Chat>> {
    let mut chats = Vec::new();
    for guild in client.guilds().await? {
        if known(&guild.id) {
            continue;
        }
        let facts = InstallationFacts {
            platform: Platform::Discord,
            external: guild.id.clone(),
            name: guild.name,
            app: Some(bot.application.id.clone()),
            bot_account: Some(bot.account.clone()),
        };
        chats.push(Chat {
            installation: people::record_installation(app, &facts).await?,
            external: guild.id.clone(),
            way: Guild {
                client: client.clone(),
                id: guild.id,
            }
            .into(),
        });
    }
    Ok(chats)
}

/// A guild as it was read at one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    guild: String,
    roles: Vec<Role>,
    channels: Vec<Channel>,
    /// Everybody; none: the Server Members intent is off, so the list isn't shown.
    members: Option<Vec<Member>>,
}

/// Reads a guild.
pub async fn read_guild(guild: &Guild) -> anyhow::Result<Reading> {
    let client = &guild.client;
    Ok(Reading {
        guild: guild.id.clone(),
        roles: client.roles(&guild.id).await?,
        channels: client.channels(&guild.id).await?,
        members: match client.members(&guild.id).await {
            Ok(members) => Some(members),
            Err(DiscordError::NotAllowed { .. }) => None,
            Err(error) => return Err(error.into()),
        },
    })
}

impl Reading {
    /// The roles as groups, with whoever has them.
    pub fn groups(&self) -> Vec<PlatformGroup> {
        let mut groups: Vec<PlatformGroup> = Vec::new();
        let roles = self.roles.iter();
        for role in roles.filter(|r| !r.managed && r.id != self.guild) {
            let handle = handle(&role.name);
            // Two roles may have one name. The first one made (ids grow with time) has it.
            if groups.iter().any(|known| known.handle == handle) {
                continue;
            }
            let has = |member: &&Member| !member.bot && member.roles.contains(&role.id);
            let all = self.members.as_ref();
            groups.push(PlatformGroup {
                external: role.id.clone(),
                handle,
                name: role.name.clone(),
                members: all.map(|all| all.iter().filter(has).map(|m| m.id.clone()).collect()),
            });
        }
        groups
    }

    /// The text channels, without their members.
    pub(super) fn channels(&self, bot: &Member) -> Vec<ChannelFacts> {
        let text = self.channels.iter().filter(|channel| channel.is_text());
        text.map(|channel| self.place(bot).facts(channel, None))
            .collect()
    }

    /// One of them, with whoever can see it, as far as that is known.
    pub(super) fn channel(&self, bot: &Member, id: &str) -> Option<ChannelFacts> {
        let mut all = self.channels.iter().filter(|channel| channel.is_text());
        let channel = all.find(|channel| channel.id == id)?;
        Some(self.place(bot).facts(channel, self.members.as_deref()))
    }

    fn place<'a>(&'a self, bot: &'a Member) -> Place<'a> {
        Place {
            guild: &self.guild,
            roles: &self.roles,
            bot,
        }
    }

    /// Our own account there.
    pub(super) async fn bot(&self, guild: &Guild, id: &str) -> anyhow::Result<Member> {
        let mut all = self.members.iter().flatten();
        match all.find(|member| member.id == id) {
            Some(bot) => Ok(bot.clone()),
            None => Ok(guild.client.member(&guild.id, id).await?),
        }
    }
}

pub(super) async fn account(guild: &Guild, external: &str) -> anyhow::Result<AccountFacts> {
    match guild.client.member(&guild.id, external).await {
        Ok(member) => Ok(AccountFacts {
            kind: match (member.bot, member.pending) {
                (true, _) => AccountKind::Bot,
                // Whoever hasn't accepted the guild's rules may not write there either.
                (false, true) => AccountKind::Guest,
                (false, false) => AccountKind::Full,
            },
            external: member.id,
            name: member.name,
            active: true,
        }),
        Err(DiscordError::UserGone { code }) => {
            tracing::info!(account = external, code, "An account is not in the guild");
            Ok(AccountFacts::nobody(external))
        }
        Err(error) => Err(error.into()),
    }
}

/// What deciding who may see a channel takes.
struct Place<'a> {
    guild: &'a str,
    roles: &'a [Role],
    bot: &'a Member,
}

impl Place<'_> {
    fn facts(&self, channel: &Channel, members: Option<&[Member]>) -> ChannelFacts {
        let may = |id: &str, roles: &[String]| {
            Permissions::of(id, roles, (self.guild, self.roles), channel)
        };
        // Whoever has no role at all sees what everybody sees.
        let everybody = may("", &[]).sees();
        let sees = |member: &&Member| may(&member.id, &member.roles).sees();
        ChannelFacts {
            external: channel.id.clone(),
            name: Some(channel.name.clone()),
            kind: if everybody {
                PlaceKind::Public
            } else {
                PlaceKind::Private
            },
            usable: Some(may(&self.bot.id, &self.bot.roles).posts()),
            members: members.map(|all| all.iter().filter(sees).map(|m| m.id.clone()).collect()),
        }
    }
}

/// `Payments Leads` is `group:payments-leads`.
fn handle(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_name_becomes_a_word_for_rules() {
        assert_eq!(handle("Payments Leads"), "payments-leads");
        assert_eq!(handle("platform"), "platform");
        assert_eq!(handle("🔥 On-Call (EU)"), "on-call-eu");
    }
}
