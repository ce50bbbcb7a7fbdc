//! Accounts, groups and channels, as Slack tells them.

use serde_json::Value;

use super::{Slack, SlackError, required, text};
use crate::domain::event::PlaceKind;
use crate::domain::person::AccountKind;

/// Members of a channel per page; Slack allows up to 1,000 (docs.slack.dev, conversations.members).
const PAGE: &str = "1000";
/// Pages read of one channel: a hundred thousand members are more than anything that a rule needs to know.
const PAGES: usize = 100;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Full, guest, outsider or bot.
    pub kind: AccountKind,
    /// False once deactivated.
    pub active: bool,
}

/// A user group with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id (`S…`).
    pub id: String,
    /// Its handle, without `@`.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// Ids of its members.
    pub members: Vec<String>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// Its name without `#`; direct conversations have none.
    pub name: Option<String>,
    /// What kind.
    pub kind: PlaceKind,
    /// Whether the bot is in it.
    pub member: bool,
    /// Whether it is archived.
    pub archived: bool,
}

impl Slack {
    /// `users.info`. `installation` is where we are installed: who belongs elsewhere is an outsider.
    pub async fn user(&self, id: &str, installation: &str) -> Result<User, SlackError> {
        let answer = self.read("users.info", &[("user", id)]).await?;
        let user = answer.get("user").unwrap_or(&Value::Null);
        Ok(User {
            id: required(user, "/id")?,
            name: [
                // Whoever reads a card, and an auditor years later, wants the whole name.
                "/profile/real_name",
                "/real_name",
                "/profile/display_name",
                "/name",
            ]
            .into_iter()
            .find_map(|path| text(user, path))
            .unwrap_or_else(|| id.to_owned()),
            kind: kind(user, installation),
            active: !flag(user, "deleted"),
        })
    }

    /// `auth.teams.list`: the workspaces of an org-wide installation, all pages.
    pub async fn teams(&self) -> Result<Vec<String>, SlackError> {
        let mut teams = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut arguments = vec![("limit", PAGE)];
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let answer = self.read("auth.teams.list", &arguments).await?;
            let page = answer.get("teams").and_then(Value::as_array);
            for team in page.into_iter().flatten() {
                teams.push(required(team, "/id")?);
            }
            match text(&answer, "/response_metadata/next_cursor") {
                Some(next) => cursor = next,
                None => break,
            }
        }
        Ok(teams)
    }

    /// `usergroups.list` with members: all groups in one call. `team` is wanted for org-wide installations.
    pub async fn groups(&self, team: Option<&str>) -> Result<Vec<Group>, SlackError> {
        let mut arguments = vec![("include_users", "true"), ("include_disabled", "false")];
        if let Some(team) = team {
            arguments.push(("team_id", team));
        }
        let answer = self.read("usergroups.list", &arguments).await?;
        let groups = answer
            .get("usergroups")
            .and_then(Value::as_array)
            .ok_or_else(|| SlackError::Lost {
                cause: "the answer has no usergroups".to_owned(),
            })?;
        groups
            .iter()
            .map(|group| {
                Ok(Group {
                    id: required(group, "/id")?,
                    handle: required(group, "/handle")?,
                    name: text(group, "/name").unwrap_or_default(),
                    members: texts(group.get("users")),
                })
            })
            .collect()
    }

    /// `conversations.list`: all channels that we may see, archived ones among them, all pages. `team` is wanted for
    /// org-wide installations.
    pub async fn channels(&self, team: Option<&str>) -> Result<Vec<Channel>, SlackError> {
        let mut channels = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut arguments = vec![("types", "public_channel,private_channel"), ("limit", PAGE)];
            arguments.extend(team.map(|team| ("team_id", team)));
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let answer = self.read("conversations.list", &arguments).await?;
            let page = answer.get("channels").and_then(Value::as_array);
            for channel in page.into_iter().flatten() {
                channels.push(read_channel(channel)?);
            }
            match text(&answer, "/response_metadata/next_cursor") {
                Some(next) => cursor = next,
                None => break,
            }
        }
        Ok(channels)
    }

    /// `conversations.info`
    pub async fn channel(&self, id: &str) -> Result<Channel, SlackError> {
        let answer = self.read("conversations.info", &[("channel", id)]).await?;
        read_channel(answer.get("channel").unwrap_or(&Value::Null))
    }

    /// `conversations.members`, all pages.
    pub async fn members(&self, channel: &str) -> Result<Vec<String>, SlackError> {
        let mut members = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut arguments = vec![("channel", channel), ("limit", PAGE)];
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let answer = self.read("conversations.members", &arguments).await?;
            members.extend(texts(answer.get("members")));
            match text(&answer, "/response_metadata/next_cursor") {
                Some(next) => cursor = next,
                None => return Ok(members),
            }
        }
        Ok(members)
    }
}

fn read_channel(channel: &Value) -> Result<Channel, SlackError> {
    Ok(Channel {
        id: required(channel, "/id")?,
        name: text(channel, "/name"),
        kind: place(channel),
        member: flag(channel, "is_member") || flag(channel, "is_im"),
        archived: flag(channel, "is_archived"),
    })
}

fn kind(user: &Value, installation: &str) -> AccountKind {
    if flag(user, "is_bot") || user.get("id").and_then(Value::as_str) == Some("USLACKBOT") {
        return AccountKind::Bot;
    }
    // Slack calls only those strangers who share no channel with us; the team tells the others.
    let home = text(user, "/team_id");
    let ours = home.as_deref().is_none_or(|home| home == installation)
        || text(user, "/enterprise_user/enterprise_id").as_deref() == Some(installation)
        || texts(user.pointer("/enterprise_user/teams"))
            .iter()
            .any(|team| team == installation);
    if flag(user, "is_stranger") || !ours {
        AccountKind::Outsider
    } else if flag(user, "is_restricted") || flag(user, "is_ultra_restricted") {
        AccountKind::Guest
    } else {
        AccountKind::Full
    }
}

fn place(channel: &Value) -> PlaceKind {
    if flag(channel, "is_im") {
        PlaceKind::DirectWithBot
    } else if flag(channel, "is_mpim") {
        PlaceKind::DirectBetweenPeople
    } else if flag(channel, "is_ext_shared") || flag(channel, "is_pending_ext_shared") {
        PlaceKind::Shared
    } else if flag(channel, "is_private") || flag(channel, "is_group") {
        PlaceKind::Private
    } else {
        PlaceKind::Public
    }
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name) == Some(&Value::Bool(true))
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
