//! What a step's end does to its run: it goes on, ends, stops, or turns round.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::definition::Definition;
use super::super::run::{self, RunError, enter, job, next_to_do, next_to_undo};
use super::super::{App, Broken, limit, message};
use super::{Ending, StepFailure, backoff, moved};
use crate::catalog::command::OnFailure;
use crate::domain::message::Milestone;
use crate::domain::run::{RunMove, StepState};
use crate::domain::step::Record;
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn, queue};

/// Why a step stops here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    /// Why, as a sentence.
    pub cause: String,
    /// What to check, where the effect is unknown: then a person must look.
    pub check: Option<String>,
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
        let times = backoff::MOST_LOST;
        Self::failed(format!(
            "idp itself stopped each time it tried this step ({times} times)"
        ))
    }
}

/// Enqueues the next step, or ends the run.
pub(super) async fn advance(
    app: &App,
    conn: &mut Conn,
    run: &mut Run,
    steps: &[Step],
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let Some(next) = next_to_do(steps) else {
        return succeeded(app, conn, run, steps, now).await;
    };
    queue::enqueue_step(conn, &job(run, next.seq), None).await?;
    Ok(message::raise(conn, run.request).await?)
}

/// Ends a run of which every step is done.
pub(super) async fn succeeded(
    app: &App,
    conn: &mut Conn,
    run: &mut Run,
    steps: &[Step],
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let state = run.state.after(RunMove::Succeed).map_err(RunError::from)?;
    enter(run, state, now);
    run.output = match definition(conn, run)
        .await
        .and_then(|d| Ending::of(app, &d, steps))
    {
        Ok(ending) => Some(serde_json::to_value(ending).map_err(anyhow::Error::from)?),
        Err(error) => {
            // What was done is done; a link that can't be made is our trouble, told under a reference.
            Broken::log("making the links of a run", error);
            None
        }
    };
    store::run::save(conn, run).await?;
    store::claim::release(conn, run.request).await?;
    message::milestone(conn, run.request, Milestone::Ended, now).await?;
    moved(conn, run, "run.succeeded", now).await
}

/// Stops a run at a step: people choose, or what was done is undone at once, as the command says.
pub(super) async fn stopped(
    conn: &mut Conn,
    run: &mut Run,
    step: &mut Step,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let blocked = stop.check.is_some();
    let (moving, kind) = if blocked {
        (RunMove::Block, "run.blocked")
    } else {
        (RunMove::Fail, "run.failed")
    };
    let state = run.state.after(moving).map_err(RunError::from)?;
    run.reference = Some(reference(run, step, &stop));
    step.state = if blocked {
        StepState::Unknown
    } else {
        StepState::Failed
    };
    end_step(step, stop, now);
    store::step::save(conn, step).await?;
    enter(run, state, now);
    let at_once = !blocked && on_failure(conn, run).await == OnFailure::Undo;
    if at_once {
        let reference = run.reference.take();
        moved(conn, run, kind, now).await?;
        run::begin_undo(conn, run, now).await?;
        run.reference = reference;
        store::run::save(conn, run).await?;
        return moved(conn, run, "run.undo_begun", now).await;
    }
    if !blocked {
        run.undo_at = Some(now + run::UNDONE_AFTER);
    }
    store::run::save(conn, run).await?;
    message::milestone(conn, run.request, Milestone::Ended, now).await?;
    moved(conn, run, kind, now).await
}

/// Journals that a step was taken back, and goes on to the one before it, or ends the undo.
pub(super) async fn taken_back(
    conn: &mut Conn,
    run: &mut Run,
    step: &mut Step,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    for record in &step.records.0 {
        if let Record::Service { name, .. } = record {
            store::service::remove(conn, run.request, name).await?;
        }
    }
    step.state = StepState::Undone;
    step.finished_at = Some(now);
    step.check = None;
    step.wait_until = None;
    store::step::save(conn, step).await?;
    let steps = store::step::of_run(conn, run.id).await?;
    let Some(next) = next_to_undo(&steps) else {
        return undone(conn, run, now).await;
    };
    queue::enqueue_step(conn, &job(run, next.seq), None).await?;
    Ok(message::raise(conn, run.request).await?)
}

/// Ends a run of which nothing remains.
pub(super) async fn undone(
    conn: &mut Conn,
    run: &mut Run,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let state = run.state.after(RunMove::UndoDone).map_err(RunError::from)?;
    enter(run, state, now);
    store::run::save(conn, run).await?;
    store::claim::release(conn, run.request).await?;
    message::milestone(conn, run.request, Milestone::Ended, now).await?;
    moved(conn, run, "run.undone", now).await
}

/// Stops an undo at a step: something remains.
pub(super) async fn undo_stopped(
    conn: &mut Conn,
    run: &mut Run,
    step: &mut Step,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let state = run.state.after(RunMove::UndoFail).map_err(RunError::from)?;
    run.reference = Some(reference(run, step, &stop));
    step.state = StepState::UndoFailed;
    end_step(step, stop, now);
    store::step::save(conn, step).await?;
    enter(run, state, now);
    store::run::save(conn, run).await?;
    message::milestone(conn, run.request, Milestone::Ended, now).await?;
    moved(conn, run, "run.undo_failed", now).await
}

/// Lets the same step come again after a while. What its action was refused until then, no other step asks for.
pub(super) async fn again(
    app: &App,
    conn: &mut Conn,
    (run, step): (&Run, &mut Step),
    (cause, after): (String, Option<TimeDelta>),
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    if let Some(after) = after {
        let installation = store::request::installation(conn, run.request).await?;
        limit::close(app, conn, installation, [&*step.action], now + after).await?;
    }
    later(conn, (run, step), (cause, after), now).await
}

/// Lets the same step come again after a while.
pub(super) async fn later(
    conn: &mut Conn,
    (run, step): (&Run, &mut Step),
    (cause, after): (String, Option<TimeDelta>),
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let until = now + backoff::wait(step.tries, after, rand::random());
    step.cause = Some(cause);
    step.wait_until = Some(until);
    store::step::save(conn, step).await?;
    queue::enqueue_step(conn, &job(run, step.seq), Some(until)).await?;
    Ok(message::raise(conn, run.request).await?)
}

/// Begins the undo of a cancelled run, now that its step has let go.
pub(super) async fn turn_round(
    conn: &mut Conn,
    run: &mut Run,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    run::begin_undo(conn, run, now).await?;
    store::run::save(conn, run).await?;
    moved(conn, run, "run.undo_begun", now).await
}

fn end_step(step: &mut Step, stop: Stop, now: DateTime<Utc>) {
    step.cause = Some(stop.cause);
    step.check = stop.check;
    step.wait_until = None;
    step.finished_at = Some(now);
}

/// Tells the log why a run stopped, under the reference that its card shows.
fn reference(run: &Run, step: &Step, stop: &Stop) -> String {
    let cause = anyhow::anyhow!(
        "run {} of request {}, step {} ({}), {} of generation {}: {}",
        run.id,
        run.request,
        step.id,
        step.action,
        run.direction,
        run.generation,
        stop.cause
    );
    Broken::log("carrying out a step", cause)
        .reference
        .to_string()
}

async fn definition(conn: &mut Conn, run: &Run) -> anyhow::Result<Definition> {
    let request = store::request::get(conn, run.request).await?;
    Definition::of(conn, &request.context("a run without its request")?).await
}

/// What the command says about a failure; people are asked where it can't be read.
async fn on_failure(conn: &mut Conn, run: &Run) -> OnFailure {
    match definition(conn, run).await {
        Ok(definition) => definition.command.on_failure,
        Err(error) => {
            Broken::log("reading what a command says about failures", error);
            OnFailure::Ask
        }
    }
}
