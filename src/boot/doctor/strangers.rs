//! Ids under `[groups]` and `[teams]` with which nobody can decide: mistyped, a role's, a bot's, of somebody who left. Each
//! is told, and none counts.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::people::{GROUPS, TEAMS};
use crate::boot::config::{Member, Organisation};

/// Such ids, each with why.
pub(super) type Strangers = BTreeMap<String, Stranger>;

/// Why an id is nobody's with which anybody could decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stranger {
    /// As a clause.
    Nobody(String),
    /// It is a role's.
    Role {
        /// Its name.
        name: String,
        /// The handle that it has as a group.
        handle: String,
    },
}

impl Stranger {
    /// Tells where one stands: under a topic, in the list of a group or a team.
    fn check(&self, topic: &'static str, (list, id): (&str, &str)) -> Check {
        let warn = |why: &str| Check::warn(topic, format!("`{list}` names {id}: {why}"));
        match self {
            Self::Nobody(why) => warn(why).fix(FIX),
            Self::Role { name, handle } => {
                let check = warn(&format!("it is the role {name}"));
                instead_of(handle, check, list)
            }
        }
    }
}

/// What to write instead of the id of a role: a list under `[groups]` stands in the place of the role of its name, and names
/// people.
fn instead_of(role: &str, check: Check, list: &str) -> Check {
    if check.topic != GROUPS {
        return check.fix(format!("write `group:{role}`"));
    }
    if list == role {
        let check = check.fix("take the list out: the role counts by itself");
        return check.fix("or list its people");
    }
    check.fix("list its people").fix(format!(
        "or write `group:{role}` in rules and teams instead: the role counts by itself"
    ))
}

const FIX: &str = "write a user's id (in Slack: Profile, ⋮, Copy member ID; in Discord, with developer mode on: Copy User ID), or take it out";

/// The ids that the configuration names as accounts, of those that can be a platform's.
pub(super) fn named(
    organisation: &Organisation,
    can_be: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let teams = organisation.teams.values();
    let of_teams = teams.flat_map(|team| team.members.iter().chain(&team.leads));
    let all = of_teams.chain(organisation.groups.values().flatten());
    let ids = accounts(all).into_iter().filter(|id| can_be(id));
    ids.map(str::to_owned).collect()
}

/// All of these, where their platform isn't configured.
pub(super) fn of_none(ids: BTreeSet<String>, platform: &str) -> Strangers {
    let why = Stranger::Nobody(format!("{platform} isn't configured"));
    ids.into_iter().map(|id| (id, why.clone())).collect()
}

/// Tells each of them, with where it stands.
pub(super) fn checks(organisation: &Organisation, strangers: &Strangers) -> Vec<Check> {
    let groups = organisation.groups.iter();
    let groups = groups.map(|(name, list)| (GROUPS, name, accounts(list)));
    let teams = organisation.teams.iter();
    let teams = teams.map(|(name, team)| {
        let all = team.members.iter().chain(&team.leads);
        (TEAMS, name, accounts(all))
    });
    let mut checks = Vec::new();
    for (topic, name, ids) in groups.chain(teams) {
        for id in ids {
            let stranger = strangers.get(id);
            checks.extend(stranger.map(|stranger| stranger.check(topic, (name, id))));
        }
    }
    checks
}

/// The organisation without them.
pub(super) fn without(organisation: &Organisation, strangers: &Strangers) -> Organisation {
    let mut organisation = organisation.clone();
    let counts = |member: &Member| match member {
        Member::Account(id) => !strangers.contains_key(id),
        Member::Group(_) => true,
    };
    for list in organisation.groups.values_mut() {
        list.retain(counts);
    }
    for team in organisation.teams.values_mut() {
        team.members.retain(counts);
        team.leads.retain(counts);
    }
    organisation
}

/// The accounts of a list, each once.
fn accounts<'a>(list: impl IntoIterator<Item = &'a Member>) -> BTreeSet<&'a str> {
    let ids = list.into_iter().filter_map(|member| match member {
        Member::Account(id) => Some(id.as_str()),
        Member::Group(_) => None,
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::config::Team;

    #[test]
    fn whoever_is_nobody_is_told_where_they_stand_and_does_not_count() {
        let account = |id: &str| Member::Account(id.to_owned());
        let team = Team {
            title: String::new(),
            github: String::new(),
            members: vec![account("1"), account("2")],
            leads: vec![account("2"), Member::Group("leads".to_owned())],
        };
        let organisation = Organisation {
            groups: [("security".to_owned(), vec![account("2"), account("U3")])].into(),
            teams: [("payments".to_owned(), team)].into(),
            ..Organisation::default()
        };
        let ids = named(&organisation, |id| !id.starts_with('U'));
        assert_eq!(Vec::from_iter(ids), ["1", "2"]);
        let strangers = of_none(["2".to_owned()].into(), "Discord");
        let says: Vec<String> = checks(&organisation, &strangers)
            .into_iter()
            .map(|check| format!("{} {}", check.topic, check.says))
            .collect();
        assert_eq!(
            says,
            [
                "groups `security` names 2: Discord isn't configured",
                "teams `payments` names 2: Discord isn't configured"
            ]
        );
        let counts = without(&organisation, &strangers);
        assert_eq!(counts.groups["security"], [account("U3")]);
        assert_eq!(counts.teams["payments"].members, [account("1")]);
        assert_eq!(counts.teams["payments"].leads.len(), 1);
    }

    #[test]
    fn what_to_write_for_a_role_depends_on_where_it_stands() {
        let role = Stranger::Role {
            name: "Payments Leads".to_owned(),
            handle: "payments-leads".to_owned(),
        };
        let fix = |topic, list| role.check(topic, (list, "7")).fix.concat();
        assert_eq!(fix(TEAMS, "payments"), "write `group:payments-leads`");
        let own = fix(GROUPS, "payments-leads");
        assert!(own.starts_with("take the list out"), "{own}");
        let other = fix(GROUPS, "platform");
        assert!(other.starts_with("list its people"), "{other}");
    }
}
