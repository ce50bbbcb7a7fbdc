//! A guild's people: roles as groups, text channels with those who can see them, members.
//!
//! Discord has no user groups: a role is one, by its name in lower case with dashes. Who has it stands in the list of
//! members, which takes the Server Members intent.

use std::collections::BTreeSet;

use crate::app::App;
use crate::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use crate::clients::discord::{
    Application, Channel, Discord, DiscordError, Member, Permissions, Role,
};
use crate::domain::event::PlaceKind;
use crate::domain::person::{AccountKind, Platform};
use crate::worker::{Chat, Guild};

/// Makes the guilds known that the bot is in, with the application that it is of.
pub async fn introduce_guilds(
    app: &App,
    client: &Discord,
) -> anyhow::Result<(Vec<Chat>, Application)> {
    let myself = client.myself().await?;
    let application = client.application().await?;
    let mut chats = Vec::new();
    for guild in client.guilds().await? {
        let facts = InstallationFacts {
            platform: Platform::Discord,
            external: guild.id.clone(),
            name: guild.name,
            app: Some(application.id.clone()),
            bot_account: Some(myself.id.clone()),
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
    Ok((chats, application))
}

/// The roles of a guild as groups, with whoever has them.
pub async fn guild_groups(guild: &Guild) -> anyhow::Result<Vec<PlatformGroup>> {
    let roles = guild.client.roles(&guild.id).await?;
    let members = guild.client.members(&guild.id).await?;
    let mut groups: Vec<PlatformGroup> = Vec::new();
    for role in roles.iter().filter(|r| !r.managed && r.id != guild.id) {
        let handle = handle(&role.name);
        // Two roles may have one name. The first one made (ids grow with time) has it.
        if groups.iter().any(|known| known.handle == handle) {
            continue;
        }
        let has = |member: &&Member| !member.bot && member.roles.contains(&role.id);
        groups.push(PlatformGroup {
            external: role.id.clone(),
            handle,
            name: role.name.clone(),
            members: members.iter().filter(has).map(|m| m.id.clone()).collect(),
        });
    }
    Ok(groups)
}

/// The guild's text channels, without their members.
pub(super) async fn channels(guild: &Guild, bot: &str) -> anyhow::Result<Vec<ChannelFacts>> {
    let roles = guild.client.roles(&guild.id).await?;
    let bot = guild.client.member(&guild.id, bot).await?;
    let channels = guild.client.channels(&guild.id).await?;
    let place = Place {
        guild: &guild.id,
        roles: &roles,
        bot: &bot,
    };
    let text = channels.iter().filter(|channel| channel.is_text());
    Ok(text.map(|channel| place.facts(channel, None)).collect())
}

/// Those of the channels that are wanted, with whoever can see them.
pub(super) async fn members(
    guild: &Guild,
    bot: &str,
    wanted: &BTreeSet<String>,
) -> anyhow::Result<Vec<ChannelFacts>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let roles = guild.client.roles(&guild.id).await?;
    let bot = guild.client.member(&guild.id, bot).await?;
    let members = guild.client.members(&guild.id).await?;
    let channels = guild.client.channels(&guild.id).await?;
    let place = Place {
        guild: &guild.id,
        roles: &roles,
        bot: &bot,
    };
    let wanted = channels
        .iter()
        .filter(|c| c.is_text() && wanted.contains(&c.id));
    Ok(wanted
        .map(|channel| place.facts(channel, Some(&members)))
        .collect())
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
