//! Reads approval rules, and holds the groups they name against those there are.

use std::collections::BTreeSet;

use super::{Require, Rule};
use crate::catalog::expression::scan;
use crate::catalog::problem::Mark;
use crate::catalog::reader::{Fields, Report, seconds, text};
use crate::catalog::rule;
use crate::catalog::step::{Checks, Scope, check_node};
use crate::catalog::yaml::Node;
use crate::domain::team::GitHubTeam;

/// How long a plan waits for its approvers where the rule doesn't say: a working day and the night.
const EXPIRES_S: i64 = 24 * 60 * 60;

/// Most people that one quorum may want.
const MAX_COUNT: u64 = 100;

pub(super) fn read(
    node: &Node,
    names: &BTreeSet<&str>,
    checks: &Checks<'_>,
    report: &mut Report,
) -> Vec<Rule> {
    let nodes = node.list().unwrap_or_default();
    let rules: Vec<Rule> = nodes
        .iter()
        .filter_map(|node| one(node, names, checks, report))
        .collect();
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].iter().any(|earlier| earlier.name == rule.name) {
            report.add(rule.at, format!("rule `{}` stands twice", rule.name));
        }
        if let Some(earlier) = rules[..at].iter().find(|earlier| earlier.when.is_none()) {
            report.add(
                rule.at,
                format!(
                    "rule `{}` is never asked: `{}` before it always decides",
                    rule.name, earlier.name
                ),
            );
        }
    }
    let hint = "Add a rule without `when` at the end, or nobody could decide some requests.";
    match (rules.last(), nodes.last()) {
        (_, None) => report.hint(
            node.at,
            "`approval` has to be a list with at least one rule",
            hint,
        ),
        (Some(last), _) if last.when.is_some() => {
            report.hint(
                last.at,
                "the last approval rule has a `when`, so there is no last resort",
                hint,
            );
        }
        _ => {}
    }
    rules
}

fn one(
    node: &Node,
    names: &BTreeSet<&str>,
    checks: &Checks<'_>,
    report: &mut Report,
) -> Option<Rule> {
    let mut fields = Fields::open(node, "an approval rule", report)?;
    let name = fields.need_text("name", report);
    let when = fields
        .take("when")
        .and_then(|node| condition(node, names, report));
    let require = fields.need("require", report);
    let expires = fields.take("expires");
    let remind = fields.take("remind");
    for later in ["escalate", "breakGlass", "stepUp", "delegate"] {
        fields.later(later, report);
    }
    fields.close(report);
    let expires_s = expires
        .and_then(|node| seconds(node, "expires", report))
        .unwrap_or(EXPIRES_S);
    let remind_s = remind.and_then(|node| seconds(node, "remind", report));
    if let (Some(remind_s), Some(node)) = (remind_s, remind)
        && remind_s >= expires_s
    {
        report.add(node.at, "the reminder would come after the end");
    }
    let require = require
        .map(|node| quorums(node, names, checks, report))
        .unwrap_or_default();
    Some(Rule {
        name: name?,
        when,
        require,
        expires_s,
        remind_s,
        at: node.at,
    })
}

fn condition(node: &Node, names: &BTreeSet<&str>, report: &mut Report) -> Option<String> {
    let source = match node.text() {
        Some(source) => source.to_owned(),
        None => node
            .json()
            .as_bool()
            .map(|yes| yes.to_string())
            .or_else(|| text(node, "when", report))?,
    };
    for fault in rule::faults(&source, names) {
        let at = Mark {
            line: node.at.line + fault.line - 1,
            column: node.at.column,
        };
        report.word(
            at,
            fault.what,
            &fault.word,
            fault.right.iter().map(String::as_str),
        );
    }
    Some(source)
}

fn quorums(
    node: &Node,
    names: &BTreeSet<&str>,
    checks: &Checks<'_>,
    report: &mut Report,
) -> Vec<Require> {
    let Some(nodes) = node.list() else {
        report.hint(
            node.at,
            "`require` has to be a list",
            "Write `[]` where nobody has to approve.",
        );
        return Vec::new();
    };
    nodes
        .iter()
        .filter_map(|node| quorum(node, names, checks, report))
        .collect()
}

fn quorum(
    node: &Node,
    names: &BTreeSet<&str>,
    checks: &Checks<'_>,
    report: &mut Report,
) -> Option<Require> {
    let mut fields = Fields::open(node, "a quorum", report)?;
    let from = fields.need("from", report);
    let count = fields.take("count");
    fields.close(report);
    let count = match count {
        None => Some(1),
        Some(node) => {
            let count = node
                .json()
                .as_u64()
                .filter(|count| (1..=MAX_COUNT).contains(count));
            if count.is_none() {
                report.add(
                    node.at,
                    format!("`count` has to be a whole number from 1 to {MAX_COUNT}"),
                );
            }
            count.and_then(|count| u32::try_from(count).ok())
        }
    };
    let node = from?;
    let from = text(node, "from", report)?;
    check_source(&from, node, names, checks, report);
    Some(Require {
        from,
        count: count?,
        at: node.at,
    })
}

fn check_source(
    from: &str,
    node: &Node,
    names: &BTreeSet<&str>,
    checks: &Checks<'_>,
    report: &mut Report,
) {
    let scope = Scope {
        parameters: Some(names.clone()),
        steps: Vec::new(),
        all: Vec::new(),
    };
    check_node(node, &scope, report);
    let known = |name: &str| !scan::is_template(name);
    match from.split_once(':') {
        Some(("group" | "leads", team)) if GitHubTeam::is_meant(team) => {
            check_github(team, node.at, checks, report);
        }
        Some(("group", group)) if !group.is_empty() => {
            if known(group) {
                check_group(group, node.at, checks, report);
            }
        }
        Some(("leads", team)) if !team.is_empty() => {
            let teams = checks.known.and_then(|known| known.teams.as_ref());
            if let Some(teams) = teams
                && known(team)
                && !teams.contains(team)
            {
                report.word(
                    node.at,
                    format!("there is no team `{team}`"),
                    team,
                    teams.iter().map(String::as_str),
                );
            }
        }
        _ => report.hint(
            node.at,
            format!("`from` doesn't understand `{from}`"),
            "Write `group:NAME` or `leads:TEAM`.",
        ),
    }
}

/// A group that is unknown, or has nobody in it, could never decide.
pub(super) fn check_group(group: &str, at: Mark, checks: &Checks<'_>, report: &mut Report) {
    if GitHubTeam::is_meant(group) {
        return check_github(group, at, checks, report);
    }
    let groups = checks.known.and_then(|known| known.groups.as_ref());
    if let Some(groups) = groups
        && !groups.contains(group)
    {
        let what = format!("the group `{group}` is unknown or has nobody in it");
        report.word(at, what, group, groups.iter().map(String::as_str));
    }
}

/// A team on GitHub: its members are read beforehand, so it has to be written out, and be of our organisation.
fn check_github(handle: &str, at: Mark, checks: &Checks<'_>, report: &mut Report) {
    if scan::is_template(handle) {
        return report.hint(
            at,
            "a team on GitHub has to be written out",
            "Name it under `[teams]`, and write `leads:${{ parameters.owner }}`.",
        );
    }
    let Some(team) = GitHubTeam::parse(handle) else {
        return report.hint(
            at,
            format!("`{handle}` is no team on GitHub"),
            "Write `group:github:ORGANISATION/TEAM`, as in the team's address.",
        );
    };
    let organisations = checks.known.and_then(|known| known.organisations.as_ref());
    match organisations {
        Some(ours) if ours.is_empty() => report.hint(
            at,
            format!("nobody can read who is in {team}: GitHub isn't configured"),
            "docs/github.md leads there.",
        ),
        Some(ours) if !ours.contains(&team.organisation) => report.word(
            at,
            format!("idp reads no teams of `{}` on GitHub", team.organisation),
            &team.organisation,
            ours.iter().map(String::as_str),
        ),
        Some(_) | None => {}
    }
}
