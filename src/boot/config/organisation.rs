//! Who belongs where: teams, groups, channels, limits. The part of the configuration that may change while idp runs.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::file::{File, Source, TeamTable};
use super::people::{self, ChatAccount};
use crate::boot::problem::Problem;
use crate::domain::team::GitHubTeam;

/// Teams, groups, channels and limits, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// `organisation`: who owns the repositories on the forge.
    pub name: Option<String>,
    /// Why no new requests are taken at present. What runs goes on.
    pub paused: Option<String>,
    /// `[teams.NAME]`
    pub teams: BTreeMap<String, Team>,
    /// `[groups]`: by the group's name, the platform's user ids and teams on GitHub.
    pub groups: BTreeMap<String, Vec<Member>>,
    /// `[[people]]`: chat accounts that are one human's each.
    pub people: Vec<Vec<ChatAccount>>,
    /// `[channels] default`: where requests stand that can't stand where they were typed.
    pub default_channel: Option<Channel>,
    /// `[channels]`: where a group is told when too many of its people would need a message of their own.
    pub channels: BTreeMap<String, Channel>,
    /// `[commands.NAME] channel`: where the requests of a command stand, before what its file says.
    pub command_channels: BTreeMap<String, Channel>,
    /// `[limits]`
    pub limits: Limits,
    /// `[retention]`
    pub retention: Retention,
}

/// A team that may own things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// What people read.
    pub title: String,
    /// The team on GitHub that gets its rights there, by the last part of its address: of the same name unless said.
    pub github: String,
    /// Who belongs to it.
    pub members: Vec<Member>,
    /// Who decides for it: `leads:NAME` in approval rules.
    pub leads: Vec<Member>,
}

/// Someone, or a group of people (a team on GitHub among them). `Display` is how the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Everybody in a group, by its handle or its name under `[groups]`.
    Group(String),
    /// One account by its id on the platform.
    Account(String),
}

/// A channel as the configuration names it. `Display` is how the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// By name, without its `#`.
    Name(String),
    /// By the platform's id.
    Id(String),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(handle) => write!(f, "group:{handle}"),
            Self::Account(id) => f.write_str(id),
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "#{name}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many unfinished requests one person may have.
    pub open_requests_per_person: u32,
}

/// `[retention]`: how long things are kept after they stopped mattering. Audit rows are kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Platform deliveries, which make a repeated one harmless.
    pub deliveries_days: u32,
    /// Forms that were begun and not sent.
    pub drafts_hours: u32,
    /// Messages after the end of their request.
    pub messages_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_requests_per_person: 5,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            deliveries_days: 7,
            drafts_hours: 24,
            messages_days: 30,
        }
    }
}

impl File {
    /// Checks the names and ids of the organisation, each problem with its place.
    pub(super) fn organisation(&mut self) -> Result<Organisation, Problem> {
        let source = std::mem::take(&mut self.source);
        let teams = std::mem::take(&mut self.teams);
        let groups = std::mem::take(&mut self.groups);
        let people = std::mem::take(&mut self.people);
        let mut channels = std::mem::take(&mut self.channels);
        let default = channels.remove("default");
        let commands = std::mem::take(&mut self.commands);
        let name = self.organisation.take();
        Ok(Organisation {
            name: name.map(|name| owner(name, &source)).transpose()?,
            paused: self
                .paused
                .take()
                .filter(|reason| !reason.trim().is_empty()),
            teams: teams
                .into_iter()
                .map(|(name, table)| team(name, table, &source))
                .collect::<Result<_, _>>()?,
            groups: groups
                .into_iter()
                .map(|(name, ids)| group(name, ids, &source))
                .collect::<Result<_, _>>()?,
            people: people::people(people, &source)?,
            default_channel: default.map(|name| channel(&name, &source)).transpose()?,
            channels: channels
                .into_iter()
                .map(|(group, name)| Ok((group, channel(&name, &source)?)))
                .collect::<Result<_, Problem>>()?,
            command_channels: commands
                .into_iter()
                .map(|(command, table)| Ok((command, channel(&table.channel, &source)?)))
                .collect::<Result<_, Problem>>()?,
            limits: self.limits.clone(),
            retention: self.retention.clone(),
        })
    }
}

fn team(
    name: String,
    table: Spanned<TeamTable>,
    source: &Source,
) -> Result<(String, Team), Problem> {
    check_name("team", &name, table.span(), source)?;
    let TeamTable {
        title,
        github,
        members,
        leads,
    } = table.into_inner();
    let read = |list: Vec<Spanned<String>>| {
        list.iter()
            .map(|word| member(word, source))
            .collect::<Result<Vec<_>, _>>()
    };
    let title = title.unwrap_or_else(|| name.clone());
    let github = github.map(|slug| team_there(&slug, source)).transpose()?;
    let github = github.unwrap_or_else(|| name.clone());
    Ok((
        name,
        Team {
            title,
            github,
            members: read(members)?,
            leads: read(leads)?,
        },
    ))
}

/// The last part of a team's address on GitHub.
fn team_there(slug: &Spanned<String>, source: &Source) -> Result<String, Problem> {
    let text = slug.get_ref();
    match GitHubTeam::parse(&format!("github:any/{text}")) {
        Some(team) => Ok(team.slug),
        None => Err(Problem::misuse(format!("`{text}` names no team on GitHub"))
            .at(source.place(slug.span()))
            .hint("write the last part of its address: `payments` of `github.com/orgs/acme/teams/payments`")),
    }
}

fn group(
    name: String,
    ids: Spanned<Vec<Spanned<String>>>,
    source: &Source,
) -> Result<(String, Vec<Member>), Problem> {
    check_name("group", &name, ids.span(), source)?;
    if ids.get_ref().is_empty() {
        return Err(Problem::misuse(format!("group `{name}` has nobody in it"))
            .at(source.place(ids.span()))
            .hint("a rule that asks it could never be met: name somebody, or remove the group"));
    }
    let ids = ids
        .into_inner()
        .into_iter()
        .map(|word| match member(&word, source)? {
            Member::Group(handle) if !GitHubTeam::is_meant(&handle) => {
                Err(Problem::misuse("a group lists people, not other groups")
                    .at(source.place(word.span()))
                    .hint("name the people's ids, or a team on GitHub"))
            }
            member => Ok(member),
        });
    Ok((name, ids.collect::<Result<_, _>>()?))
}

/// Team and group names stand in rules and in addresses.
fn check_name(kind: &str, name: &str, span: Range<usize>, source: &Source) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return Ok(());
    }
    Err(
        Problem::misuse(format!("`{name}` can't be the name of a {kind}"))
            .at(source.place(span))
            .hint("use lower-case letters, digits and dashes"),
    )
}

/// An owner of repositories as forges name them, GitHub among them: letters, digits and inner dashes, at most 39.
fn owner(name: Spanned<String>, source: &Source) -> Result<String, Problem> {
    let place = source.place(name.span());
    let name = name.into_inner();
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let edges = !name.starts_with('-') && !name.ends_with('-');
    if (1..=39).contains(&name.len()) && edges && name.chars().all(inner) {
        return Ok(name);
    }
    Err(Problem::misuse(format!("`{name}` can't own repositories"))
        .at(place)
        .hint("use up to 39 letters, digits and inner dashes, as the forge names the organisation"))
}

fn member(word: &Spanned<String>, source: &Source) -> Result<Member, Problem> {
    let text = word.get_ref();
    match text.strip_prefix("group:") {
        Some(handle) if GitHubTeam::is_meant(handle) => {
            let team = GitHubTeam::parse(handle).ok_or_else(|| {
                Problem::misuse(format!("`{text}` names no team on GitHub"))
                    .at(source.place(word.span()))
                    .hint("write `group:github:ORGANISATION/TEAM`, as in the team's address")
            })?;
            return Ok(Member::Group(team.handle()));
        }
        Some(handle) if !handle.is_empty() => return Ok(Member::Group(handle.to_owned())),
        None if is_id(text) => return Ok(Member::Account(text.clone())),
        _ => {}
    }
    Err(Problem::misuse(format!("`{text}` names nobody"))
        .at(source.place(word.span()))
        .hint("write `group:NAME`, or a user's id: in Slack, Profile, ⋮, Copy member ID; in Discord, with developer mode on, Copy User ID"))
}

fn channel(word: &Spanned<String>, source: &Source) -> Result<Channel, Problem> {
    let text = word.get_ref();
    match text.strip_prefix('#') {
        Some(name) if !name.is_empty() => return Ok(Channel::Name(name.to_owned())),
        None if is_id(text) => return Ok(Channel::Id(text.clone())),
        _ => {}
    }
    Err(Problem::misuse(format!("`{text}` is no channel"))
        .at(source.place(word.span()))
        .hint("write a name with its `#`, or the channel's id"))
}

/// Ids are `U024BE7LH` or `C024BE91L` on Slack and long numbers on Discord. Names, which have lower-case letters, are
/// refused: they change, and other people can take them.
pub(super) fn is_id(text: &str) -> bool {
    text.len() >= 2
        && text.contains(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
