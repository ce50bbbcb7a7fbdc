//! Which approval rule decides a plan: CEL over parameters, the plan's facts and the one who asks.
//!
//! A rule that can't be evaluated refuses the request: it must never fall through to a weaker one.

mod cel;

use serde_json::{Map, Value};

use super::expression::{evaluate, scan};
use super::{Command, Inputs};
use crate::domain::plan::Plan;
use crate::domain::team::{self, GitHubTeam};

pub(super) use self::cel::faults;

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
    /// `group:NAME`, and a team on GitHub, which leads as a whole: `leads:github:acme/payments`.
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
    let parameters = declared(command, inputs);
    for rule in &command.rules {
        let fail = |what: String| RuleError {
            rule: rule.name.clone(),
            what,
        };
        let holds = match &rule.when {
            None => true,
            Some(source) => self::cel::holds(source, &parameters, plan, actor).map_err(fail)?,
        };
        if !holds {
            continue;
        }
        let require = rule
            .require
            .iter()
            .map(|require| {
                Ok(Quorum {
                    from: source(&require.from, &parameters)?,
                    count: require.count,
                })
            })
            .collect::<Result<_, String>>()
            .map_err(fail)?;
        return Ok(Deciding {
            name: rule.name.clone(),
            require,
            expires_s: rule.expires_s,
            remind_s: rule.remind_s,
        });
    }
    Err(RuleError {
        rule: String::new(),
        what: "no rule decides this request".to_owned(),
    })
}

/// The command's parameters, each with a value: `null` where nothing was typed, so that rules can ask.
fn declared(command: &Command, inputs: &Inputs) -> Map<String, Value> {
    let mut parameters = inputs.values().clone();
    for name in command.parameters.names() {
        parameters.entry(name).or_insert(Value::Null);
    }
    parameters
}

fn source(from: &str, parameters: &Map<String, Value>) -> Result<Source, String> {
    let rendered = if scan::is_template(from) {
        let context = serde_json::json!({ "parameters": parameters });
        match evaluate(from, &context).map_err(|error| error.what)? {
            Value::String(text) => text,
            other => other.to_string(),
        }
    } else {
        from.to_owned()
    };
    match rendered.split_once(':') {
        Some(("group", name)) if !name.is_empty() => Ok(Source::Group(team::kept(name))),
        Some(("leads", name)) if GitHubTeam::is_meant(name) => Ok(Source::Group(team::kept(name))),
        Some(("leads", name)) if !name.is_empty() => Ok(Source::Leads(name.to_owned())),
        _ => Err(format!("`{from}` became `{rendered}`, which names nobody")),
    }
}
