//! The end of an attempt: what came of it, what follows, all in one transaction with the end of its job. Where the next
//! step follows at once, it begins in that transaction too.

use chrono::{DateTime, Utc};

use super::super::run::{job, next_to_do};
use super::super::{App, limit, message, new_id};
use super::course::{Stop, advance, again, stopped, taken_back, turn_round, undo_stopped};
use super::turn::Turn;
use super::{Attempt, Begun, StepFailure, Then, Work, backoff};
use crate::domain::run::{RunState, StepState};
use crate::domain::step::{Done, Outcome, Record, StepError, TakenBack};
use crate::store::queue::{self, Held, StepJob};
use crate::store::run::Run;
use crate::store::service::Service;
use crate::store::step::Step;
use crate::store::{self, Conn, Json};

/// Journals what came of an attempt to do a step, and lets the run go on or stop. Gives the next step, begun, where the
/// worker is to go on with it.
pub async fn finish(
    app: &App,
    held: &Held,
    work: &Work,
    result: Result<Outcome, StepError>,
    then: Then,
) -> Result<Begun, StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    let done = matches!(result, Ok(Outcome::Done(_)));
    let next = work.next.filter(|_| done && then == Then::GoOn);
    let job = Job {
        held,
        next,
        steps: Some(&work.steps),
    };
    let Some(mut open) = close(&mut tx, job, work.attempt, told(&result)).await? else {
        tx.commit().await?;
        return Ok(Begun::Nothing);
    };
    let came_to = forward(app, &mut tx, &mut open, result).await?;
    let Open {
        now,
        mut run,
        steps,
        ..
    } = open;
    match (came_to, next) {
        (CameTo::Done, Some(next)) if next_to_do(&steps).is_some_and(|s| s.seq == next.seq) => {
            let turn = Turn::going_on(tx, now, (held, next));
            return turn.forward(app, run, steps).await;
        }
        (CameTo::Done, next) => {
            end_job(&mut tx, held, next).await?;
            advance(app, &mut tx, &mut run, &steps, now).await?;
        }
        (CameTo::Settled, next) => end_job(&mut tx, held, next).await?,
    }
    tx.commit().await?;
    Ok(Begun::Nothing)
}

/// Ends a job that was made into the next step's, which doesn't follow after all.
async fn end_job(conn: &mut Conn, held: &Held, next: Option<StepJob>) -> Result<(), StepFailure> {
    match next {
        Some(next) if queue::finish(conn, held, &next).await?.is_none() => {
            Err(StepFailure::LostOwnership)
        }
        _ => Ok(()),
    }
}

/// The same of an attempt to undo a step.
pub async fn finish_undo(
    app: &App,
    held: &Held,
    work: &Work,
    result: Result<Outcome<TakenBack>, StepError>,
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    if let Some(mut open) = close(&mut tx, Job::ends(held), work.attempt, told(&result)).await? {
        let Open { run, step, now, .. } = &mut open;
        back(app, &mut tx, (run, step), result, *now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Gives an attempt back untouched, since the process stops: another replica takes it up at once.
pub async fn hand_back(app: &App, held: &Held, attempt: Attempt) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    close(&mut tx, Job::ends(held), attempt, ("handed_back", None)).await?;
    queue::enqueue_step(&mut tx, &attempt.job, None).await?;
    tx.commit().await?;
    Ok(())
}

/// A run, locked, and the step whose job ended, or became the next one's, in this transaction.
pub(super) struct Open {
    pub(super) now: DateTime<Utc>,
    pub(super) run: Run,
    pub(super) step: Step,
    /// All its steps: as they were before, but for what [`forward`] has done.
    steps: Vec<Step>,
}

/// A held job at the end of an attempt.
pub(super) struct Job<'a> {
    held: &'a Held,
    /// The next step's, if it is to become that.
    next: Option<StepJob>,
    /// The run's steps, where they are known.
    steps: Option<&'a [Step]>,
}

impl<'a> Job<'a> {
    /// One that ends.
    pub(super) const fn ends(held: &'a Held) -> Self {
        Self {
            held,
            next: None,
            steps: None,
        }
    }
}

/// Ends the attempt and its job, or makes that the next step's. Gives what is to be moved on, unless the run has gone on
/// without this job.
pub(super) async fn close(
    conn: &mut Conn,
    job: Job<'_>,
    attempt: Attempt,
    (word, cause): (&str, Option<&str>),
) -> Result<Option<Open>, StepFailure> {
    let wanted = attempt.job;
    let Job { held, next, steps } = job;
    let held_until_now = match &next {
        Some(next) => queue::go_on(conn, held, (&wanted, next)).await?,
        None => queue::finish(conn, held, &wanted).await?,
    };
    let Some(now) = held_until_now else {
        return Err(StepFailure::LostOwnership);
    };
    let run = store::run::lock(conn, wanted.run).await?;
    store::step::end_attempt(conn, &wanted, attempt.number, word, cause, now).await?;
    let Some(run) = run.filter(|r| {
        r.generation == wanted.generation && r.direction == wanted.direction && !r.state.ended()
    }) else {
        end_job(conn, held, next).await?;
        return Ok(None);
    };
    let steps = match steps {
        Some(steps) => steps.to_vec(),
        None => store::step::of_run(conn, run.id).await?,
    };
    let step = steps.iter().find(|s| s.seq == wanted.seq).cloned();
    Ok(step.map(|step| Open {
        now,
        run,
        step,
        steps,
    }))
}

/// The journal's word for what came of an attempt, and its cause.
fn told<D>(result: &Result<Outcome<D>, StepError>) -> (&'static str, Option<&str>) {
    match result {
        Ok(Outcome::Done(_)) => ("done", None),
        Ok(Outcome::Wait { what, .. }) => ("wait", Some(what)),
        Err(error @ StepError::Again { .. }) => ("again", Some(error.cause())),
        Err(error @ StepError::Stop { .. }) => ("stop", Some(error.cause())),
        Err(error @ StepError::Unknown { .. }) => ("unknown", Some(error.cause())),
    }
}

/// What an attempt to do a step came to.
enum CameTo {
    /// The step is done; its run goes on.
    Done,
    /// What follows is written.
    Settled,
}

async fn forward(
    app: &App,
    conn: &mut Conn,
    open: &mut Open,
    result: Result<Outcome, StepError>,
) -> Result<CameTo, StepFailure> {
    let Open {
        now,
        run,
        step,
        steps,
    } = open;
    let now = *now;
    let result = match result {
        Ok(Outcome::Done(done)) => match keep(conn, run, done, step, now).await? {
            Ok(()) if run.state == RunState::Cancelling => {
                turn_round(conn, run, now).await?;
                return Ok(CameTo::Settled);
            }
            Ok(()) => {
                // Nobody else moves them while the run is locked.
                for before in steps.iter_mut().filter(|s| s.seq == step.seq) {
                    before.clone_from(step);
                }
                return Ok(CameTo::Done);
            }
            Err(cause) => Err(StepError::Stop { cause }),
        },
        Ok(Outcome::Wait { until, what }) => Ok((until, what)),
        Err(error) => Err(error),
    };
    if run.state == RunState::Cancelling {
        // Whatever came of it: the step has let go, and its undo looks at what is there.
        step.cause = result.err().map(|error| error.cause().to_owned());
        store::step::save(conn, step).await?;
        turn_round(conn, run, now).await?;
    } else {
        not_done(app, conn, (run, step), result, now).await?;
    }
    Ok(CameTo::Settled)
}

/// Lets a step come again that isn't done, or stops the run there.
async fn not_done(
    app: &App,
    conn: &mut Conn,
    (run, step): (&mut Run, &mut Step),
    result: Result<(DateTime<Utc>, String), StepError>,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    match result {
        Ok((until, what)) => {
            step.state = StepState::Waiting;
            wait(conn, run, step, what, until).await
        }
        Err(StepError::Stop { cause }) => stopped(conn, run, step, Stop::failed(cause), now).await,
        Err(StepError::Again { cause, after }) => {
            step.tries += i32::from(limit::spends(after, run.since, now));
            if step.tries >= backoff::MOST_TRIES {
                return stopped(conn, run, step, Stop::failed(cause), now).await;
            }
            again(app, conn, (run, step), (cause, after), now).await
        }
        Err(StepError::Unknown {
            cause,
            check,
            after,
        }) => {
            let spent = limit::spends(after, run.since, now);
            step.tries += i32::from(spent);
            step.unknowns += i32::from(spent);
            if step.unknowns >= backoff::MOST_UNKNOWN {
                let check = Some(check);
                return stopped(conn, run, step, Stop { cause, check }, now).await;
            }
            again(app, conn, (run, step), (cause, after), now).await
        }
    }
}

async fn back(
    app: &App,
    conn: &mut Conn,
    (run, step): (&mut Run, &mut Step),
    result: Result<Outcome<TakenBack>, StepError>,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    let (cause, check, after) = match result {
        Ok(Outcome::Done(came_to)) => {
            step.taken_back = Some(came_to);
            return taken_back(conn, run, step, now).await;
        }
        Ok(Outcome::Wait { until, what }) => return wait(conn, run, step, what, until).await,
        Err(StepError::Stop { cause }) => {
            return undo_stopped(conn, run, step, Stop::failed(cause), now).await;
        }
        Err(StepError::Again { cause, after }) => (cause, None, after),
        Err(StepError::Unknown {
            cause,
            check,
            after,
        }) => (cause, Some(check), after),
    };
    step.tries += i32::from(limit::spends(after, run.since, now));
    if step.tries >= backoff::MOST_TRIES {
        return undo_stopped(conn, run, step, Stop { cause, check }, now).await;
    }
    again(app, conn, (run, step), (cause, after), now).await
}

/// Lets a step come again then: no worker is held, and no try is spent.
async fn wait(
    conn: &mut Conn,
    run: &Run,
    step: &mut Step,
    what: String,
    until: DateTime<Utc>,
) -> Result<(), StepFailure> {
    step.cause = Some(what);
    step.wait_until = Some(until);
    store::step::save(conn, step).await?;
    queue::enqueue_step(conn, &job(run, step.seq), Some(until)).await?;
    Ok(message::raise(conn, run.request).await?)
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
        let Some(service) = service(conn, run, record).await? else {
            continue;
        };
        if !store::service::record(conn, &service, now).await? {
            let name = &service.name;
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

/// The row of a service that a step registered; the step that made its repository told the forge's id of it.
async fn service(
    conn: &mut Conn,
    run: &Run,
    record: &Record,
) -> Result<Option<Service>, StepFailure> {
    let Record::Service {
        name,
        owner,
        entity,
        repository,
        catalog_url,
    } = record
    else {
        return Ok(None);
    };
    let before = store::step::of_run(conn, run.id).await?;
    let told = before.into_iter().flat_map(|step| step.records.0);
    let forge_repository = told.into_iter().find_map(|made| match made {
        Record::Repository { page, id } if Some(&page) == repository.as_ref() => Some(id),
        Record::Repository { .. } | Record::Service { .. } => None,
    });
    Ok(Some(Service {
        id: new_id(),
        name: name.clone(),
        owner: owner.clone(),
        entity: entity.clone(),
        repository: repository.clone(),
        forge_repository,
        catalog_url: catalog_url.clone(),
        request: run.request,
    }))
}
