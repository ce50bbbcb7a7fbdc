//! Who we are, and who and what is in a guild.

use std::time::Duration;

use serde_json::Value;

use super::{Discord, DiscordError, list, required, text};

/// Members and guilds are read in pages of so many (docs.discord.com/developers/resources/guild, "List Guild Members";
/// resources/user, "Get Current User Guilds").
const MEMBERS: usize = 1_000;
const GUILDS: usize = 200;
/// How often a page is waited for.
const WAITS: u32 = 3;

/// The bot's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The application that the bot is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether the Server Members intent is granted.
    pub reads_members: bool,
    /// Whether anybody may add the bot to a guild of theirs.
    pub is_public: bool,
    /// The Interactions Endpoint URL, where one is set.
    pub delivers_to: Option<String>,
    /// The key that its interactions are signed for, in hex.
    pub public_key: Option<String>,
}

/// A guild that the bot is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guild {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A role of a guild. The one with the guild's own id is everybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it permits, as bits.
    pub permissions: u64,
    /// Whether it belongs to a bot or a service.
    pub managed: bool,
    /// Whether a mention notifies its members, whoever writes it.
    pub mentionable: bool,
}

/// A member of a guild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account's id.
    pub id: String,
    /// The name people read there.
    pub name: String,
    /// Whether it is a bot.
    pub bot: bool,
    /// Whether the guild's rules were not accepted yet.
    pub pending: bool,
    /// Ids of the roles.
    pub roles: Vec<String>,
}

/// A channel of a guild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its kind, as Discord numbers them.
    pub kind: u64,
    /// Who may do otherwise here than elsewhere.
    pub overwrites: Vec<Overwrite>,
}

/// What a role or a member may and may not in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwrite {
    /// The role or the member.
    pub whose: String,
    /// What is allowed, as bits.
    pub allow: u64,
    /// What is denied, as bits.
    pub deny: u64,
}

impl Channel {
    /// Whether people write there: a text channel or one for announcements.
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, 0 | 5)
    }
}

impl Discord {
    /// Who the token is of.
    pub async fn myself(&self) -> Result<Myself, DiscordError> {
        let answer = self.get("/users/@me").await?;
        Ok(Myself {
            id: required(&answer, "id")?,
            name: text(&answer, "username").unwrap_or_default(),
        })
    }

    /// The application that the token is of.
    pub async fn application(&self) -> Result<Application, DiscordError> {
        let answer = self.get("/applications/@me").await?;
        let flags = answer.get("flags").and_then(Value::as_u64);
        // GATEWAY_GUILD_MEMBERS, and the same for bots in fewer than a hundred guilds
        // (docs.discord.com/developers/resources/application, "Application Flags").
        let members = (1 << 14) | (1 << 15);
        Ok(Application {
            id: required(&answer, "id")?,
            name: text(&answer, "name").unwrap_or_default(),
            reads_members: flags.unwrap_or_default() & members != 0,
            is_public: is(&answer, "bot_public"),
            delivers_to: text(&answer, "interactions_endpoint_url"),
            public_key: text(&answer, "verify_key"),
        })
    }

    /// The guilds that the bot is in.
    pub async fn guilds(&self) -> Result<Vec<Guild>, DiscordError> {
        let path = ("/users/@me/guilds", GUILDS, "/id");
        self.pages(path, Duration::ZERO, |guild| {
            Some(Guild {
                id: text(guild, "id")?,
                name: text(guild, "name").unwrap_or_default(),
            })
        })
        .await
    }

    /// One guild that the bot is in.
    pub async fn guild(&self, guild: &str) -> Result<Guild, DiscordError> {
        let answer = self.of_guild(guild, "").await?;
        Ok(Guild {
            id: required(&answer, "id")?,
            name: text(&answer, "name").unwrap_or_default(),
        })
    }

    /// The roles of a guild.
    pub async fn roles(&self, guild: &str) -> Result<Vec<Role>, DiscordError> {
        let answer = self.of_guild(guild, "/roles").await?;
        let role = |role: &Value| {
            Some(Role {
                id: text(role, "id")?,
                name: text(role, "name").unwrap_or_default(),
                permissions: bits(role, "permissions"),
                managed: is(role, "managed"),
                mentionable: is(role, "mentionable"),
            })
        };
        Ok(list(&answer).filter_map(role).collect())
    }

    /// All members of a guild. Needs the Server Members intent. A large guild takes many calls: before each of them this
    /// waits for as long as Discord asks, if that is within the patience.
    pub async fn members(
        &self,
        guild: &str,
        patience: Duration,
    ) -> Result<Vec<Member>, DiscordError> {
        let path = format!("/guilds/{guild}/members");
        self.pages((&path, MEMBERS, "/user/id"), patience, member)
            .await
    }

    /// One member of a guild.
    pub async fn member(&self, guild: &str, account: &str) -> Result<Member, DiscordError> {
        let path = format!("/guilds/{guild}/members/{account}");
        let answer = self.get(&path).await?;
        member(&answer).ok_or_else(|| DiscordError::Lost {
            cause: "the answer has no user".to_owned(),
        })
    }

    /// The channels of a guild, without threads.
    pub async fn channels(&self, guild: &str) -> Result<Vec<Channel>, DiscordError> {
        let answer = self.of_guild(guild, "/channels").await?;
        Ok(list(&answer).filter_map(channel).collect())
    }

    /// What every member of a guild may read.
    async fn of_guild(&self, guild: &str, what: &str) -> Result<Value, DiscordError> {
        let read = self.get(&format!("/guilds/{guild}{what}")).await;
        read.map_err(DiscordError::of_guild)
    }

    /// A list in pages, each beginning behind the last id of the one before.
    async fn pages<T>(
        &self,
        (path, size, id): (&str, usize, &str),
        patience: Duration,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, DiscordError> {
        let mut all = Vec::new();
        let mut after = "0".to_owned();
        loop {
            let page = format!("{path}?limit={size}&after={after}");
            let page = self.page(&page, patience).await?;
            all.extend(list(&page).filter_map(&read));
            let last = list(&page).last().and_then(|last| last.pointer(id));
            match last.and_then(Value::as_str) {
                Some(last) if list(&page).count() >= size && last != after => {
                    last.clone_into(&mut after);
                }
                _ => return Ok(all),
            }
        }
    }

    async fn page(&self, path: &str, patience: Duration) -> Result<Value, DiscordError> {
        let mut waits = 0;
        loop {
            match self.get(path).await {
                Err(DiscordError::Limited { after: Some(after) })
                    if after <= patience && waits < WAITS =>
                {
                    waits += 1;
                    tokio::time::sleep(after).await;
                }
                answered => return answered,
            }
        }
    }
}

fn is(of: &Value, name: &str) -> bool {
    of.get(name) == Some(&Value::Bool(true))
}

fn member(member: &Value) -> Option<Member> {
    let user = member.get("user")?;
    let roles = member.get("roles").into_iter().flat_map(list);
    Some(Member {
        id: text(user, "id")?,
        name: text(member, "nick")
            .or_else(|| text(user, "global_name"))
            .or_else(|| text(user, "username"))
            .unwrap_or_default(),
        bot: is(user, "bot"),
        pending: is(member, "pending"),
        roles: roles
            .filter_map(|r| r.as_str().map(str::to_owned))
            .collect(),
    })
}

fn channel(channel: &Value) -> Option<Channel> {
    let overwrites = channel
        .get("permission_overwrites")
        .into_iter()
        .flat_map(list);
    Some(Channel {
        id: text(channel, "id")?,
        name: text(channel, "name").unwrap_or_default(),
        kind: channel.get("type")?.as_u64()?,
        overwrites: overwrites
            .filter_map(|overwrite| {
                Some(Overwrite {
                    whose: text(overwrite, "id")?,
                    allow: bits(overwrite, "allow"),
                    deny: bits(overwrite, "deny"),
                })
            })
            .collect(),
    })
}

/// Permissions come as a decimal number in a text.
fn bits(of: &Value, name: &str) -> u64 {
    let bits = of.get(name).and_then(Value::as_str);
    bits.and_then(|bits| bits.parse().ok()).unwrap_or_default()
}
