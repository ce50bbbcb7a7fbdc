//! Who can decide: every group that a rule names, every team's leads. The same for every platform: it brings its user
//! groups, and who stands in the configuration's own lists is known.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::strangers::{self, Strangers};
use crate::boot::config::{Config, Member, Organisation, Team};
use crate::catalog::Catalog;
use crate::catalog::problem::nearest;
use crate::domain::team::{self, GitHubTeam};

pub(super) const GROUPS: &str = "groups";
pub(super) const TEAMS: &str = "teams";

/// Members by handle.
pub(super) type Groups = BTreeMap<String, Vec<String>>;

/// Handles of groups whose members a platform doesn't show.
pub(super) type Unlisted = BTreeSet<String>;

/// What GitHub tells of the teams that are named as groups.
#[derive(Debug, Default)]
pub(super) struct Teams {
    /// Logins by handle (`github:acme/payments`), of those that are there; `None`: they couldn't be read.
    pub(super) found: Option<Groups>,
    /// The handles of all teams, where one that is named isn't there.
    pub(super) all: Vec<String>,
    /// Why they couldn't be read.
    pub(super) trouble: Option<String>,
}

/// What a platform knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Its groups, of which it tells the members.
    pub(super) groups: Groups,
    /// Groups that are there, and no more is judged.
    pub(super) unlisted: Unlisted,
    /// Ids of its kind that are named as accounts and nobody's.
    pub(super) strangers: Strangers,
}

/// What a platform told of its groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// All of them; none where the platform isn't configured.
    Groups(Known),
    /// They couldn't be read: what isn't among the others may still be there.
    Unread,
    /// It couldn't be asked anything, which is the one thing to mend first: nothing more is judged.
    Nothing,
}

impl Told {
    /// What two platforms told together: groups of one handle are one, as they are to rules.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Unread, _) | (_, Self::Unread) => Self::Unread,
            (Self::Groups(mut all), Self::Groups(more)) => {
                for (handle, members) in more.groups {
                    all.groups.entry(handle).or_default().extend(members);
                }
                all.unlisted.extend(more.unlisted);
                all.strangers.extend(more.strangers);
                Self::Groups(all)
            }
        }
    }
}

/// The chat platforms that are configured: what is to be done about a group is another thing on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chats {
    slack: bool,
    discord: bool,
}

impl Chats {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            slack: config.slack.is_some(),
            discord: config.discord.is_some(),
        }
    }

    /// The words for the one that there is, else those for either.
    fn say(self, slack: &'static str, discord: &'static str, either: &'static str) -> &'static str {
        match (self.slack, self.discord) {
            (true, false) => slack,
            (false, true) => discord,
            (true, true) | (false, false) => either,
        }
    }

    /// What the platforms' own groups are.
    fn groups(self) -> &'static str {
        self.say("user groups", "roles", "user groups or roles")
    }

    /// The group of a handle that isn't there, as it would be made.
    fn missing(self) -> &'static str {
        self.say(
            "a user group with this handle",
            "a role of this name (lower case and dashes stand for capitals and blanks)",
            "a user group with this handle on Slack, or a role of this name on Discord",
        )
    }

    /// How the file would list a group's people.
    fn list(self, handle: &str) -> String {
        let people = self.say(
            "\"U…\", \"U…\"",
            "\"8450…\", \"6134…\"",
            "\"U…\", \"8450…\"",
        );
        format!("list its people under `[groups]`: `{handle} = [{people}]`")
    }
}

/// The handles of all groups that definitions and the configuration name.
pub(super) fn handles(organisation: &Organisation, catalog: &Catalog) -> Vec<String> {
    Asked::of(organisation, catalog)
        .groups
        .into_keys()
        .collect()
}

/// The handles of the groups that a call for approval mentions as such: those of rules, and those that lead a team by
/// themselves. Of lists of the configuration and of teams on GitHub it mentions the people.
pub(super) fn called(organisation: &Organisation, catalog: &Catalog) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let rules = catalog.commands().flat_map(|command| &command.rules);
    for require in rules.flat_map(|rule| &rule.require) {
        match require.from.split_once(':') {
            Some(("group", handle)) => {
                called.insert(handle.to_owned());
            }
            Some(("leads", name)) => {
                let teams = organisation.teams.iter();
                // Which team an expression names, nobody knows before it is asked for.
                let teams = teams.filter(|(own, _)| name.contains("${{") || *own == name);
                called.extend(teams.filter_map(|(_, team)| match team.leads.as_slice() {
                    [Member::Group(handle)] => Some(handle.clone()),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    called.retain(|handle| {
        !GitHubTeam::is_meant(handle) && !organisation.groups.contains_key(handle)
    });
    called
}

/// Judges all groups that definitions and teams name: where the platforms' own couldn't be read, which is told elsewhere,
/// only what the configuration lists can be judged.
pub(super) fn checks(
    organisation: &Organisation,
    catalog: &Catalog,
    (told, teams): (Told, &Teams),
    chats: Chats,
) -> Vec<Check> {
    let (read, told) = match told {
        Told::Groups(known) => (true, known),
        Told::Unread => (false, Known::default()),
        Told::Nothing => return Vec::new(),
    };
    let strange = strangers::checks(organisation, &told.strangers);
    let organisation = &strangers::without(organisation, &told.strangers);
    let (mut known, mut named) = (told.groups, told.unlisted);
    named.retain(|handle| !organisation.groups.contains_key(handle)); // lists stand before roles of their names
    known.extend(teams.found.clone().unwrap_or_default());
    let listed = organisation.groups.iter();
    let listed: Groups = listed
        .map(|(name, list)| (name.clone(), people_of(list, &known)))
        .collect();
    known.extend(listed);
    let asked = Asked::of(organisation, catalog);
    let mut checks = Vec::new();
    for (handle, count) in &asked.groups {
        match known.get(handle) {
            _ if named.contains(handle) => {}
            Some(members) => checks.extend(group(handle, members, *count)),
            None if GitHubTeam::is_meant(handle) => checks.push(no_team(handle, teams)),
            None if read => checks.push(missing(handle, &known, chats)),
            None => checks.push(unread(handle, chats)),
        }
    }
    if checks.is_empty() && !asked.groups.is_empty() {
        let found: Vec<String> = asked
            .groups
            .keys()
            .map(|handle| {
                let members = known.get(handle).filter(|_| !named.contains(handle));
                let count = members.map_or_else(|| "?".to_owned(), |all| all.len().to_string());
                format!("{} ({count})", team::shown(handle))
            })
            .collect();
        checks.push(Check::ok(GROUPS, found.join(", ")));
    }
    let teams: Vec<Check> = organisation
        .teams
        .iter()
        .filter(|(_, own)| !leads_are(own, &named))
        .filter_map(|(name, own)| team(name, own, &known, asked.leads))
        .collect();
    match (teams.is_empty(), organisation.teams.len()) {
        (false, _) => checks.extend(teams),
        (true, 0) => checks.push(
            Check::warn(TEAMS, "there is none: nobody can own a service")
                .fix("write `[teams.NAME]` into `idp.toml`, with members and leads"),
        ),
        (true, _) => {
            let names: Vec<&str> = organisation.teams.keys().map(String::as_str).collect();
            checks.push(Check::ok(
                TEAMS,
                format!("{}, each with its leads", names.join(", ")),
            ));
        }
    }
    strange.into_iter().chain(checks).collect()
}

/// What is asked of whom.
struct Asked {
    /// Handles, and how many of the group a rule wants at most; 0: it only belongs or asks.
    groups: BTreeMap<String, u32>,
    /// How many leads a rule wants at most.
    leads: u32,
}

impl Asked {
    fn of(organisation: &Organisation, catalog: &Catalog) -> Self {
        let mut asked = Self {
            groups: BTreeMap::new(),
            leads: 0,
        };
        for command in catalog.commands() {
            for handle in &command.allow {
                asked.groups.entry(handle.clone()).or_default();
            }
            for require in command.rules.iter().flat_map(|rule| &rule.require) {
                match require.from.split_once(':') {
                    Some(("leads", handle)) if GitHubTeam::is_meant(handle) => {
                        let count = asked.groups.entry(team::kept(handle)).or_default();
                        *count = require.count.max(*count);
                    }
                    Some(("leads", _)) => asked.leads = asked.leads.max(require.count),
                    // Which group an expression names, nobody knows before it is asked for.
                    Some(("group", handle)) if !handle.contains("${{") => {
                        let count = asked.groups.entry(team::kept(handle)).or_default();
                        *count = require.count.max(*count);
                    }
                    _ => {}
                }
            }
        }
        let teams = organisation.teams.values();
        let of_teams = teams.flat_map(|team| team.members.iter().chain(&team.leads));
        for member in of_teams.chain(organisation.groups.values().flatten()) {
            if let Member::Group(handle) = member {
                asked.groups.entry(handle.clone()).or_default();
            }
        }
        asked
    }
}

/// The people behind what a list names, as far as their groups are known.
fn people_of(list: &[Member], known: &Groups) -> Vec<String> {
    let people = list.iter().flat_map(|member| match member {
        Member::Account(id) => vec![id.clone()],
        Member::Group(handle) => known.get(handle).cloned().unwrap_or_default(),
    });
    people.collect()
}

/// A team on GitHub that isn't there, or that nobody could look for.
fn no_team(handle: &str, teams: &Teams) -> Check {
    let name = team::shown(handle);
    match (&teams.found, &teams.trouble) {
        (None, None) => Check::fail(
            GROUPS,
            format!("nobody can read who is in {name}: GitHub isn't configured"),
        )
        .fix("docs/github.md leads there"),
        (None, Some(why)) => {
            Check::fail(GROUPS, format!("nobody can read who is in {name}: {why}"))
        }
        (Some(_), _) => {
            let check = Check::fail(GROUPS, format!("there is no team {name} on GitHub"));
            let all = teams.all.iter().map(String::as_str);
            let check = match nearest(handle, all) {
                Some(word) => check.fix(format!("did you mean `{word}`?")),
                None => check,
            };
            check.fix("name the team as in its address, and let idp's App see it (`members: read`)")
        }
    }
}

/// Nobody's own vote counts, so a group needs one more than a rule wants of it.
fn group(handle: &str, members: &[String], count: u32) -> Option<Check> {
    let count = count as usize;
    let fix = || format!("add people to `{handle}`");
    if members.is_empty() {
        return Some(Check::fail(GROUPS, format!("`{handle}` has nobody in it")).fix(fix()));
    }
    if members.len() < count {
        let says = format!(
            "a rule wants {count} of `{handle}`, and {} are in it",
            members.len()
        );
        return Some(Check::fail(GROUPS, says).fix(fix()));
    }
    if members.len() == count {
        let says = format!(
            "a rule wants {count} of `{handle}` and no more are in it: nobody is left to decide on what they ask for"
        );
        return Some(Check::warn(GROUPS, says).fix(fix()));
    }
    None
}

fn missing(handle: &str, known: &Groups, chats: Chats) -> Check {
    let check = Check::fail(GROUPS, format!("there is no group `{handle}`"));
    let check = match nearest(handle, known.keys().map(String::as_str)) {
        Some(word) => check.fix(format!("did you mean `{word}`?")),
        None => check,
    };
    check.fix(format!(
        "make {}, or {}",
        chats.missing(),
        chats.list(handle)
    ))
}

fn unread(handle: &str, chats: Chats) -> Check {
    let says = format!(
        "`{handle}` is not under `[groups]`, and no {} could be read",
        chats.groups()
    );
    Check::fail(GROUPS, says).fix(chats.list(handle))
}

/// Whether a team is led by a group whose members nobody tells.
fn leads_are(team: &Team, named: &Unlisted) -> bool {
    let mut leads = team.leads.iter();
    leads.any(|lead| matches!(lead, Member::Group(handle) if named.contains(handle)))
}

fn team(name: &str, team: &Team, known: &Groups, count: u32) -> Option<Check> {
    let leads: BTreeSet<String> = people_of(&team.leads, known).into_iter().collect();
    let fix = format!("name leads under `[teams.{name}]`: ids, or `group:NAME`");
    match (leads.len(), count as usize) {
        (0, _) => Some(
            Check::fail(TEAMS, format!("`{name}` has no lead: nobody can decide for it")).fix(fix),
        ),
        (found, wanted) if found < wanted => Some(
            Check::fail(TEAMS, format!("a rule wants {wanted} leads, and `{name}` has {found}")).fix(fix),
        ),
        (found, wanted) if found == wanted => Some(
            Check::warn(
                TEAMS,
                format!("`{name}` has {found} and a rule wants as many leads: nobody is left to decide on what they ask for"),
            )
            .fix(fix),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::doctor::State;

    const SLACK: Chats = Chats {
        slack: true,
        discord: false,
    };

    fn people(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[test]
    fn groups_of_one_handle_are_one_over_both_platforms() {
        let groups = |ids: &[&str]| {
            Told::Groups(Known {
                groups: [("g".to_owned(), people(ids))].into(),
                ..Known::default()
            })
        };
        assert_eq!(groups(&["U1"]).and(groups(&["2"])), groups(&["U1", "2"]));
        assert_eq!(groups(&["U1"]).and(Told::Unread), Told::Unread);
        assert_eq!(Told::Nothing.and(Told::Unread), Told::Nothing);
    }

    #[test]
    fn a_group_needs_one_more_than_a_rule_wants() {
        let state = |members: &[&str], count| group("g", &people(members), count).map(|c| c.state);
        assert_eq!(state(&[], 0), Some(State::Fail));
        assert_eq!(state(&["U1"], 0), None);
        assert_eq!(state(&["U1"], 1), Some(State::Warn));
        assert_eq!(state(&["U1"], 2), Some(State::Fail));
        assert_eq!(state(&["U1", "U2"], 1), None);
    }

    #[test]
    fn leads_are_counted_through_groups_and_once() {
        let known = Groups::from([("leads".to_owned(), people(&["U1", "U2"]))]);
        let state = |leads: Vec<Member>| {
            let own = Team {
                title: String::new(),
                github: String::new(),
                members: Vec::new(),
                leads,
            };
            team("payments", &own, &known, 1).map(|c| c.state)
        };
        let (one, group) = (Member::Account("U1".into()), Member::Group("leads".into()));
        assert_eq!(state(vec![]), Some(State::Fail));
        assert_eq!(state(vec![one.clone()]), Some(State::Warn));
        assert_eq!(state(vec![one.clone(), one.clone()]), Some(State::Warn));
        assert_eq!(state(vec![one, group]), None);
    }

    #[test]
    fn the_nearest_group_is_named() {
        let known = Groups::from([("security".to_owned(), people(&["U1"]))]);
        let check = missing("securty", &known, SLACK);
        assert_eq!(check.fix[0], "did you mean `security`?");
    }

    #[test]
    fn what_to_do_about_a_group_is_said_in_the_words_of_what_is_configured() {
        let said = |chats| {
            let fix = missing("leads", &Groups::default(), chats).fix.concat();
            (fix, unread("leads", chats).says)
        };
        let (fix, unread) = said(SLACK);
        assert_eq!(
            fix,
            "make a user group with this handle, or list its people under `[groups]`: `leads = [\"U…\", \"U…\"]`"
        );
        assert!(unread.ends_with("no user groups could be read"), "{unread}");
        let (fix, unread) = said(Chats {
            slack: false,
            discord: true,
        });
        assert!(fix.starts_with("make a role of this name"), "{fix}");
        assert!(!fix.contains("handle") && !fix.contains("\"U"), "{fix}");
        assert!(unread.ends_with("no roles could be read"), "{unread}");
        let (fix, _) = said(Chats {
            discord: true,
            ..SLACK
        });
        assert!(fix.contains("on Slack, or a role"), "{fix}");
    }
}
