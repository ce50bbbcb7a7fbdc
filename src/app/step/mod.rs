//! One step of a run: [`begin`] hands it out, `worker` lets it act, [`finish()`] writes what came of it.
//!
//! A step costs at most three commits. `begin` writes the attempt before any work. The work itself is outside. `finish`
//! journals the outcome, enqueues what comes next, raises the messages and deletes its own job in one transaction, so
//! a process may die anywhere: either nothing of the end is there and the step is run again (it ensures), or all of it.
//! A worker that goes on with the run keeps its job, which becomes the next step's: that one begins in the transaction
//! which ends the one before, so a step costs one commit.

mod backoff;
mod course;
mod delay;
mod ending;
mod finish;
mod planned;
mod turn;

pub use delay::{not_started, not_yet};
pub use ending::Ending;
pub use finish::{finish, finish_undo, hand_back};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::turn::Turn;
use super::audit::{self, Chain};
use super::run::{self, RunError};
use super::{App, message};
use crate::domain::id::RequestId;
use crate::domain::plan::PlannedStep;
use crate::domain::run::{Direction, RunState};
use crate::store::queue::{self, Held, StepJob};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn};

/// What a job turned out to be.
#[derive(Debug)]
pub enum Begun {
    /// Nothing to do: what there was is written, the job is gone.
    Nothing,
    /// The run has not started: its plan is made again and compared first, then [`start`] goes on.
    PlanAgain(Attempt),
    /// A step to be done or undone.
    Act(Box<Work>),
}

/// An attempt that stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The job.
    pub job: StepJob,
    /// Its number, from 1.
    pub number: i32,
}

/// A step to be done or undone.
#[derive(Debug, Clone)]
pub struct Work {
    /// The attempt that this is.
    pub attempt: Attempt,
    /// Whose it is.
    pub request: RequestId,
    /// The job of the step that follows when this one is done; none: it is the last, or an undo.
    pub next: Option<StepJob>,
    /// All the run's steps as they stand: as long as the run is not moved by anybody else, only who holds its job moves
    /// them.
    steps: Vec<Step>,
    /// The step exactly as approved.
    pub planned: PlannedStep,
    /// What the steps before it brought, by their ids.
    pub outputs: Map<String, Value>,
    /// For an undo: what the step had brought, if it came to its end.
    pub output: Option<Value>,
    /// The bytes that the step names.
    pub blobs: Vec<Vec<u8>>,
    /// The moment of this attempt.
    pub now: DateTime<Utc>,
    /// When the step was first begun in this generation.
    pub since: DateTime<Utc>,
}

/// What becomes of the worker's job once its step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It ends; whoever is free takes up the next step's.
    End,
    /// It becomes the next step's, and the worker goes on with that.
    GoOn,
}

/// Why a step couldn't be begun or finished.
#[derive(Debug, thiserror::Error)]
pub enum StepFailure {
    /// Another worker holds the job by now. Nothing was written; the handler must fail.
    #[error("the job was lost to another worker")]
    LostOwnership,
    /// The database, or a row that nobody understands.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

impl From<store::Error> for StepFailure {
    fn from(error: store::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<RunError> for StepFailure {
    fn from(error: RunError) -> Self {
        Self::Broken(error.into())
    }
}

/// Looks at a job that a worker holds: what is recorded already is not done again.
pub async fn begin(app: &App, held: &Held, job: StepJob) -> Result<Begun, StepFailure> {
    let turn = Turn::open(app, held, (job, None)).await?;
    take_up(app, turn).await
}

/// Looks again at a job whose run was not to begin at this attempt, which ends here.
pub async fn not_begun(app: &App, held: &Held, attempt: Attempt) -> Result<Begun, StepFailure> {
    let turn = Turn::open(app, held, (attempt.job, Some(attempt))).await?;
    take_up(app, turn).await
}

async fn take_up(app: &App, mut turn: Turn<'_>) -> Result<Begun, StepFailure> {
    let Some(mut run) = turn.run().await? else {
        return turn.close().await;
    };
    match (run.state, run.direction) {
        (RunState::Cancelling, Direction::Do) => {
            run::begin_undo(&mut turn.tx, &mut run, turn.now).await?;
            store::run::save(&mut turn.tx, &run).await?;
            turn.moved(&run, "run.undo_begun").await?;
            turn.close().await
        }
        (RunState::Queued, Direction::Do)
            if run.started_at.is_none() || turn.untouched(&run).await? =>
        {
            match turn.attempt().await? {
                Some(attempt) => turn.hand_out(Begun::PlanAgain(attempt)).await,
                None => turn.give_up_start(run).await,
            }
        }
        (RunState::Queued, Direction::Do) => {
            turn.start_run(&mut run).await?;
            turn.next_of(app, run).await
        }
        (RunState::Running, Direction::Do) => turn.next_of(app, run).await,
        (RunState::Undoing, Direction::Undo) => turn.back(app, run).await,
        _ => turn.close().await,
    }
}

/// Goes on with a run whose plan was found to be the approved one: the first step begins.
pub async fn start(app: &App, held: &Held, attempt: Attempt) -> Result<Begun, StepFailure> {
    let mut turn = Turn::open(app, held, (attempt.job, Some(attempt))).await?;
    let Some(mut run) = turn.run().await? else {
        return turn.close().await;
    };
    match run.state {
        RunState::Queued => {
            turn.start_run(&mut run).await?;
            turn.next_of(app, run).await
        }
        RunState::Cancelling => {
            run::begin_undo(&mut turn.tx, &mut run, turn.now).await?;
            store::run::save(&mut turn.tx, &run).await?;
            turn.moved(&run, "run.undo_begun").await?;
            turn.close().await
        }
        _ => turn.close().await,
    }
}

/// Fails where a worker doesn't hold a step's job any more.
pub async fn still_held(app: &App, held: &Held, job: StepJob) -> Result<(), StepFailure> {
    let mut conn = app.pool.acquire().await?;
    match queue::holds(&mut conn, held, &job).await? {
        Some(_) => Ok(()),
        None => Err(StepFailure::LostOwnership),
    }
}

/// Whether the step at work should let go: its run is being cancelled, or has gone on without it.
pub async fn let_go(app: &App, job: StepJob) -> store::Result<bool> {
    let mut conn = app.pool.acquire().await?;
    let run = store::run::get(&mut conn, job.run).await?;
    Ok(run.is_none_or(|run| {
        run.state == RunState::Cancelling
            || run.generation != job.generation
            || run.direction != job.direction
    }))
}

/// Writes what a run's move leaves: its messages raised, its audit row.
async fn moved(
    conn: &mut Conn,
    run: &Run,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<(), StepFailure> {
    message::raise(conn, run.request).await?;
    let what = json!({ "run": run.id, "generation": run.generation, "state": run.state });
    audit::append(conn, Chain::Request(run.request), kind, now, what).await?;
    Ok(())
}
