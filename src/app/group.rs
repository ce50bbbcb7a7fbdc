//! Who is in which group or team, as of now: user groups of the platforms, teams on GitHub, lists and teams of the
//! configuration.
//!
//! Rules name sources, ballots know handles: a handle is what [`facts`] finds people by. A team's leads have one of their
//! own, with blanks in it, so that no user group of a platform can ever take it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{App, PLATFORM_GROUP, Team};
use crate::catalog::rule::Source;
use crate::domain::form::Choice;
use crate::domain::id::{InstallationId, PersonId};
use crate::domain::person::{FACTS_GOOD_FOR, GroupFacts, GroupName, PersonName};
use crate::domain::rule::DecidingRule;
use crate::domain::team::GitHubTeam;
use crate::store::group::Held;
use crate::store::request::Request;
use crate::store::tie::Known;
use crate::store::{self, Conn};

const LEADS_OF: &str = "leads of ";
const GROUP: &str = "group:";

/// The handle that stands for a rule's source: the group's own, also for a team that is led by exactly one group.
pub(super) fn handle(app: &App, source: &Source) -> String {
    match source {
        Source::Group(handle) => handle.clone(),
        Source::Leads(team) => {
            let settings = app.settings.current();
            let leads = settings.teams.get(team).map(|t| t.leads.as_slice());
            match leads {
                Some([only]) if only.starts_with(GROUP) => only[GROUP.len()..].to_owned(),
                _ => format!("{LEADS_OF}{team}"),
            }
        }
    }
}

/// What is known of the groups behind handles; those that nobody knows are left out.
pub(super) async fn all_facts(
    app: &App,
    conn: &mut Conn,
    handles: &[&str],
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<Vec<GroupFacts>> {
    let mut found = Vec::new();
    for handle in handles {
        found.extend(facts(app, conn, handle, reader, now).await?);
    }
    Ok(found)
}

/// What is known of the groups that a kept rule names, under the names that it has for them. A group of the platform is
/// found by its id there, which outlives all its handles.
pub(super) async fn of_rule(
    app: &App,
    conn: &mut Conn,
    rule: &DecidingRule,
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<Vec<GroupFacts>> {
    let mut found = Vec::new();
    for quorum in &rule.require {
        let name = &quorum.from;
        let renamed = match &name.external {
            Some(external) => store::group::handle_of(conn, reader, external).await?,
            None => None,
        };
        let handle = renamed.as_deref().unwrap_or(&name.handle);
        let Some(mut facts) = facts(app, conn, handle, reader, now).await? else {
            continue;
        };
        facts.name.handle.clone_from(&name.handle);
        found.push(facts);
    }
    Ok(found)
}

/// Of groups those people whose word on a request can count: those whom people know where it was asked for, and nobody who
/// was known to be one human with the requester. The requester stays: a rule knows that they don't count.
pub(super) async fn who_can(
    conn: &mut Conn,
    request: &Request,
    mut groups: Vec<GroupFacts>,
) -> store::Result<Vec<GroupFacts>> {
    let people: Vec<PersonId> = everybody(&groups).collect();
    let known = store::tie::known(conn, request.id, &people).await?;
    for group in &mut groups {
        let counts = |k: &Known| k.person == request.requester || (k.there && !k.own);
        let can = |p: PersonId| known.iter().any(|k| k.person == p && counts(k));
        group.members.retain(|member| can(member.person));
    }
    Ok(groups)
}

fn everybody(groups: &[GroupFacts]) -> impl Iterator<Item = PersonId> {
    groups.iter().flat_map(|g| &g.members).map(|m| m.person)
}

/// What is known of the group behind a handle; `None`: there is none.
pub(super) async fn facts(
    app: &App,
    conn: &mut Conn,
    handle: &str,
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<Option<GroupFacts>> {
    let Some(team) = handle.strip_prefix(LEADS_OF) else {
        return group(app, conn, handle, reader, now).await;
    };
    let settings = app.settings.current();
    let Some(team) = settings.teams.get(team) else {
        return Ok(None);
    };
    let mut leads = listed(conn, handle, accounts(&team.leads), reader, now).await?;
    for source in groups(&team.leads) {
        if let Some(more) = group(app, conn, source, reader, now).await? {
            leads.join(more);
        }
    }
    Ok(Some(leads))
}

async fn group(
    app: &App,
    conn: &mut Conn,
    handle: &str,
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<Option<GroupFacts>> {
    let settings = app.settings.current();
    let Some(list) = settings.groups.get(handle) else {
        return synced(app, conn, handle, reader, now).await;
    };
    let mut all = listed(conn, handle, accounts(list), reader, now).await?;
    for team in groups(list) {
        if let Some(more) = synced(app, conn, team, reader, now).await? {
            all.join(more);
        }
    }
    Ok(Some(all))
}

/// A group as a platform tells it; `None`: there is none.
async fn synced(
    app: &App,
    conn: &mut Conn,
    handle: &str,
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<Option<GroupFacts>> {
    if let Some(facts) = store::group::facts(conn, handle, reader).await? {
        return Ok(Some(facts));
    }
    // Before the first reading of the groups, or long after the last one, nobody can say that there is no such group.
    let read = match GitHubTeam::parse(handle) {
        Some(team) if app.settings.current().reads(&team) => {
            let absent = store::group::absent_since(conn, handle).await?;
            Some(absent.unwrap_or(DateTime::UNIX_EPOCH))
        }
        Some(_) => None,
        None => store::installation::oldest_chat_sync(conn).await?,
    };
    let stale = read.filter(|synced_at| now - *synced_at > FACTS_GOOD_FOR);
    Ok(stale.map(|synced_at| GroupFacts {
        name: GroupName {
            handle: handle.to_owned(),
            external: None,
        },
        members: Vec::new(),
        unlinked: 0,
        whole: true,
        synced_at,
        told: BTreeMap::new(),
    }))
}

/// A list of the configuration: as of now, whoever of it is known.
async fn listed(
    conn: &mut Conn,
    handle: &str,
    externals: Vec<String>,
    reader: InstallationId,
    now: DateTime<Utc>,
) -> store::Result<GroupFacts> {
    let mut members: Vec<PersonName> = Vec::new();
    for account in store::account::named(conn, &externals).await? {
        let here = account.installation == reader;
        let name = PersonName {
            person: account.person,
            name: account.name,
            external: here.then_some(account.external),
        };
        match members.iter_mut().find(|m| m.person == name.person) {
            Some(known) if here => *known = name,
            Some(_) => {}
            None => members.push(name),
        }
    }
    Ok(GroupFacts {
        name: GroupName {
            handle: handle.to_owned(),
            external: None,
        },
        members,
        unlinked: 0,
        whole: true,
        synced_at: now,
        told: BTreeMap::new(),
    })
}

/// What somebody belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Belongs {
    /// Handles of groups, by facts that may decide something.
    pub groups: Vec<String>,
    /// Groups that they were in when last read, too long ago to decide anything.
    pub stale: Vec<String>,
    /// Names of teams, as member or lead.
    pub teams: Vec<String>,
}

impl Belongs {
    /// Whether they are of the platform team.
    pub(super) fn platform(&self) -> bool {
        self.groups.iter().any(|g| g == PLATFORM_GROUP)
    }
}

/// What a person belongs to, through any of their accounts.
pub(super) async fn of_person(
    app: &App,
    conn: &mut Conn,
    person: PersonId,
    now: DateTime<Utc>,
) -> store::Result<Belongs> {
    let held = store::group::of_person(conn, person).await?;
    Ok(belongs(app, held, now))
}

/// What somebody belongs to with these accounts, who is in these groups.
pub(super) fn belongs(
    app: &App,
    (own, held): (Vec<String>, Vec<Held>),
    now: DateTime<Utc>,
) -> Belongs {
    let is_named = |ids: &[String]| own.iter().any(|external| ids.contains(external));
    let settings = app.settings.current();
    let mut belongs = Belongs::default();
    for held in held {
        // A list of the configuration with the same name stands before the platform's group.
        if settings.groups.contains_key(&held.handle) {
            continue;
        }
        if now - held.synced_at <= FACTS_GOOD_FOR {
            belongs.groups.push(held.handle);
        } else {
            belongs.stale.push(held.handle);
        }
    }
    for (handle, list) in &settings.groups {
        let among = |held: &[String]| groups(list).any(|team| held.iter().any(|h| h == team));
        if is_named(list) || among(&belongs.groups) {
            belongs.groups.push(handle.clone());
        } else if among(&belongs.stale) {
            belongs.stale.push(handle.clone());
        }
    }
    for (name, team) in &settings.teams {
        let by_group = sources(team).filter_map(|s| s.strip_prefix(GROUP));
        let in_group = by_group
            .into_iter()
            .any(|g| belongs.groups.iter().any(|b| b == g));
        if in_group || is_named(&team.members) || is_named(&team.leads) {
            belongs.teams.push(name.clone());
        }
    }
    belongs
}

/// Teams as a form offers them.
pub(super) fn choices<'a>(app: &App, names: impl IntoIterator<Item = &'a String>) -> Vec<Choice> {
    let settings = app.settings.current();
    let choice = |name: &String| {
        let title = settings.teams.get(name).map(|t| t.title.as_str());
        Choice {
            value: name.clone(),
            label: title.filter(|t| !t.is_empty()).unwrap_or(name).to_owned(),
            description: None,
        }
    };
    names.into_iter().map(choice).collect()
}

fn sources(team: &Team) -> impl Iterator<Item = &String> {
    team.members.iter().chain(&team.leads)
}

/// The groups among sources.
pub(super) fn groups(sources: &[String]) -> impl Iterator<Item = &str> {
    sources.iter().filter_map(|s| s.strip_prefix(GROUP))
}

/// The accounts among sources, which also stand for themselves in `[groups]`.
pub(super) fn accounts(sources: &[String]) -> Vec<String> {
    let account = |s: &&String| !s.starts_with(GROUP);
    sources.iter().filter(account).cloned().collect()
}
