//! Why a rule decides, and who could meet it.

use serde_json::Value;

use super::reader;
use crate::app::definition::Definition;
use crate::app::{App, group, view};
use crate::domain::id::RequestNumber;
use crate::domain::view::RequestView;
use crate::store;

/// Why a rule decides a plan, and who could meet it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The request as it stands, with the current plan's rule, votes and who can decide now.
    pub view: RequestView,
    /// The command's rules in order: name and condition, and whether it is the one that decides. Those before it don't
    /// hold; those after it were not looked at.
    pub rules: Vec<(String, Option<String>, bool)>,
    /// The facts that the rule was decided on, as kept with the plan.
    pub seen: Value,
    /// The groups of the deciding rule as of now: handle, members' names, whether that is fresh enough to decide.
    pub groups: Vec<(String, Vec<String>, bool)>,
}

/// Explains the decision on a request's current plan; `None`: no such request, or no plan yet.
pub async fn explain(app: &App, number: RequestNumber) -> anyhow::Result<Option<Explained>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let Some(request) = store::request::numbered(&mut tx, number).await? else {
        return Ok(None);
    };
    let Some(plan) = request.plan else {
        return Ok(None);
    };
    let Some(plan) = store::plan::get(&mut tx, plan).await? else {
        return Ok(None);
    };
    let now = store::now(&mut tx).await?;
    let reader = reader(&mut tx, request.id).await?;
    let definition = Definition::of(&mut tx, &request).await?;
    let decides = |rule: &str| rule == plan.rule.name;
    let rules = definition.command.rules.iter();
    let rules = rules
        .map(|r| (r.name.clone(), r.when.clone(), decides(&r.name)))
        .collect();
    let groups = group::of_rule(app, &mut tx, &plan.rule, reader, now).await?;
    let groups = group::who_can(&mut tx, &request, groups).await?;
    let groups = groups.into_iter().map(|group| {
        let fresh = group.fresh(now);
        let names = group.members.into_iter().map(|m| m.name).collect();
        (group.name.handle, names, fresh)
    });
    Ok(Some(Explained {
        view: view::load(app, &mut tx, request.id, reader).await?,
        rules,
        groups: groups.collect(),
        seen: plan.seen,
    }))
}
