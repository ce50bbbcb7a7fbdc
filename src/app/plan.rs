//! Planning: hands out the work, keeps the plan that came of it, and finds the rule that decides it.
//!
//! Planning itself reaches into the world and so is `worker`'s: it calls [`take`], lets `steps` plan each draft, and
//! gives the whole back to [`store`]; just before a run it does the same with [`take_again`] and [`compare`].

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::App;
use crate::catalog::flow::StepDraft;
use crate::catalog::{Inputs, Template};
use crate::domain::id::{PlanId, RequestId, RequestNumber, RunId};
use crate::domain::plan::Plan;
use crate::domain::step::PlanError;

/// What is to be planned.
#[derive(Debug, Clone)]
pub struct PlanWork {
    /// For which request: its id is the marker that its creations carry.
    pub request: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The name of the one who asked, for what steps write into files.
    pub requester: String,
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
    },
}

/// The work of planning a request that is to be planned; `None`: nothing to do any more.
pub async fn take(app: &App, request: RequestId) -> anyhow::Result<Option<PlanWork>> {
    let _ = (app, request);
    anyhow::bail!("planning is not there yet")
}

/// Keeps what planning brought: plan, blobs, claims and rule, or the end of the request.
pub async fn store(
    app: &App,
    work: &PlanWork,
    result: Result<Planned, PlanError>,
) -> anyhow::Result<Stored> {
    let _ = (app, work, result);
    anyhow::bail!("planning is not there yet")
}

/// The work of planning again just before a run's first step; `None`: the run doesn't begin now.
pub async fn take_again(app: &App, run: RunId) -> anyhow::Result<Option<PlanWork>> {
    let _ = (app, run);
    anyhow::bail!("planning is not there yet")
}

/// Compares a plan made just before the run with the approved one. Where they differ the votes are void and the request
/// goes on with the new plan.
pub async fn compare(
    app: &App,
    run: RunId,
    work: &PlanWork,
    result: Result<Planned, PlanError>,
) -> anyhow::Result<Compared> {
    let _ = (app, run, work, result);
    anyhow::bail!("planning is not there yet")
}
