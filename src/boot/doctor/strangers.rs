//! Ids under `[groups]` and `[teams]` with which nobody can decide: mistyped, a role's, a bot's, of somebody who left. Each
//! is told, and none counts.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::people::{GROUPS, TEAMS};
use crate::boot::config::{Member, Organisation};

/// Such ids, each with why, as a clause.
pub(super) type Strangers = BTreeMap<String, String>;

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
    let why = format!("{platform} isn't configured");
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
            if let Some(why) = strangers.get(id) {
                let says = format!("`{name}` names {id}: {why}");
                checks.push(Check::warn(topic, says).fix(FIX));
            }
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
}
