//! Which approval rule decides a plan: CEL over parameters, the plan's facts and the one who asks.

use super::{Command, Inputs};
use crate::domain::plan::Plan;

/// What rules may know of the one who asks, as `actor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The handles of their groups.
    pub groups: Vec<String>,
    /// Their teams.
    pub teams: Vec<String>,
}

/// The rule that decides, with its sources filled in but its people not yet looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// Its name, shown on the card.
    pub name: String,
    /// Every quorum must be met; none at all runs at once.
    pub require: Vec<Quorum>,
    /// Seconds until an undecided plan expires.
    pub expires_s: i64,
    /// Seconds until the one reminder.
    pub remind_s: Option<i64>,
}

/// So many people out of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Whose votes count.
    pub from: Source,
    /// How many; at least 1.
    pub count: u32,
}

/// Where deciders come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `group:NAME`.
    Group(String),
    /// `leads:TEAM`, from `[teams]`.
    Leads(String),
}

/// A rule couldn't be evaluated: the request is refused, never handed to a weaker rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("approval rule `{rule}`: {what}")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// What went wrong: a sentence without its full stop.
    pub what: String,
}

/// The first rule whose condition holds.
pub fn deciding(
    command: &Command,
    inputs: &Inputs,
    plan: &Plan,
    actor: &Actor,
) -> Result<Deciding, RuleError> {
    let _ = (command, inputs, plan, actor);
    todo!()
}
