//! Runs: begun by an approval; retried, undone and cancelled by people. What a step's end does to its run is in
//! [`super::step`].

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::audit::{self, Chain};
use super::{message, new_id};
use crate::domain::id::{PersonId, RunId};
use crate::domain::plan::Plan;
use crate::domain::run::{Direction, IllegalMove, RunMove, RunState, StepState};
use crate::store::approval::Approval;
use crate::store::queue::{self, StepJob};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn};

/// How long people have to choose between Retry and Undo before a failed run is undone by itself:
/// `onFailure: ask`).
pub const UNDONE_AFTER: TimeDelta = TimeDelta::hours(24);

/// Why a run isn't moved.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its state doesn't allow it (any more).
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// The button was of an earlier generation of the run.
    #[error("the run has gone on to generation {0}")]
    Outdated(i32),
    /// The approval is too old to go on with the same plan: the request has to be asked again.
    #[error("the approval was good until {0}")]
    Stale(DateTime<Utc>),
    /// There is no such run.
    #[error("there is no such run")]
    Unknown,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Whose word moves a run, and what they saw of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The run.
    pub run: RunId,
    /// The generation that their card showed; none where the word isn't about one (cancel).
    pub generation: Option<i32>,
    /// Who; none: the clock.
    pub by: Option<PersonId>,
}

/// Writes an approval and makes its run: its row, its steps and its first job.
pub async fn begin(conn: &mut Conn, approval: &Approval, plan: &Plan) -> store::Result<RunId> {
    let run = Run {
        id: new_id(),
        approval: approval.id,
        request: approval.request,
        state: RunState::Queued,
        since: approval.created_at,
        generation: 0,
        direction: Direction::Do,
        started_at: None,
        ended_at: None,
        cancelled_by: None,
        acted_by: None,
        reference: None,
        output: None,
        undo_at: None,
    };
    store::approval::insert(conn, approval, &run, &plan.steps).await?;
    queue::enqueue_step(conn, &job(&run, 0), None).await?;
    Ok(run.id)
}

/// Goes on from the unfinished step, with the same plan, while the approval is good.
pub async fn retry(conn: &mut Conn, word: Word, now: DateTime<Utc>) -> Result<(), RunError> {
    let mut run = lock(conn, word).await?;
    let state = run.state.after(RunMove::Retry)?;
    let good_until = store::approval::get(conn, run.approval).await?.good_until;
    if now >= good_until {
        return Err(RunError::Stale(good_until));
    }
    let steps = store::step::of_run(conn, run.id).await?;
    run.generation += 1;
    run.direction = Direction::Do;
    run.undo_at = None;
    run.acted_by = word.by;
    run.reference = None;
    enter(&mut run, state, now);
    if let Some(step) = next_to_do(&steps) {
        let mut step = step.clone();
        step.state = StepState::Pending;
        step.tries = 0;
        step.unknowns = 0;
        step.cause = None;
        step.check = None;
        step.wait_until = None;
        store::step::save(conn, &step).await?;
        queue::enqueue_step(conn, &job(&run, step.seq), None).await?;
    }
    store::run::save(conn, &run).await?;
    told(conn, &run, "run.retried", word.by, now).await
}

/// Undoes what was done and the unfinished step, last first.
pub async fn undo(conn: &mut Conn, word: Word, now: DateTime<Utc>) -> Result<(), RunError> {
    let mut run = lock(conn, word).await?;
    run.state.after(RunMove::Undo)?;
    run.acted_by = word.by;
    begin_undo(conn, &mut run, now).await?;
    store::run::save(conn, &run).await?;
    told(conn, &run, "run.undo_begun", word.by, now).await
}

/// Stops what is under way and undoes it. A step at work is told and undone once it has let go.
pub async fn cancel(conn: &mut Conn, word: Word, now: DateTime<Utc>) -> Result<(), RunError> {
    let mut run = lock(conn, word).await?;
    let idle = run.state == RunState::Blocked;
    let state = run.state.after(RunMove::Cancel)?;
    run.cancelled_by = word.by;
    run.acted_by = word.by;
    run.undo_at = None;
    enter(&mut run, state, now);
    if idle {
        // Nobody is at work on it, so nobody else would notice.
        begin_undo(conn, &mut run, now).await?;
    } else {
        queue::hurry_run(conn, run.id).await?;
    }
    store::run::save(conn, &run).await?;
    told(conn, &run, "run.cancelled", word.by, now).await
}

/// Turns a locked run round: from here on its steps are undone. The caller saves it.
pub(super) async fn begin_undo(
    conn: &mut Conn,
    run: &mut Run,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    let state = run.state.after(RunMove::Undo)?;
    let again = run.direction == Direction::Undo;
    run.direction = Direction::Undo;
    run.undo_at = None;
    run.reference = None;
    if again {
        // Another go at an undo that failed: its attempts are counted afresh.
        run.generation += 1;
    }
    enter(run, state, now);
    let mut steps = store::step::of_run(conn, run.id).await?;
    for step in steps.iter_mut().filter(|s| to_undo(s)) {
        step.tries = 0;
        step.unknowns = 0;
        step.wait_until = None;
        store::step::save(conn, step).await?;
    }
    // The first job also ends a run of which nothing was begun.
    let seq = next_to_undo(&steps).map_or(0, |s| s.seq);
    queue::enqueue_step(conn, &job(run, seq), None).await?;
    Ok(())
}

/// The first step that is not done.
pub(super) fn next_to_do(steps: &[Step]) -> Option<&Step> {
    steps
        .iter()
        .find(|s| !matches!(s.state, StepState::Done | StepState::Skipped))
}

/// The last step that left, or may have left, something behind.
pub(super) fn next_to_undo(steps: &[Step]) -> Option<&Step> {
    steps.iter().rev().find(|s| to_undo(s))
}

fn to_undo(step: &Step) -> bool {
    match step.state {
        // One that is to be tried again may have left something at its first try.
        StepState::Pending => step.input.is_some(),
        StepState::Skipped | StepState::Undone => false,
        StepState::Running
        | StepState::Waiting
        | StepState::Done
        | StepState::Failed
        | StepState::Unknown
        | StepState::UndoFailed => true,
    }
}

/// Puts a run into a state as of now.
pub(super) fn enter(run: &mut Run, state: RunState, now: DateTime<Utc>) {
    run.state = state;
    run.since = now;
    run.ended_at = state.ended().then_some(now);
}

/// The job of one of a run's steps, as the run stands.
pub(super) fn job(run: &Run, seq: i32) -> StepJob {
    StepJob {
        run: run.id,
        seq,
        direction: run.direction,
        generation: run.generation,
    }
}

async fn lock(conn: &mut Conn, word: Word) -> Result<Run, RunError> {
    let run = store::run::lock(conn, word.run)
        .await?
        .ok_or(RunError::Unknown)?;
    match word.generation {
        Some(seen) if seen != run.generation => Err(RunError::Outdated(run.generation)),
        _ => Ok(run),
    }
}

async fn told(
    conn: &mut Conn,
    run: &Run,
    kind: &str,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    message::raise(conn, run.request).await?;
    let what = json!({ "run": run.id, "generation": run.generation, "state": run.state, "by": by });
    audit::append(conn, Chain::Request(run.request), kind, now, what).await?;
    Ok(())
}
