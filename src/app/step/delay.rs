//! A run that can't begin yet: its plan couldn't be made again, or nobody can tell whether it may begin.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::run::{RunError, enter, job};
use super::super::{App, limit, message};
use super::course::{Stop, later, stopped, turn_round};
use super::finish::{Job, Open, close};
use super::{Attempt, StepFailure, backoff};
use crate::domain::run::{RunMove, RunState};
use crate::store;
use crate::store::queue::{self, Held};

/// How often it is looked whether a run may begin: the groups are read once a minute.
const LOOK: TimeDelta = TimeDelta::seconds(30);

/// Puts off a run whose plan couldn't be made again (the world gave no answer, or asked to come back later), and stops it
/// after too many tries.
pub async fn not_started(
    app: &App,
    held: &Held,
    attempt: Attempt,
    (cause, after): (String, Option<TimeDelta>),
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    if let Some(mut open) =
        close(&mut tx, Job::ends(held), attempt, ("again", Some(&cause))).await?
    {
        let Open { run, step, now, .. } = &mut open;
        let now = *now;
        step.tries += i32::from(limit::spends(after, run.since, now));
        match run.state {
            RunState::Cancelling => turn_round(&mut tx, run, now).await?,
            RunState::Queued if step.tries >= backoff::MOST_TRIES => {
                let state = run.state.after(RunMove::Start).map_err(RunError::from)?;
                enter(run, state, now);
                stopped(&mut tx, run, step, Stop::failed(cause), now).await?;
            }
            // The limit that refused it is of another step than this first one, and closed already.
            _ => later(&mut tx, (run, step), (cause, after), now).await?,
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Puts off a run of which nobody can tell whether it may begin. That is nobody's failure, so it is looked at again for
/// as long as the approval is good; the card says why.
pub async fn not_yet(
    app: &App,
    held: &Held,
    attempt: Attempt,
    (cause, until): (String, Option<DateTime<Utc>>),
) -> Result<(), StepFailure> {
    let mut tx = store::begin(&app.pool).await?;
    if let Some(mut open) =
        close(&mut tx, Job::ends(held), attempt, ("again", Some(&cause))).await?
    {
        let Open { run, step, now, .. } = &mut open;
        let now = *now;
        let good_until = store::approval::get(&mut tx, run.approval)
            .await?
            .good_until;
        match run.state {
            RunState::Cancelling => turn_round(&mut tx, run, now).await?,
            RunState::Queued if now >= good_until => {
                let state = run.state.after(RunMove::Start).map_err(RunError::from)?;
                enter(run, state, now);
                stopped(&mut tx, run, step, Stop::failed(cause), now).await?;
            }
            _ => {
                let until = until.unwrap_or(now + LOOK);
                step.cause = Some(cause);
                step.wait_until = Some(until);
                store::step::save(&mut tx, step).await?;
                queue::enqueue_step(&mut tx, &job(run, step.seq), Some(until)).await?;
                message::raise(&mut tx, run.request).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}
