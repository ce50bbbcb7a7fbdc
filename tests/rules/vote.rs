//! Votes of any people in any order on any plans: a requester's never counts, a changed plan voids them, and a rule is
//! met exactly when its places can be filled by different people.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use idp::domain::id::{PersonId, PlanId};
use idp::domain::person::{FACTS_GOOD_FOR, GroupFacts, GroupName, PersonName};
use idp::domain::rule::{DecidingRule, Quorum};
use idp::domain::tie::{Source, Tie, stand_for};
use idp::domain::vote::{Ballot, Standing, Verdict, VoteRefused, tally, voters};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

const PEOPLE: u128 = 6;
const GROUPS: [&str; 3] = ["leads", "security", "platform"];

fn person(n: u128) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(n))
}

fn plan(n: u128) -> PlanId {
    PlanId::from_uuid(Uuid::from_u128(100 + n))
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// Who is in which group, and how old that knowledge is in minutes.
fn groups() -> impl Strategy<Value = Vec<GroupFacts>> {
    let members = prop::collection::btree_set(0..PEOPLE, 0..5);
    prop::collection::vec((members, 0..8_i64), GROUPS.len()).prop_map(|all| {
        let facts = |(handle, (members, age)): (&&str, (std::collections::BTreeSet<u128>, i64))| {
            GroupFacts {
                name: GroupName {
                    handle: (*handle).to_owned(),
                    external: None,
                },
                members: members
                    .into_iter()
                    .map(|n| PersonName {
                        person: person(n),
                        name: format!("P{n}"),
                        external: None,
                    })
                    .collect(),
                unlinked: 0,
                whole: true,
                synced_at: start() - TimeDelta::minutes(age),
                told: BTreeMap::new(),
            }
        };
        GROUPS.iter().zip(all).map(facts).collect()
    })
}

fn rule() -> impl Strategy<Value = DecidingRule> {
    let quorum = (select(&GROUPS[..]), 1..3_u32).prop_map(|(handle, count)| Quorum {
        from: GroupName {
            handle: handle.to_owned(),
            external: None,
        },
        count,
    });
    prop::collection::vec(quorum, 1..4).prop_map(|require| DecidingRule {
        name: "rule".to_owned(),
        require,
        expires_s: 600,
        remind_s: None,
    })
}

#[derive(Debug, Clone)]
enum Event {
    Press(u128, u128, bool),
    PlanChanges,
    Minutes(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let press = (0..PEOPLE, 0..3_u128, any::<bool>())
        .prop_map(|(who, seen, yes)| Event::Press(who, seen, yes || who % 2 == 0));
    let event = prop_oneof![8 => press, 1 => Just(Event::PlanChanges), 1 => (0..4_i64).prop_map(Event::Minutes)];
    prop::collection::vec(event, 0..30)
}

/// Whether the places can be filled by different people, tried in every way.
fn can_be_met(places: &[&str], voters: &[(PersonId, Vec<String>)]) -> bool {
    let Some((first, rest)) = places.split_first() else {
        return true;
    };
    voters.iter().enumerate().any(|(at, (_, groups))| {
        let mut others = voters.to_vec();
        others.remove(at);
        groups.iter().any(|g| g == first) && can_be_met(rest, &others)
    })
}

fn places(rule: &DecidingRule) -> Vec<&str> {
    rule.require
        .iter()
        .flat_map(|q| std::iter::repeat_n(q.from.handle.as_str(), q.count as usize))
        .collect()
}

proptest! {
    #[test]
    fn only_entitled_votes_on_the_current_plan_decide(groups in groups(), rule in rule(), events in events()) {
        let requester = person(0);
        let mut now = start();
        let mut number = 0;
        let mut ballot = Ballot {
            plan: plan(0),
            requester,
            rule,
            expires_at: start() + TimeDelta::minutes(10),
            votes: Vec::new(),
        };
        for event in events {
            match event {
                Event::Minutes(minutes) => now += TimeDelta::minutes(minutes),
                Event::PlanChanges => {
                    // The old votes stay in the books; on the new plan they are worth nothing.
                    number += 1;
                    ballot.plan = plan(number);
                    prop_assert!(ballot.votes.iter().all(|v| v.plan != ballot.plan));
                    ballot.votes.clear();
                }
                Event::Press(who, seen, yes) => {
                    let verdict = if yes { Verdict::Approve } else { Verdict::Deny };
                    let cast = ballot.cast((person(who), person(who)), plan(seen), verdict, &groups, now);
                    let Ok((vote, standing)) = cast else {
                        continue;
                    };
                    prop_assert_ne!(vote.person, requester, "a requester's vote never counts");
                    prop_assert_eq!(vote.plan, ballot.plan, "a vote on another plan never counts");
                    prop_assert!(now < ballot.expires_at, "a late vote never counts");
                    prop_assert!(ballot.votes.iter().all(|v| v.person != vote.person), "nobody votes twice");
                    prop_assert!(!vote.groups.is_empty());
                    for handle in &vote.groups {
                        let group = groups.iter().find(|g| g.name.handle == *handle).unwrap();
                        prop_assert!(group.has(vote.person) && now - group.synced_at <= FACTS_GOOD_FOR);
                    }
                    ballot.votes.push(vote);
                    let yes: Vec<_> = ballot.votes.iter().filter(|v| v.verdict == Verdict::Approve).map(|v| (v.person, v.groups.clone())).collect();
                    match standing {
                        Standing::Met => {
                            prop_assert!(can_be_met(&places(&ballot.rule), &yes));
                            break;
                        }
                        Standing::Lacking(missing) => {
                            prop_assert!(!can_be_met(&places(&ballot.rule), &yes));
                            prop_assert!(missing.iter().all(|(_, n)| *n > 0));
                        }
                        Standing::Denied => {
                            prop_assert_eq!(verdict, Verdict::Deny);
                            break;
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_rule_is_meetable_exactly_if_others_could_fill_its_places(groups in groups(), rule in rule()) {
        let requester = person(0);
        let asked: Vec<&GroupFacts> = rule.require.iter().filter_map(|q| groups.iter().find(|g| g.name.handle == q.from.handle)).collect();
        let fresh = asked.iter().all(|g| g.fresh(start()));
        let everybody: Vec<(PersonId, Vec<String>)> = (1..PEOPLE)
            .map(|n| {
                let held = groups.iter().filter(|g| g.has(person(n))).map(|g| g.name.handle.clone());
                (person(n), held.collect())
            })
            .collect();
        let could = can_be_met(&places(&rule), &everybody);
        let found = rule.meetable(&groups, requester, start());
        prop_assert_eq!(found.is_ok(), fresh && could, "{:?}", found);
        prop_assert!(rule.deciders(&groups, requester).iter().all(|d| d.person != requester));
    }

    /// Persons turn out to be one human after they voted: told as that human, their votes fill what one of them could.
    #[test]
    fn several_persons_of_one_human_fill_one_place(
        rule in rule(),
        held in prop::collection::vec(prop::collection::btree_set(select(&GROUPS[..]), 0..3), 0..6),
        pairs in prop::collection::vec((0..6_usize, 0..6_usize), 0..4),
    ) {
        let persons: Vec<PersonId> = (0..6).map(person).collect();
        let ties: Vec<Tie> = pairs
            .iter()
            .filter_map(|(a, b)| Tie::between(persons[*a], persons[*b], Source::Code))
            .collect();
        let humans: BTreeMap<PersonId, PersonId> = stand_for(&persons, &ties).into_iter().collect();
        for tie in &ties {
            prop_assert_eq!(humans[&tie.one], humans[&tie.other]);
        }
        for (person, human) in &humans {
            prop_assert!(human <= person && humans[human] == *human, "the oldest stands for all");
        }
        let held: Vec<Vec<String>> = held.iter().map(|g| g.iter().map(|g| (*g).to_owned()).collect()).collect();
        let votes = persons.iter().zip(&held).map(|(p, groups)| (humans[p], groups.as_slice()));
        let counted = voters(votes);
        let mut each: Vec<PersonId> = counted.iter().map(|(human, _)| *human).collect();
        each.sort();
        let before = each.len();
        each.dedup();
        prop_assert_eq!(before, each.len(), "each human once");
        let met = tally(&rule.require, &counted).missing.is_empty();
        prop_assert_eq!(met, can_be_met(&places(&rule), &counted));
        // Who is one human never makes a rule easier to meet.
        let apart: Vec<(PersonId, Vec<String>)> = persons.iter().copied().zip(held.iter().cloned()).collect();
        prop_assert!(!met || tally(&rule.require, &apart).missing.is_empty());
    }

    #[test]
    fn a_tally_fills_as_many_places_as_can_be(rule in rule(), held in prop::collection::vec(prop::collection::btree_set(select(&GROUPS[..]), 0..3), 0..5)) {
        let voters: Vec<(PersonId, Vec<String>)> = (1_u128..)
            .zip(held)
            .map(|(n, groups)| (person(n), groups.into_iter().map(str::to_owned).collect()))
            .collect();
        let missing: u32 = tally(&rule.require, &voters).missing.iter().map(|(_, n)| n).sum();
        prop_assert_eq!(missing == 0, can_be_met(&places(&rule), &voters));
    }
}

#[test]
fn the_requester_is_told_before_anything_else() {
    let ballot = Ballot {
        plan: plan(0),
        requester: person(0),
        rule: DecidingRule {
            name: "rule".to_owned(),
            require: Vec::new(),
            expires_s: 1,
            remind_s: None,
        },
        expires_at: start(),
        votes: Vec::new(),
    };
    for presses in [0, 1] {
        let by = (person(presses), person(0));
        let own = ballot.cast(by, plan(0), Verdict::Approve, &[], start());
        assert_eq!(own.unwrap_err(), VoteRefused::OwnRequest);
    }
}

#[test]
fn what_a_voter_told_of_a_group_themselves_entitles_for_minutes() {
    let facts = |told: i64| GroupFacts {
        name: GroupName {
            handle: "leads".to_owned(),
            external: None,
        },
        members: vec![PersonName {
            person: person(1),
            name: "P1".to_owned(),
            external: None,
        }],
        unlinked: 0,
        whole: false,
        synced_at: start(),
        told: BTreeMap::from([(person(1), start() - TimeDelta::minutes(told))]),
    };
    let ballot = Ballot {
        plan: plan(0),
        requester: person(0),
        rule: DecidingRule {
            name: "rule".to_owned(),
            require: vec![Quorum {
                from: facts(0).name,
                count: 1,
            }],
            expires_s: 600,
            remind_s: None,
        },
        expires_at: start() + TimeDelta::minutes(10),
        votes: Vec::new(),
    };
    let presses = |groups: &[GroupFacts]| {
        let by = (person(1), person(1));
        let cast = ballot.cast(by, plan(0), Verdict::Approve, groups, start());
        cast.map(|(_, standing)| standing)
    };
    assert_eq!(presses(&[facts(5)]), Ok(Standing::Met));
    let stale = VoteRefused::Stale {
        group: "leads".to_owned(),
        synced_at: start() - TimeDelta::minutes(6),
    };
    assert_eq!(presses(&[facts(6)]), Err(stale));
    // Another part of the group says more, or later.
    let mut joined = facts(6);
    joined.join(facts(1));
    assert_eq!(presses(&[joined]), Ok(Standing::Met));
    let mut joined = facts(6);
    joined.join(GroupFacts {
        told: BTreeMap::new(),
        ..facts(0)
    });
    assert_eq!(presses(&[joined]), Ok(Standing::Met));
}
