//! Planning: hands out the work, keeps the plan that came of it, and finds the rule that decides it.
//!
//! Planning itself reaches into the world and so is `worker`'s: it calls [`take`], lets `steps` plan each draft, and
//! gives the whole back to [`store()`]; just before a run it does the same with [`take_again`] and [`compare`].

mod entitled;
mod keep;

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use self::entitled::Right;
use super::audit::{self, Chain};
use super::definition::Definition;
use super::end::{self, End};
use super::run::enter;
use super::{App, Reference, limit, message};
use crate::cards::refusal::requester_gone;
use crate::catalog::flow::{self, StepDraft};
use crate::catalog::{Inputs, Template};
use crate::domain::id::{PlanId, RequestId, RequestNumber, RunId};
use crate::domain::message::Milestone;
use crate::domain::person::GitHubAccount;
use crate::domain::plan::Plan;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RequestMove, RequestState};
use crate::domain::run::{RunMove, RunState};
use crate::domain::step::PlanError;
use crate::store::request::Request;
use crate::store::run::Run;
use crate::store::{self, Conn, queue};

/// What is to be planned.
#[derive(Debug, Clone)]
pub struct PlanWork {
    /// For which request: its id is the marker that its creations carry.
    pub request: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The name of the one who asked, for what steps write into files.
    pub requester: String,
    /// Their account on GitHub, if it was linked when they asked: linking it later changes no plan.
    pub github: Option<GitHubAccount>,
    /// When it was asked: the date of what is made for it.
    pub asked_at: DateTime<Utc>,
    /// Since when the request is in the state that this work is for: an answer to an older one is dropped.
    pub since: DateTime<Utc>,
    /// The steps to be planned, in order.
    pub drafts: Vec<StepDraft>,
    /// The template that was chosen, as it was then.
    pub template: Option<Arc<Template>>,
    /// The checked inputs.
    pub inputs: Inputs,
}

/// What planning all steps brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Bytes made by planning, to be kept with it.
    pub blobs: Vec<Vec<u8>>,
}

/// What became of a plan that was given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The request has moved on meanwhile: nothing was kept.
    Outdated,
    /// It waits for votes.
    Waits(PlanId),
    /// Nobody has to decide: the run has begun.
    Runs(RunId),
    /// It can't be done, or planning was given up: the request has ended.
    Ended,
    /// Another try is enqueued.
    Again,
}

/// What is to be done just before a run's first step.
#[derive(Debug, Clone)]
pub enum TakenAgain {
    /// The plan is made again, and compared.
    Work(Box<PlanWork>),
    /// The run doesn't begin, and its state says so.
    Not,
    /// Nobody can tell whether it may begin, with the sentence for people: try again.
    Wait {
        /// Why.
        cause: String,
        /// Until when, where that is known.
        until: Option<DateTime<Utc>>,
    },
}

/// Whether the plan made just before the run is the one that was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// It is: go.
    Same,
    /// It isn't, or the run may not start any more: the run is superseded and the request has gone on without it.
    Superseded,
    /// The world gave no answer, with the sentence for people: try again.
    Again {
        /// Why.
        cause: String,
        /// Not before so long.
        after: Option<TimeDelta>,
    },
}

/// The longest wait between two tries of planning.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(5);

/// The work of planning a request that is to be planned; `None`: nothing to do any more.
pub async fn take(app: &App, request: RequestId) -> anyhow::Result<Option<PlanWork>> {
    let mut tx = store::begin(&app.pool).await?;
    let Some(mut request) = store::request::lock(&mut tx, request).await? else {
        return Ok(None);
    };
    if request.state != RequestState::Planning {
        return Ok(None);
    }
    let now = store::now(&mut tx).await?;
    if !entitled::active(&mut tx, &request).await? {
        withdraw(&mut tx, &mut request, &requester_gone(), now).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let work = work(app, &mut tx, &request).await?;
    match work {
        Ok(work) => {
            let closed = closed_until(app, &mut tx, &work, now).await?;
            let Some(until) = closed else {
                return Ok(Some(work));
            };
            queue::enqueue_plan(&mut tx, request.id, Some(until)).await?;
            tx.commit().await?;
            Ok(None)
        }
        Err(refusal) => {
            refuse(&mut tx, &mut request, &refusal, now).await?;
            tx.commit().await?;
            Ok(None)
        }
    }
}

/// Keeps what planning brought: plan, blobs, claims and rule, or the end of the request.
pub async fn store(
    app: &App,
    work: &PlanWork,
    result: Result<Planned, PlanError>,
) -> anyhow::Result<Stored> {
    let mut tx = store::begin(&app.pool).await?;
    let request = store::request::lock(&mut tx, work.request).await?;
    let mut request = request.context("the request is gone")?;
    if request.state != RequestState::Planning || request.since != work.since {
        return Ok(Stored::Outdated);
    }
    let now = store::now(&mut tx).await?;
    if let Err(PlanError::Again { after, .. }) = &result {
        put_off(app, &mut tx, (request.id, *after), &work.drafts).await?;
    }
    let stored = settle(app, &mut tx, &mut request, result, now).await?;
    tx.commit().await?;
    Ok(stored)
}

/// The work of planning again just before a run's first step, if the one who asked may still have it.
pub async fn take_again(app: &App, run: RunId) -> anyhow::Result<TakenAgain> {
    let mut tx = store::begin(&app.pool).await?;
    let Some((mut request, mut run)) = unbegun(&mut tx, run).await? else {
        return Ok(TakenAgain::Not);
    };
    let now = store::now(&mut tx).await?;
    match entitled::right(app, &mut tx, &request, now).await? {
        Right::Holds => {}
        Right::Lost(why) => {
            supersede(&mut tx, (&mut request, &mut run), "right_lost", now).await?;
            withdraw(&mut tx, &mut request, &why, now).await?;
            message::milestone(&mut tx, request.id, Milestone::Ended, now).await?;
            tx.commit().await?;
            return Ok(TakenAgain::Not);
        }
        Right::Unknown(cause) => return Ok(TakenAgain::Wait { cause, until: None }),
    }
    // What could be made into steps once can be so again: the definition is the same bytes.
    match work(app, &mut tx, &request).await? {
        Ok(work) => match closed_until(app, &mut tx, &work, now).await? {
            None => Ok(TakenAgain::Work(Box::new(work))),
            until => Ok(TakenAgain::Wait {
                cause: "It was asked to come back later".to_owned(),
                until,
            }),
        },
        Err(refusal) => {
            supersede(&mut tx, (&mut request, &mut run), "not_to_be_planned", now).await?;
            refuse(&mut tx, &mut request, &refusal, now).await?;
            tx.commit().await?;
            Ok(TakenAgain::Not)
        }
    }
}

/// Compares a plan made just before the run with the approved one. Where they differ the votes are void and the request
/// goes on with the new plan.
pub async fn compare(
    app: &App,
    run: RunId,
    work: &PlanWork,
    result: Result<Planned, PlanError>,
) -> anyhow::Result<Compared> {
    let result = match result {
        Err(PlanError::Again { cause, after }) => {
            let refused = (work.request, after);
            put_off(app, &mut *app.pool.acquire().await?, refused, &work.drafts).await?;
            return Ok(Compared::Again { cause, after });
        }
        settled => settled,
    };
    // Mostly it is the same plan. Then nothing is written, so nothing is locked: what moves meanwhile is found by whoever
    // starts the run, under its lock.
    if let Ok(planned) = &result
        && store::run::to_begin(&mut *app.pool.acquire().await?, run, work.since).await?
            == Some(planned.plan.digest())
    {
        return Ok(Compared::Same);
    }
    let mut tx = store::begin(&app.pool).await?;
    let Some((mut request, mut run)) = unbegun(&mut tx, run).await? else {
        return Ok(Compared::Superseded);
    };
    if request.since != work.since {
        return Ok(Compared::Superseded);
    }
    let approved = store::run::approved_digest(&mut tx, run.approval).await?;
    if let Ok(planned) = &result
        && planned.plan.digest() == approved
    {
        return Ok(Compared::Same);
    }
    let now = store::now(&mut tx).await?;
    supersede(&mut tx, (&mut request, &mut run), "plan_differs", now).await?;
    settle(app, &mut tx, &mut request, result, now).await?;
    tx.commit().await?;
    Ok(Compared::Superseded)
}

/// Until when an action of this work is refused, if one is.
async fn closed_until(
    app: &App,
    conn: &mut Conn,
    work: &PlanWork,
    now: DateTime<Utc>,
) -> store::Result<Option<DateTime<Utc>>> {
    let actions = work.drafts.iter().map(|draft| &*draft.action);
    limit::closed_until(app, conn, actions, now).await
}

/// What planning was refused, no replica asks again before its time.
async fn put_off(
    app: &App,
    conn: &mut Conn,
    (request, after): (RequestId, Option<TimeDelta>),
    drafts: &[StepDraft],
) -> anyhow::Result<()> {
    let Some(after) = after else {
        return Ok(());
    };
    let until = store::now(conn).await? + after;
    let installation = store::request::installation(conn, request).await?;
    limit::close(app, conn, installation, limit::sharing(app, drafts), until).await?;
    Ok(())
}

/// The request and the run that has not begun its first step, both locked, in the order in which all verbs lock.
async fn unbegun(conn: &mut Conn, run: RunId) -> anyhow::Result<Option<(Request, Run)>> {
    let Some(request) = store::request::lock_of_run(conn, run).await? else {
        return Ok(None);
    };
    if request.state != RequestState::Approved {
        return Ok(None);
    }
    let current = store::run::lock_latest(conn, request.id).await?;
    let begins = |current: &Run| {
        current.id == run && matches!(current.state, RunState::Queued | RunState::Running)
    };
    Ok(current.filter(begins).map(|run| (request, run)))
}

/// The drafts of a request's steps; `Err`: its definition can't be made into steps with these inputs.
async fn work(
    app: &App,
    conn: &mut Conn,
    request: &Request,
) -> anyhow::Result<Result<PlanWork, Refusal>> {
    let definition = Definition::of(conn, request).await?;
    let drafts = match flow::steps(
        definition.asked(&app.settings.current().environment),
        app.library.actions(),
    ) {
        Ok(drafts) => drafts,
        Err(wrong) => {
            return Ok(Err(Refusal::new(format!("{wrong}."))
                .instead("The platform team can put the definition right.")));
        }
    };
    let requester = store::account::get(conn, request.account).await?.name;
    let github = store::account::on_github(conn, request.requester, request.created_at).await?;
    Ok(Ok(PlanWork {
        request: request.id,
        number: request.number,
        requester,
        github,
        asked_at: request.created_at,
        since: request.since,
        drafts,
        template: definition.template,
        inputs: definition.inputs,
    }))
}

/// Does with a locked request in planning what its planning brought.
async fn settle(
    app: &App,
    conn: &mut Conn,
    request: &mut Request,
    result: Result<Planned, PlanError>,
    now: DateTime<Utc>,
) -> anyhow::Result<Stored> {
    if !matches!(result, Err(PlanError::Again { .. })) {
        unhindered(request);
    }
    match result {
        Ok(planned) => keep::plan(app, conn, request, planned, now).await,
        Err(PlanError::Refused(refusal)) => {
            refuse(conn, request, &refusal, now).await?;
            Ok(Stored::Ended)
        }
        Err(PlanError::Again { cause, after }) => {
            again(app, conn, request, (cause, after), now).await
        }
    }
}

/// Planning comes to an end, or begins anew.
fn unhindered(request: &mut Request) {
    request.plan_attempts = 0;
    request.hindrance = None;
    request.hindered_since = None;
}

/// Enqueues another try and lets the card say why, or gives planning up.
async fn again(
    app: &App,
    conn: &mut Conn,
    request: &mut Request,
    (cause, after): (String, Option<TimeDelta>),
    now: DateTime<Utc>,
) -> anyhow::Result<Stored> {
    request.plan_attempts += i32::from(limit::spends(after, request.since, now));
    if request.plan_attempts < i32::try_from(app.settings.current().limits.plan_attempts)? {
        request.hindrance = Some(cause);
        request.hindered_since.get_or_insert(now);
        store::request::save(conn, request).await?;
        queue::enqueue_plan(
            conn,
            request.id,
            Some(now + wait(request.plan_attempts, after)),
        )
        .await?;
        message::raise(conn, request.id).await?;
        return Ok(Stored::Again);
    }
    unhindered(request);
    let reference = Reference::new();
    tracing::warn!(%reference, request = %request.id, cause, "Gave up planning");
    let end = End {
        reason: Some(cause),
        reference: Some(reference.to_string()),
        by: None,
    };
    end::request(conn, request, RequestMove::PlanFailed, end, now).await?;
    message::milestone(conn, request.id, Milestone::Ended, now).await?;
    Ok(Stored::Ended)
}

/// Doubling from two seconds, never shorter than the other side said.
fn wait(attempts: i32, after: Option<TimeDelta>) -> TimeDelta {
    let doubled = TimeDelta::seconds(1_i64 << attempts.clamp(1, 16));
    doubled.min(LONGEST_WAIT).max(after.unwrap_or_default())
}

/// It can't be done: ends the request with the sentence that says why.
async fn refuse(
    conn: &mut Conn,
    request: &mut Request,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let end = End {
        reason: Some(refusal.to_string()),
        ..End::default()
    };
    end::request(conn, request, RequestMove::PlanRefused, end, now).await?;
    Ok(message::milestone(conn, request.id, Milestone::Ended, now).await?)
}

/// The one who asked is gone, or may not any more: the request goes before anything runs.
async fn withdraw(
    conn: &mut Conn,
    request: &mut Request,
    why: &Refusal,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let end = End {
        reason: Some(why.to_string()),
        ..End::default()
    };
    end::request(conn, request, RequestMove::Cancel, end, now).await
}

/// Takes an approved request back to planning: its run never began, its votes are void.
async fn supersede(
    conn: &mut Conn,
    (request, run): (&mut Request, &mut Run),
    why: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let state = run.state.after(RunMove::Supersede)?;
    enter(run, state, now);
    store::run::save(conn, run).await?;
    request.state = request.state.after(RequestMove::PlanChanged)?;
    request.since = now;
    unhindered(request);
    store::request::save(conn, request).await?;
    let what = json!({ "run": run.id, "plan": request.plan, "why": why });
    audit::append(
        conn,
        Chain::Request(request.id),
        "request.plan_changed",
        now,
        what,
    )
    .await?;
    Ok(message::raise(conn, request.id).await?)
}
