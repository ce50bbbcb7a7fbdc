//! A request as it stands at one moment, read in the caller's transaction: what cards are made from.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::definition::Definition;
use super::{App, cancel, group, step};
use crate::catalog::parameters::Widget;
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::id::{InstallationId, PersonId, RequestId};
use crate::domain::person::{GroupName, PersonName};
use crate::domain::plan::{Fact, FactKind, Plan, PlannedStep, PlannedValue};
use crate::domain::request::RequestState;
use crate::domain::run::StepState;
use crate::domain::step::TakenBack;
use crate::domain::view::{EndView, PlanStepView, PlanView, RequestView, RunView, StepView};
use crate::domain::vote::{Verdict, tally, voters};
use crate::store::request::Request;
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::vote::Kept;
use crate::store::{self, Conn};

/// Reads a request for a card that goes to an installation: mentions carry the ids of that one.
pub async fn load(
    app: &App,
    conn: &mut Conn,
    request: RequestId,
    reader: InstallationId,
) -> anyhow::Result<RequestView> {
    let now = store::now(conn).await?;
    let request = store::request::get(conn, request)
        .await?
        .with_context(|| format!("request {request} is gone"))?;
    let definition = Definition::of(conn, &request).await?;
    let plan = match request.plan {
        Some(plan) => store::plan::get(conn, plan).await?,
        None => None,
    };
    let run = cancel::current_run(conn, &request).await?;
    let names = names(conn, &request, run.as_ref(), reader).await?;
    let mut view = RequestView {
        id: request.id,
        number: request.number,
        command: request.command.clone(),
        command_words: request.command.replace('-', " "),
        subject: request.subject.clone(),
        requester: names.of(request.requester),
        asked_at: request.created_at,
        state: request.state,
        since: request.since,
        hindrance: request.hindrance.clone().zip(request.hindered_since),
        choices: choices(app, &definition),
        plan: None,
        end: end(&request, &names),
        run: None,
        slash: request.slash.clone(),
    };
    if let Some(kept) = plan {
        let steps = Plan::parse(&kept.bytes)?.steps;
        let mut votes = store::vote::on_plan(conn, kept.id).await?;
        // While it can be decided, the card tells the votes that count.
        if request.state == RequestState::AwaitingApproval {
            votes.retain(|kept| !kept.own);
        }
        if let Some(run) = run {
            let told = Told {
                run,
                votes: &votes,
                planned: &steps,
                names: &names,
                now,
            };
            view.run = Some(run_view(app, conn, told).await?);
        }
        let told = (&request, &names, reader, now);
        view.plan = Some(plan_view(app, conn, (kept, steps), &votes, told).await?);
    }
    Ok(view)
}

/// The persons of one request as the reader's platform names them.
struct Names(HashMap<PersonId, PersonName>);

impl Names {
    /// A person without any account (never one who acted) is named by nothing.
    fn of(&self, person: PersonId) -> PersonName {
        self.0.get(&person).cloned().unwrap_or(PersonName {
            person,
            name: String::new(),
            external: None,
        })
    }
}

async fn names(
    conn: &mut Conn,
    request: &Request,
    run: Option<&Run>,
    reader: InstallationId,
) -> store::Result<Names> {
    let mut persons = vec![request.requester];
    persons.extend(request.ended_by);
    persons.extend(run.and_then(|r| r.acted_by));
    if let Some(plan) = request.plan {
        let votes = store::vote::on_plan(conn, plan).await?;
        persons.extend(votes.into_iter().map(|kept| kept.vote.person));
    }
    let names = store::person::names(conn, &persons, reader).await?;
    Ok(Names(names.into_iter().map(|n| (n.person, n)).collect()))
}

/// What was picked of templates and teams, in the words of their pickers.
fn choices(app: &App, definition: &Definition) -> Vec<(String, String)> {
    let pages = &definition.command.parameters.pages;
    let words = |widget: Widget, value: &str| match widget {
        Widget::Template => definition.template.as_ref().map(|t| t.title.clone()),
        Widget::Team => {
            let team = group::choices(app, [&value.to_owned()]).pop();
            team.map(|t| t.label)
        }
        _ => None,
    };
    pages
        .iter()
        .flat_map(|page| &page.fields)
        .filter_map(|field| {
            let value = definition.inputs.get(&field.name)?.as_str()?;
            Some((field.title.clone(), words(field.widget, value)?))
        })
        .collect()
}

fn end(request: &Request, names: &Names) -> Option<EndView> {
    request.state.ended().then(|| EndView {
        by: request.ended_by.map(|by| names.of(by)),
        at: request.since,
        reason: request.end_reason.clone(),
        reference: request.reference.clone(),
    })
}

async fn plan_view(
    app: &App,
    conn: &mut Conn,
    (kept, steps): (store::plan::Plan, Vec<PlannedStep>),
    votes: &[Kept],
    (request, names, reader, now): (&Request, &Names, InstallationId, DateTime<Utc>),
) -> anyhow::Result<PlanView> {
    let rule = &kept.rule.0;
    let groups = group::of_rule(app, conn, rule, reader, now).await?;
    let groups = group::who_can(conn, request, groups).await?;
    // The reader's own id of a group is what mentions it there.
    let named = |handle: &str| {
        let found = groups.iter().find(|g| g.name.handle == handle);
        found.map_or_else(
            || GroupName {
                handle: handle.to_owned(),
                external: None,
            },
            |g| g.name.clone(),
        )
    };
    let voters = voters(yes(votes).map(|kept| (kept.counts_as, kept.vote.groups.as_slice())));
    let lacking = tally(&rule.require, &voters).missing;
    Ok(PlanView {
        id: kept.id,
        digest: kept.digest,
        facts: steps.iter().flat_map(|s| s.facts.iter().cloned()).collect(),
        steps: steps.iter().map(plan_step).collect(),
        rule: rule.name.clone(),
        require: rule
            .require
            .iter()
            .map(|q| (named(&q.from.handle), q.count))
            .collect(),
        lacking: lacking
            .iter()
            .map(|(handle, n)| (named(handle), *n))
            .collect(),
        deciders: rule.deciders(&groups, kept.requester),
        unlisted: rule.unlisted(&groups),
        approvals: approvals(votes, names),
        expires_at: kept.expires_at,
        reminded_at: kept.reminded_at,
        replaced_at: kept.replaced_at,
    })
}

fn yes(votes: &[Kept]) -> impl Iterator<Item = &Kept> {
    (votes.iter()).filter(|kept| kept.vote.verdict == Verdict::Approve)
}

/// Who said yes, each once, and when first.
fn approvals(votes: &[Kept], names: &Names) -> Vec<(PersonName, DateTime<Utc>)> {
    let mut told: Vec<(PersonName, DateTime<Utc>)> = Vec::new();
    for Kept { vote, .. } in yes(votes) {
        if told.iter().all(|(name, _)| name.person != vote.person) {
            told.push((names.of(vote.person), vote.at));
        }
    }
    told
}

fn plan_step(step: &PlannedStep) -> PlanStepView {
    PlanStepView {
        id: step.id.clone(),
        title: step.title.clone(),
        action: step.action.clone(),
        facts: step.facts.clone(),
        settings: settings(&step.input),
    }
}

/// Each input that is worth reading: names of trees and blobs are not.
fn settings(input: &PlannedValue) -> Vec<(String, String)> {
    let members: Vec<(String, PlannedValue)> = match input {
        PlannedValue::Map { members } => members.clone(),
        PlannedValue::Known {
            value: Value::Object(map),
        } => map
            .iter()
            .map(|(name, value)| (name.clone(), PlannedValue::known(value.clone())))
            .collect(),
        PlannedValue::Known { .. } | PlannedValue::After { .. } | PlannedValue::List { .. } => {
            Vec::new()
        }
    };
    members
        .into_iter()
        .map(|(name, value)| (name, words(&value)))
        .filter(|(_, words)| !words.starts_with("tree:") && !words.is_empty())
        .collect()
}

fn words(value: &PlannedValue) -> String {
    match value {
        PlannedValue::Known { value } => match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        PlannedValue::After { steps, .. } => format!("(known after {})", steps.join(", ")),
        PlannedValue::List { items } => items.iter().map(words).collect::<Vec<_>>().join(", "),
        PlannedValue::Map { members } => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", words(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// What a run's view is made from.
struct Told<'a> {
    run: Run,
    votes: &'a [Kept],
    planned: &'a [PlannedStep],
    names: &'a Names,
    now: DateTime<Utc>,
}

async fn run_view(app: &App, conn: &mut Conn, told: Told<'_>) -> anyhow::Result<RunView> {
    let run = told.run;
    let approval = store::approval::get(conn, run.approval).await?;
    let ending: step::Ending = match run.output {
        Some(output) => serde_json::from_value(output).context("the run's output")?,
        None => step::Ending::default(),
    };
    let steps = store::step::of_run(conn, run.id).await?;
    let view = |step: Step| {
        let planned = told.planned.iter().find(|p| p.id == step.id);
        step_view(app.library.actions(), step, planned)
    };
    Ok(RunView {
        id: run.id,
        generation: run.generation,
        state: run.state,
        since: run.since,
        started_at: run.started_at,
        steps: steps.into_iter().map(view).collect(),
        approved_by: approvals(told.votes, told.names),
        rule: approval.rule,
        acted_by: run.acted_by.map(|by| told.names.of(by)),
        cancelled: run.cancelled_by.is_some(),
        undo_at: run.undo_at,
        retry_good: told.now < approval.good_until,
        links: ending.links,
        clone: ending.clone,
        reference: run.reference,
    })
}

fn step_view(actions: &[ActionSpec], step: Step, planned: Option<&PlannedStep>) -> StepView {
    let undo = actions
        .iter()
        .find(|a| a.name == step.action)
        .map(|a| a.undo);
    let made: Vec<String> = planned
        .into_iter()
        .flat_map(|p| &p.facts)
        .filter(|f| f.kind == FactKind::Creates && f.headline && undo != Some(Undo::Nothing))
        .map(thing)
        .collect();
    // Only a step with its input was ever let at the world, however it ended.
    let begun = step.input.is_some() && !made.is_empty();
    let verb = match (step.taken_back, undo) {
        (Some(TakenBack::Archived), _) | (None, Some(Undo::Archives)) => "archive",
        _ => "delete",
    };
    let words = format!("{verb} {}", made.join(", "));
    let archived = step.taken_back == Some(TakenBack::Archived);
    let (exists, may_exist) = match step.state {
        StepState::Done => (made, Vec::new()),
        StepState::UndoFailed if step.output.is_some() => (made, Vec::new()),
        StepState::Pending
        | StepState::Running
        | StepState::Waiting
        | StepState::Failed
        | StepState::Unknown
        | StepState::UndoFailed
            if begun =>
        {
            (Vec::new(), made)
        }
        StepState::Undone if archived => {
            let archived = made.iter().map(|thing| format!("{thing} (archived)"));
            (archived.collect(), Vec::new())
        }
        _ => (Vec::new(), Vec::new()),
    };
    let took = step.started_at.zip(step.finished_at);
    StepView {
        title: step.title,
        state: step.state,
        started_at: step.started_at,
        took_ms: took.map(|(from, to)| (to - from).num_milliseconds()),
        tries: step.tries,
        cause: step.cause,
        check: step.check,
        taken_back: step.taken_back,
        undo: (matches!(undo, Some(Undo::Can | Undo::Archives)) && begun).then_some(words),
        exists,
        may_exist,
    }
}

fn thing(fact: &Fact) -> String {
    format!("{} {}", fact.noun, fact.name)
}
