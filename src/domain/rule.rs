//! Approval rules after their conditions were evaluated: who has to say yes, until when.
//!
//! `catalog` reads rules and evaluates `when`; what arrives here is the rule that decides, with its groups resolved.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::PersonId;
use super::person::{GroupFacts, GroupName, PersonName};

/// The rule that decides a plan, as kept with the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidingRule {
    /// Its name, shown on the card.
    pub name: String,
    /// Every quorum must be met; none at all means that it runs at once.
    pub require: Vec<Quorum>,
    /// Seconds until an undecided plan expires.
    pub expires_s: i64,
    /// Seconds until the one reminder; none: no reminder.
    pub remind_s: Option<i64>,
}

/// So many people out of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// Whose votes count.
    pub from: GroupName,
    /// How many are needed; at least 1.
    pub count: u32,
}

/// Why a rule can't be met by anybody, found at plan time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmeetable {
    /// The group isn't known.
    Unknown {
        /// Its handle.
        group: String,
    },
    /// Too few people are left once the requester is out, or the same people are needed for several quorums.
    TooFew {
        /// Its handle.
        group: String,
        /// How many are needed.
        needed: u32,
        /// How many could.
        could: u32,
        /// How many more people of the group aren't known to chat, since they never linked their GitHub account.
        unlinked: u32,
    },
    /// What is known of the group is too old to decide on.
    Stale {
        /// Its handle.
        group: String,
        /// When it was last read.
        synced_at: DateTime<Utc>,
    },
}

impl DecidingRule {
    /// Who could decide: everybody in a deciding group but the requester, each once, in the groups' order.
    pub fn deciders(&self, groups: &[GroupFacts], requester: PersonId) -> Vec<PersonName> {
        let mut found: Vec<PersonName> = Vec::new();
        for quorum in &self.require {
            let Some(group) = groups.iter().find(|g| g.name.handle == quorum.from.handle) else {
                continue;
            };
            for member in &group.members {
                if member.person != requester && !found.iter().any(|f| f.person == member.person) {
                    found.push(member.clone());
                }
            }
        }
        found
    }

    /// The deciding groups of which not all members are known, in their order.
    pub fn unlisted(&self, groups: &[GroupFacts]) -> Vec<GroupName> {
        let asked = self.require.iter().map(|quorum| &quorum.from.handle);
        let found = asked.filter_map(|handle| groups.iter().find(|g| g.name.handle == *handle));
        let mut unlisted: Vec<GroupName> = Vec::new();
        for group in found.filter(|group| !group.whole) {
            if !unlisted.contains(&group.name) {
                unlisted.push(group.name.clone());
            }
        }
        unlisted
    }

    /// Whether enough people could ever say yes, judged on fresh facts, and only where all who could are known.
    pub fn meetable(
        &self,
        groups: &[GroupFacts],
        requester: PersonId,
        now: DateTime<Utc>,
    ) -> Result<(), Unmeetable> {
        let mut voters: Vec<(PersonId, Vec<String>)> = Vec::new();
        for quorum in &self.require {
            let handle = &quorum.from.handle;
            let Some(group) = groups.iter().find(|g| g.name.handle == *handle) else {
                return Err(Unmeetable::Unknown {
                    group: handle.clone(),
                });
            };
            if !group.fresh(now) {
                return Err(Unmeetable::Stale {
                    group: handle.clone(),
                    synced_at: group.synced_at,
                });
            }
            for member in group.members.iter().filter(|m| m.person != requester) {
                match voters.iter_mut().find(|(p, _)| *p == member.person) {
                    Some((_, handles)) => handles.push(handle.clone()),
                    None => voters.push((member.person, vec![handle.clone()])),
                }
            }
        }
        let unlisted = self.unlisted(groups);
        let is_judged = |quorum: &&Quorum| unlisted.iter().all(|g| g.handle != quorum.from.handle);
        let judged: Vec<Quorum> = self.require.iter().filter(is_judged).cloned().collect();
        let tally = super::vote::tally(&judged, &voters);
        match tally.missing.first() {
            None => Ok(()),
            Some((group, missing)) => {
                let needed = self
                    .require
                    .iter()
                    .filter(|q| q.from.handle == *group)
                    .map(|q| q.count)
                    .sum();
                let facts = groups.iter().find(|g| g.name.handle == *group);
                Err(Unmeetable::TooFew {
                    group: group.clone(),
                    needed,
                    could: needed.saturating_sub(*missing),
                    unlinked: facts.map_or(0, |g| g.unlinked),
                })
            }
        }
    }
}
