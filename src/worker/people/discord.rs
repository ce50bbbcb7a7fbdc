//! A guild's people: roles as groups, text channels with those who can see them, members.
//!
//! Discord has no user groups: a role is one, by its name in lower case with dashes. Who has it stands in the list of
//! members, which takes the Server Members intent; without it only whoever acts tells their roles. A guild is read at one
//! go: who has a role and who sees a channel both follow from the same lists.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::app::App;
use crate::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use crate::clients::discord::{
    self as clients, Application, Channel, Discord, DiscordError, Member, Permissions, Role,
};
use crate::domain::event::PlaceKind;
use crate::domain::person::{AccountKind, Platform};
use crate::worker::{Chat, Guild};

/// The longest that a page of a guild's members is waited for: whoever reads does so behind everything else.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Makes a guild known that the bot is in; the client is for whatever is said and read there.
pub async fn introduce_guild(
    app: &App,
    client: &Discord,
    bot: &Bot,
    guild: clients::Guild,
) -> anyhow::Result<Chat> {
    let facts = InstallationFacts {
        platform: Platform::Discord,
        external: guild.id.clone(),
        name: guild.name,
        app: Some(bot.application.id.clone()),
        bot_account: Some(bot.account.clone()),
    };
    Ok(Chat {
        installation: people::record_installation(app, &facts).await?,
        external: guild.id.clone(),
        way: Guild {
            client: client.clone(),
            id: guild.id,
        }
        .into(),
    })
}

/// A guild as it was read at one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    guild: String,
    /// The oldest first.
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
        roles: by_age(client.roles(&guild.id).await?),
        channels: client.channels(&guild.id).await?,
        members: members(guild).await?,
    })
}

/// Everybody; `None`: the application says that the Server Members intent is off. Where it is on, a refusal is an error
/// like others: what was read last stays.
async fn members(guild: &Guild) -> anyhow::Result<Option<Vec<Member>>> {
    let refused = match guild.client.members(&guild.id, PATIENCE).await {
        Ok(members) => return Ok(Some(members)),
        Err(refused @ DiscordError::NotAllowed { .. }) => refused,
        Err(error) => return Err(error.into()),
    };
    if guild.client.application().await?.reads_members {
        return Err(refused.into());
    }
    Ok(None)
}

/// Whether a reading failed since the bot isn't in the guild any more, as Discord says.
pub(super) fn is_out(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(DiscordError::GuildGone { .. }))
}

/// Whether a call failed in a way that the next one would, too.
pub(super) fn is_away(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(
            DiscordError::Limited { .. }
                | DiscordError::Unreachable { .. }
                | DiscordError::Lost { .. }
                | DiscordError::Revoked
        )
    )
}

/// The oldest first: ids are numbers that grow with time.
fn by_age(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort_by(|one, other| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
    roles
}

impl Reading {
    /// The roles as groups, with whoever has them.
    pub fn groups(&self) -> Vec<PlatformGroup> {
        let mut holders: HashMap<&str, Vec<String>> = HashMap::new();
        for member in self.members.iter().flatten().filter(|m| !m.bot) {
            for role in &member.roles {
                holders.entry(role).or_default().push(member.id.clone());
            }
        }
        let mut groups: Vec<PlatformGroup> = Vec::new();
        let roles = self.roles.iter();
        for role in roles.filter(|r| !r.managed && r.id != self.guild) {
            let handle = handle(&role.name);
            // Two roles may have one name. The first one made has it.
            if groups.iter().any(|known| known.handle == handle) {
                continue;
            }
            let held = holders.remove(role.id.as_str()).unwrap_or_default();
            groups.push(PlatformGroup {
                external: role.id.clone(),
                handle,
                name: role.name.clone(),
                members: self.members.is_some().then_some(held),
            });
        }
        groups
    }

    /// Everybody, where the list is shown.
    pub fn members(&self) -> Option<&[Member]> {
        self.members.as_deref()
    }

    /// Those of these accounts that are in the guild; none where its list isn't shown.
    pub(super) fn present<'a>(&self, known: &'a [String]) -> Vec<&'a str> {
        self.listed(known, true)
    }

    /// Those of these accounts that aren't in the guild; none where its list isn't shown.
    pub(super) fn absent<'a>(&self, known: &'a [String]) -> Vec<&'a str> {
        self.listed(known, false)
    }

    fn listed<'a>(&self, known: &'a [String], are: bool) -> Vec<&'a str> {
        let Some(all) = self.members() else {
            return Vec::new();
        };
        let here: HashSet<&str> = all.iter().map(|member| member.id.as_str()).collect();
        let known = known.iter().map(String::as_str);
        known.filter(|id| here.contains(id) == are).collect()
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

/// An account, and the ids of its roles.
pub(super) async fn account(
    guild: &Guild,
    external: &str,
) -> anyhow::Result<(AccountFacts, Vec<String>)> {
    match guild.client.member(&guild.id, external).await {
        Ok(member) => {
            let facts = AccountFacts {
                kind: match (member.bot, member.pending) {
                    (true, _) => AccountKind::Bot,
                    // Whoever hasn't accepted the guild's rules may not write there either.
                    (false, true) => AccountKind::Guest,
                    (false, false) => AccountKind::Full,
                },
                external: member.id,
                name: member.name,
                active: true,
            };
            Ok((facts, member.roles))
        }
        Err(DiscordError::UserGone { code }) => {
            tracing::info!(account = external, code, "An account is not in the guild");
            Ok((AccountFacts::nobody(external), Vec::new()))
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

    #[test]
    fn of_two_roles_with_one_name_the_older_one_counts_whatever_their_order() {
        let role = |id: &str| Role {
            id: id.to_owned(),
            name: "Payments Leads".to_owned(),
            permissions: 0,
            managed: false,
            mentionable: false,
        };
        let member = |id: &str, bot, role: &str| Member {
            id: id.to_owned(),
            name: id.to_owned(),
            bot,
            pending: false,
            roles: vec![role.to_owned()],
        };
        let mut reading = Reading {
            guild: "1".to_owned(),
            roles: by_age(vec![role("1000"), role("999")]),
            channels: Vec::new(),
            members: Some(vec![
                member("7", false, "999"),
                member("8", false, "1000"),
                member("9", true, "999"),
            ]),
        };
        let groups = reading.groups();
        let counts: Vec<_> = groups.iter().map(|g| (&*g.external, &g.members)).collect();
        assert_eq!(counts, [("999", &Some(vec!["7".to_owned()]))]);
        let known = ["7", "70"].map(str::to_owned);
        assert_eq!(reading.absent(&known), ["70"]);
        assert_eq!(reading.present(&known), ["7"]);
        reading.members = None;
        assert_eq!(reading.groups()[0].members, None, "nobody was told");
        assert!(reading.absent(&known).is_empty());
        assert!(reading.present(&known).is_empty());
    }
}
