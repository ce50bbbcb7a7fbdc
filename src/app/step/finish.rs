//! The end of an attempt: what came of it, what follows, all in one transaction with the end of its job.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::super::{App, Reference, message, new_id, plan, run};
use super::{Attempt, Begun, StepFailure, Work, backoff, bucket, ending, moved};
use crate::catalog::command::OnFailure;
use crate::domain::message::Milestone;
use crate::domain::run::{Direction, RunMove, RunState, StepState};
use crate::domain::step::{Done, Outcome, StepError};
use crate::store::queue::{self, Held};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn, Tx};

/// Why a step stops here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    cause: String,
    /// What to check, where the effect is unknown: then a person must look.
    check: Option<String>,
}

impl Stop {
    pub(super) fn failed(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            check: None,
        }
    }

    /// Every process that took the step up died on it.
    pub(super) fn poison() -> Self {
        Self::failed(format!(
            "idp itself stopped each time it tried this step ({} times)",
            backoff::MOST_LOST
        ))
    }
}

/// Journals what came of an attempt and lets the run go on, or stop.
///
/// `result` is of `run` while the run goes forward; the end of an undo comes as [`Outcome::Done`].
pub async fn finish(
    app: &App,
    held: &Held,
    work: &Work,
    result: Result<Outcome, StepError>,
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let mut end = End::open(&mut tx, held, work.attempt, now).await?;
    let (word, cause) = told(&result);
    end.attempt(work.attempt, word, cause).await?;
    if let Some((run, step)) = &mut end.found {
        match run.direction {
            Direction::Do => forward(app, &mut tx, run, step, result, now).await?,
            Direction::Undo => back(&mut tx, run, step, result, now).await?,
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Gives an attempt back untouched (the process stops): another replica takes it up at once.
pub async fn hand_back(app: &App, held: &Held, attempt: Attempt) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let mut end = End::open(&mut tx, held, attempt, now).await?;
    end.attempt(attempt, "handed_back", None).await?;
    queue::enqueue_step(&mut tx, &attempt.job, None).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts off a run whose plan couldn't be compared (the world gave no answer), and stops it after too many tries.
pub async fn not_started(
    app: &App,
    held: &Held,
    attempt: Attempt,
    cause: String,
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let mut end = End::open(&mut tx, held, attempt, now).await?;
    end.attempt(attempt, "again", Some(&cause)).await?;
    if let Some((run, step)) = &mut end.found {
        if step.tries + 1 >= backoff::MOST_TRIES && run.state == RunState::Queued {
            let state = run.state.after(RunMove::Start).map_err(run::RunError::from)?;
            run::enter(run, state, now);
            stopped(app, &mut tx, run, step, Stop::failed(cause), now).await?;
        } else {
            again(&mut tx, run, step, cause, None, now).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The end of one attempt: its job is gone with the transaction, its run is locked.
struct End<'t> {
    tx: &'t mut Tx,
    now: DateTime<Utc>,
    found: Option<(Run, Step)>,
}
