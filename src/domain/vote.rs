//! Counting votes: one person counts for one quorum, never the requester, never for another plan. Whoever fills a ballot
//! hands in humans: two persons that are one, or were known to be, are told as the same. What they may decide is asked of
//! the person who presses: what another one was in before they parted entitles to nothing.
//!
//! Two quorums mean two people: somebody who is in both groups helps one of them, whichever needs it more. That is a
//! matching between voters and places, and the sets are small enough for the plain augmenting-path method.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::{PersonId, PlanId};
use super::person::{FACTS_GOOD_FOR, GroupFacts};
use super::rule::{DecidingRule, Quorum};

words! {
    /// What a vote says.
    pub enum Verdict {
        /// Yes.
        Approve = "approve",
        /// No, with a reason.
        Deny = "deny",
    }
}

/// One person's word on one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub person: PersonId,
    /// On which plan.
    pub plan: PlanId,
    /// Yes or no.
    pub verdict: Verdict,
    /// The deciding groups that they were in at the press: these are kept, whatever changes later.
    pub groups: Vec<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What stands in the way of a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoteRefused {
    /// It is the voter's own request.
    OwnRequest,
    /// The voter is in none of the deciding groups.
    NotADecider,
    /// What is known of the deciding groups is too old to decide on.
    Stale {
        /// The group.
        group: String,
        /// When it was last read, or the voter last told to be in it.
        synced_at: DateTime<Utc>,
    },
    /// The voter has voted on this plan.
    Twice,
    /// The plan's time is up.
    Late {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The press was on another plan than the current one.
    OtherPlan,
}

/// Where a plan stands after a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The rule is met.
    Met,
    /// These quorums still lack so many.
    Lacking(Vec<(String, u32)>),
    /// Someone who may decide said no.
    Denied,
}

/// A plan that waits for votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The current plan.
    pub plan: PlanId,
    /// Whose request it is.
    pub requester: PersonId,
    /// The rule that decides it.
    pub rule: DecidingRule,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Votes so far, on this plan.
    pub votes: Vec<Vote>,
}

/// Quorums against voters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Group and how many are still missing, in the rule's order; empty when met.
    pub missing: Vec<(String, u32)>,
}

impl Ballot {
    /// Counts one more vote: a person is entitled by their groups, and counts by their human. The caller brings groups as
    /// of the press and keeps the vote, the human's, that it gets back.
    pub fn cast(
        &self,
        (person, human): (PersonId, PersonId),
        seen: PlanId,
        verdict: Verdict,
        groups: &[GroupFacts],
        now: DateTime<Utc>,
    ) -> Result<(Vote, Standing), VoteRefused> {
        if seen != self.plan {
            return Err(VoteRefused::OtherPlan);
        }
        if human == self.requester {
            return Err(VoteRefused::OwnRequest);
        }
        if now >= self.expires_at {
            return Err(VoteRefused::Late {
                since: self.expires_at,
            });
        }
        let entitled = self.entitled(person, groups, now)?;
        if self.votes.iter().any(|v| v.person == human) {
            return Err(VoteRefused::Twice);
        }
        let vote = Vote {
            person: human,
            plan: self.plan,
            verdict,
            groups: entitled,
            at: now,
        };
        let standing = match verdict {
            Verdict::Deny => Standing::Denied,
            Verdict::Approve => self.standing_with(&vote),
        };
        Ok((vote, standing))
    }

    /// The deciding groups that the person is in, on fresh facts only.
    fn entitled(
        &self,
        person: PersonId,
        groups: &[GroupFacts],
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, VoteRefused> {
        let deciding = || {
            self.rule
                .require
                .iter()
                .filter_map(|q| groups.iter().find(|g| g.name.handle == q.from.handle))
        };
        let mut held: Vec<String> = Vec::new();
        let known = |g: &GroupFacts| now - g.known_of(person) <= FACTS_GOOD_FOR;
        for group in deciding().filter(|g| known(g) && g.has(person)) {
            if !held.contains(&group.name.handle) {
                held.push(group.name.handle.clone());
            }
        }
        if !held.is_empty() {
            return Ok(held);
        }
        // Only stale facts could still say yes: then it is we who don't know, not they who may not.
        match deciding().find(|g| !known(g)) {
            Some(g) => Err(VoteRefused::Stale {
                group: g.name.handle.clone(),
                synced_at: g.known_of(person),
            }),
            None => Err(VoteRefused::NotADecider),
        }
    }

    fn standing_with(&self, vote: &Vote) -> Standing {
        let cast = self.votes.iter().chain([vote]);
        let yes = cast.filter(|v| {
            v.verdict == Verdict::Approve && v.plan == self.plan && v.person != self.requester
        });
        let voters = voters(yes.map(|v| (v.person, v.groups.as_slice())));
        let tally = tally(&self.rule.require, &voters);
        if tally.missing.is_empty() {
            Standing::Met
        } else {
            Standing::Lacking(tally.missing)
        }
    }
}

/// Each voter once, with all groups that any of their votes counts for: a human who voted as two persons, before it was
/// known that they are one, fills one place.
pub fn voters<'a>(
    votes: impl Iterator<Item = (PersonId, &'a [String])>,
) -> Vec<(PersonId, Vec<String>)> {
    let mut voters: Vec<(PersonId, Vec<String>)> = Vec::new();
    for (person, groups) in votes {
        match voters.iter_mut().find(|(voter, _)| *voter == person) {
            Some((_, held)) => held.extend_from_slice(groups),
            None => voters.push((person, groups.to_vec())),
        }
    }
    voters
}

/// Matches voters (person, groups they count for) to the places of the quorums; each fills at most one.
pub fn tally(require: &[Quorum], voters: &[(PersonId, Vec<String>)]) -> Tally {
    let places: Vec<&str> = require
        .iter()
        .flat_map(|q| std::iter::repeat_n(q.from.handle.as_str(), q.count as usize))
        .collect();
    let mut taken_by: Vec<Option<usize>> = vec![None; places.len()];
    for voter in 0..voters.len() {
        let mut tried = vec![false; places.len()];
        place(voter, &places, voters, &mut taken_by, &mut tried);
    }
    let mut missing: Vec<(String, u32)> = Vec::new();
    for (place, _) in places.iter().zip(&taken_by).filter(|(_, by)| by.is_none()) {
        match missing.iter_mut().find(|(group, _)| group == place) {
            Some((_, count)) => *count += 1,
            None => missing.push(((*place).to_owned(), 1)),
        }
    }
    Tally { missing }
}

/// Finds the voter a place, moving others to places of theirs where that helps (an augmenting path).
fn place(
    voter: usize,
    places: &[&str],
    voters: &[(PersonId, Vec<String>)],
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for (at, group) in places.iter().enumerate() {
        if tried[at] || !voters[voter].1.iter().any(|g| g == group) {
            continue;
        }
        tried[at] = true;
        let free = match taken_by[at] {
            None => true,
            Some(other) => place(other, places, voters, taken_by, tried),
        };
        if free {
            taken_by[at] = Some(voter);
            return true;
        }
    }
    false
}
