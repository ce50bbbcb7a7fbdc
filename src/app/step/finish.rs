//! The end of an attempt: what came of it, what follows, all in one transaction with the end of its job.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::definition::Definition;
use super::super::run::{self, RunError, enter, job, next_to_do, next_to_undo};
use super::super::{App, Broken, message, new_id};
use super::{Attempt, Ending, StepFailure, Work, backoff, bucket, moved};
use crate::catalog::command::OnFailure;
use crate::domain::message::Milestone;
use crate::domain::run::{Direction, RunMove, RunState, StepState};
use crate::domain::step::{Done, Outcome, Record, StepError};
use crate::store::queue::{self, Held};
use crate::store::run::Run;
use crate::store::service::Service;
use crate::store::step::Step;
use crate::store::{self, Conn, Json};

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
        let times = backoff::MOST_LOST;
        Self::failed(format!(
            "idp itself stopped each time it tried this step ({times} times)"
        ))
    }
}

/// Journals what came of an attempt, and lets the run go on or stop.
///
/// `result` is what `run` gave while the run goes forward; the end of an undo comes as [`Outcome::Done`].
pub async fn finish(
    app: &App,
    held: &Held,
    work: &Work,
    result: Result<Outcome, StepError>,
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let (word, cause) = told(&result);
    if let Some((mut run, mut step)) = close(&mut tx, held, work.attempt, word, cause, now).await? {
        let (run, step) = (&mut run, &mut step);
        match run.direction {
            Direction::Do => forward(app, &mut tx, run, step, result, now).await?,
            Direction::Undo => back(&mut tx, run, step, result, now).await?,
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Gives an attempt back untouched, since the process stops: another replica takes it up at once.
pub async fn hand_back(app: &App, held: &Held, attempt: Attempt) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    close(&mut tx, held, attempt, "handed_back", None, now).await?;
    queue::enqueue_step(&mut tx, &attempt.job, None).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts off a run whose plan couldn't be made again (the world gave no answer), and stops it after too many tries.
pub async fn not_started(
    app: &App,
    held: &Held,
    attempt: Attempt,
    cause: String,
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let found = close(&mut tx, held, attempt, "again", Some(&cause), now).await?;
    if let Some((mut run, mut step)) = found {
        let (run, step) = (&mut run, &mut step);
        step.tries += 1;
        match run.state {
            RunState::Cancelling => turn_round(&mut tx, run, now).await?,
            RunState::Queued if step.tries >= backoff::MOST_TRIES => {
                let state = run.state.after(RunMove::Start).map_err(RunError::from)?;
                enter(run, state, now);
                stopped(&mut tx, run, step, Stop::failed(cause), now).await?;
            }
            _ => again(&mut tx, run, step, cause, None, now).await?,
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Ends the job and the attempt. Gives the run, locked, and the step, unless the run has gone on without this job.
async fn close(
    conn: &mut Conn,
    held: &Held,
    attempt: Attempt,
    word: &str,
    cause: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<(Run, Step)>, StepFailure> {
    let wanted = attempt.job;
    if !queue::finish(conn, held).await? {
        return Err(StepFailure::LostOwnership);
    }
    let run = store::run::lock(conn, wanted.run).await?;
    store::step::end_attempt(conn, &wanted, attempt.number, word, cause, now).await?;
    let Some(run) = run.filter(|r| {
        r.generation == wanted.generation && r.direction == wanted.direction && !r.state.ended()
    }) else {
        return Ok(None);
    };
    let steps = store::step::of_run(conn, run.id).await?;
    let step = steps.into_iter().find(|s| s.seq == wanted.seq);
    Ok(step.map(|step| (run, step)))
}

/// The journal's word for what came of an attempt, and its cause.
fn told(result: &Result<Outcome, StepError>) -> (&'static str, Option<&str>) {
    match result {
        Ok(Outcome::Done(_)) => ("done", None),
        Ok(Outcome::Wait { what, .. }) => ("wait", Some(what)),
        Err(error @ StepError::Again { .. }) => ("again", Some(error.cause())),
        Err(error @ StepError::Stop { .. }) => ("stop", Some(error.cause())),
        Err(error @ StepError::Unknown { .. }) => ("unknown", Some(error.cause())),
    }
}

async fn forward(
    app: &App,
    conn: &mut Conn,
    run: &mut Run,
    step: &mut Step,
    result: Result<Outcome, StepError>,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let result = match result {
        Ok(Outcome::Done(done)) => match keep(conn, run, done, step, now).await? {
            Ok(()) if run.state == RunState::Cancelling => {
                return turn_round(conn, run, now).await;
            }
            Ok(()) => return advance(app, conn, run, now).await,
            Err(cause) => Err(StepError::Stop { cause }),
        },
        other => other,
    };
    if run.state == RunState::Cancelling {
        // Whatever came of it: the step has let go, and its undo looks at what is there.
        step.cause = result.err().map(|error| error.cause().to_owned());
        store::step::save(conn, step).await?;
        return turn_round(conn, run, now).await;
    }
    match result {
        Ok(Outcome::Done(_)) => Ok(()),
        Ok(Outcome::Wait { until, what }) => {
            step.state = StepState::Waiting;
            step.cause = Some(what);
            step.wait_until = Some(until);
            store::step::save(conn, step).await?;
            queue::enqueue_step(conn, &job(run, step.seq), Some(until)).await?;
            Ok(message::raise(conn, run.request).await?)
        }
        Err(StepError::Stop { cause }) => stopped(conn, run, step, Stop::failed(cause), now).await,
        Err(StepError::Again { cause, after }) => {
            step.tries += 1;
            if step.tries >= backoff::MOST_TRIES {
                return stopped(conn, run, step, Stop::failed(cause), now).await;
            }
            again(conn, run, step, cause, after, now).await
        }
        Err(StepError::Unknown { cause, check }) => {
            step.tries += 1;
            if step.tries >= backoff::MOST_UNKNOWN {
                let check = Some(check);
                return stopped(conn, run, step, Stop { cause, check }, now).await;
            }
            again(conn, run, step, cause, None, now).await
        }
    }
}

async fn back(
    conn: &mut Conn,
    run: &mut Run,
    step: &mut Step,
    result: Result<Outcome, StepError>,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let (cause, check, after) = match result {
        Ok(_) => return taken_back(conn, run, step, now).await,
        Err(StepError::Stop { cause }) => {
            return undo_stopped(conn, run, step, Stop::failed(cause), now).await;
        }
        Err(StepError::Again { cause, after }) => (cause, None, after),
        Err(StepError::Unknown { cause, check }) => (cause, Some(check), None),
    };
    step.tries += 1;
    if step.tries >= backoff::MOST_TRIES {
        return undo_stopped(conn, run, step, Stop { cause, check }, now).await;
    }
    again(conn, run, step, cause, after, now).await
}

/// Journals a step's output with everything that it left. An `Err` is a sentence for people: it can't be kept.
async fn keep(
    conn: &mut Conn,
    run: &Run,
    done: Done,
    step: &mut Step,
    now: DateTime<Utc>,
) -> Result<Result<(), String>, StepFailure> {
    for record in &done.records {
        let Record::Service {
            name,
            owner,
            entity,
            repository,
            catalog_url,
        } = record;
        let service = Service {
            id: new_id(),
            name: name.clone(),
            owner: owner.clone(),
            entity: entity.clone(),
            repository: repository.clone(),
            catalog_url: catalog_url.clone(),
            request: run.request,
        };
        if !store::service::record(conn, &service, now).await? {
            return Ok(Err(format!("Another request has made a service `{name}`")));
        }
    }
    for bytes in &done.blobs {
        store::blob::put(conn, bytes, now).await?;
    }
    step.state = StepState::Done;
    step.output = Some(done.output);
    step.records = Json(done.records);
    step.cause = None;
    step.check = None;
    step.wait_until = None;
    step.finished_at = Some(now);
    store::step::save(conn, step).await?;
    Ok(Ok(()))
}

/// Enqueues the next step, or ends the run.
pub(super) async fn advance(
    app: &App,
    conn: &mut Conn,
    run: &mut Run,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let steps = store::step::of_run(conn, run.id).await?;
    let Some(next) = next_to_do(&steps) else {
        return succeeded(app, conn, run, &steps, now).await;
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
        let Record::Service { name, .. } = record;
        store::service::remove(conn, run.request, name).await?;
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

/// Lets the same step come again after a while.
async fn again(
    conn: &mut Conn,
    run: &Run,
    step: &mut Step,
    cause: String,
    after: Option<TimeDelta>,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let until = now + backoff::wait(step.tries, after, rand::random());
    if let Some(after) = after {
        let installation = store::run::installation(conn, run.id).await?;
        store::rate_limit::close(conn, installation, &bucket(&step.action), now + after).await?;
    }
    step.cause = Some(cause);
    step.wait_until = Some(until);
    store::step::save(conn, step).await?;
    queue::enqueue_step(conn, &job(run, step.seq), Some(until)).await?;
    Ok(message::raise(conn, run.request).await?)
}

/// Begins the undo of a cancelled run, now that its step has let go.
async fn turn_round(conn: &mut Conn, run: &mut Run, now: DateTime<Utc>) -> Result<(), StepFailure> {
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
    use anyhow::Context as _;
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
