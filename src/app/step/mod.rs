//! One step of a run: [`begin`] hands it out, `worker` lets it act, [`finish()`] writes what came of it.
//!
//! A step costs at most three commits. `begin` writes the attempt before any work. The work itself is outside. `finish`
//! journals the outcome, enqueues what comes next, raises the messages and deletes its own job in one transaction, so
//! a process may die anywhere: either nothing of the end is there and the step is run again (it ensures), or all of it.

mod backoff;
mod ending;
mod finish;

pub use ending::Ending;
pub use finish::{finish, hand_back, not_started};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::finish::{Stop, stopped, undone};
use super::audit::{self, Chain};
use super::run::{self, RunError, enter};
use super::{App, message};
use crate::catalog::expression;
use crate::domain::id::{RequestId, RunId};
use crate::domain::plan::PlannedStep;
use crate::domain::run::{Direction, RunMove, RunState, StepState};
use crate::store::queue::{self, Held, StepJob};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn, Tx};

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
    let mut turn = Turn::open(app, held, job).await?;
    let Some(mut run) = turn.run(job).await? else {
        return turn.close().await;
    };
    match (run.state, run.direction) {
        (RunState::Cancelling, Direction::Do) => {
            run::begin_undo(&mut turn.tx, &mut run, turn.now).await?;
            store::run::save(&mut turn.tx, &run).await?;
            turn.moved(&run, "run.undo_begun").await?;
            turn.close().await
        }
        (RunState::Queued, Direction::Do) if run.generation == 0 => {
            match turn.attempt(job).await? {
                Some(attempt) => turn.hand_out(Begun::PlanAgain(attempt)).await,
                None => turn.give_up_start(run, job).await,
            }
        }
        (RunState::Queued, Direction::Do) => {
            turn.start_run(&mut run).await?;
            turn.forward(app, run, job, None).await
        }
        (RunState::Running, Direction::Do) => turn.forward(app, run, job, None).await,
        (RunState::Undoing, Direction::Undo) => turn.back(run, job).await,
        _ => turn.close().await,
    }
}

/// Goes on with a run whose plan was found to be the approved one: the first step begins.
pub async fn start(app: &App, held: &Held, attempt: Attempt) -> Result<Begun, StepFailure> {
    let mut turn = Turn::open(app, held, attempt.job).await?;
    let Some(mut run) = turn.run(attempt.job).await? else {
        return turn.close().await;
    };
    match run.state {
        RunState::Queued => {
            turn.start_run(&mut run).await?;
            turn.forward(app, run, attempt.job, Some(attempt)).await
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

/// One transaction over one held job.
pub(super) struct Turn<'a> {
    tx: Tx,
    now: DateTime<Utc>,
    held: &'a Held,
}

impl<'a> Turn<'a> {
    async fn open(app: &App, held: &'a Held, job: StepJob) -> Result<Self, StepFailure> {
        let mut tx = store::begin(&app.pool).await?;
        let now = store::now(&mut tx).await?;
        if !queue::holds(&mut tx, held).await? {
            tracing::warn!(run = %job.run, seq = job.seq, "A step's job was lost to another worker before it began");
            return Err(StepFailure::LostOwnership);
        }
        Ok(Self { tx, now, held })
    }

    /// The run, locked, if the job is of its present generation and direction.
    async fn run(&mut self, job: StepJob) -> Result<Option<Run>, StepFailure> {
        let run = store::run::lock(&mut self.tx, job.run).await?;
        Ok(run.filter(|r| r.generation == job.generation && r.direction == job.direction))
    }

    /// Ends the job with the transaction.
    async fn close(mut self) -> Result<Begun, StepFailure> {
        self.finish_job().await?;
        self.tx.commit().await?;
        Ok(Begun::Nothing)
    }

    async fn finish_job(&mut self) -> Result<(), StepFailure> {
        if queue::finish(&mut self.tx, self.held).await? {
            Ok(())
        } else {
            Err(StepFailure::LostOwnership)
        }
    }

    /// Commits what stands so far and hands work out; the job stays held.
    async fn hand_out(self, begun: Begun) -> Result<Begun, StepFailure> {
        self.tx.commit().await?;
        Ok(begun)
    }

    async fn start_run(&mut self, run: &mut Run) -> Result<(), StepFailure> {
        let state = run.state.after(RunMove::Start).map_err(RunError::from)?;
        run.started_at = run.started_at.or(Some(self.now));
        enter(run, state, self.now);
        store::run::save(&mut self.tx, run).await?;
        self.moved(run, "run.started").await
    }

    /// Writes the attempt; `None`: too many never came back.
    async fn attempt(&mut self, job: StepJob) -> Result<Option<Attempt>, StepFailure> {
        let before = store::step::attempts(&mut self.tx, &job, self.now).await?;
        if before.lost >= backoff::MOST_LOST {
            return Ok(None);
        }
        let attempt = Attempt {
            job,
            number: before.last + 1,
        };
        let worker = &self.held.worker;
        store::step::begin_attempt(&mut self.tx, &job, attempt.number, worker, self.now).await?;
        Ok(Some(attempt))
    }

    /// The next step of a run that goes forward; `begun`: an attempt that stands already.
    async fn forward(
        mut self,
        app: &App,
        mut run: Run,
        job: StepJob,
        begun: Option<Attempt>,
    ) -> Result<Begun, StepFailure> {
        let mut steps = store::step::of_run(&mut self.tx, run.id).await?;
        let Some(at) = run::next_to_do(&steps).map(|s| s.seq) else {
            finish::succeeded(app, &mut self.tx, &mut run, &steps, self.now).await?;
            return self.close().await;
        };
        if at != job.seq {
            recorded_already(job, at);
            return self.close().await;
        }
        let planned = approved_step(&mut self.tx, &run, at).await?;
        let outputs = outputs(&steps, at);
        let Some(step) = steps.iter_mut().find(|s| s.seq == at) else {
            return self.close().await;
        };
        if let Some(until) = self.closed_until(&run, &planned.action).await? {
            return self.put_off(job, step, until).await;
        }
        match wanted(&planned, &outputs) {
            Ok(true) => {}
            Ok(false) => {
                step.state = StepState::Skipped;
                step.generation = run.generation;
                step.finished_at = Some(self.now);
                store::step::save(&mut self.tx, step).await?;
                finish::advance(app, &mut self.tx, &mut run, self.now).await?;
                return self.close().await;
            }
            Err(cause) => {
                let stop = Stop::failed(cause);
                stopped(&mut self.tx, &mut run, step, stop, self.now).await?;
                return self.close().await;
            }
        }
        let filled = planned
            .input
            .fill(&mut |text| expression::after(text, &outputs));
        let attempt = match (begun, &filled) {
            (_, Err(error)) => Err(Stop::failed(format!(
                "Its input can't be filled in: {error}"
            ))),
            (Some(attempt), Ok(_)) => Ok(attempt),
            (None, Ok(_)) => self.attempt(job).await?.ok_or_else(Stop::poison),
        };
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(stop) => {
                stopped(&mut self.tx, &mut run, step, stop, self.now).await?;
                return self.close().await;
            }
        };
        let first = step.generation != run.generation || step.started_at.is_none();
        step.generation = run.generation;
        step.started_at = if first {
            Some(self.now)
        } else {
            step.started_at
        };
        step.state = StepState::Running;
        step.wait_until = None;
        step.input = filled.ok();
        store::step::save(&mut self.tx, step).await?;
        let step = step.clone();
        message::raise(&mut self.tx, run.request).await?;
        let work = self.work(&run, &step, attempt, planned, outputs).await?;
        self.hand_out(Begun::Act(Box::new(work))).await
    }

    /// The next step of a run that goes back.
    async fn back(mut self, mut run: Run, job: StepJob) -> Result<Begun, StepFailure> {
        let mut steps = store::step::of_run(&mut self.tx, run.id).await?;
        let Some(at) = run::next_to_undo(&steps).map(|s| s.seq) else {
            undone(&mut self.tx, &mut run, self.now).await?;
            return self.close().await;
        };
        if at != job.seq {
            recorded_already(job, at);
            return self.close().await;
        }
        let planned = approved_step(&mut self.tx, &run, at).await?;
        let outputs = outputs(&steps, at);
        let Some(step) = steps.iter_mut().find(|s| s.seq == at) else {
            return self.close().await;
        };
        if let Some(until) = self.closed_until(&run, &planned.action).await? {
            return self.put_off(job, step, until).await;
        }
        if step.input.is_none() {
            // It never began, so there is nothing to take back.
            finish::taken_back(&mut self.tx, &mut run, step, self.now).await?;
            return self.close().await;
        }
        let Some(attempt) = self.attempt(job).await? else {
            finish::undo_stopped(&mut self.tx, &mut run, step, Stop::poison(), self.now).await?;
            return self.close().await;
        };
        step.wait_until = None;
        store::step::save(&mut self.tx, step).await?;
        let step = step.clone();
        let work = self.work(&run, &step, attempt, planned, outputs).await?;
        self.hand_out(Begun::Act(Box::new(work))).await
    }

    async fn work(
        &mut self,
        run: &Run,
        step: &Step,
        attempt: Attempt,
        planned: PlannedStep,
        outputs: Map<String, Value>,
    ) -> Result<Work, StepFailure> {
        let mut blobs = Vec::with_capacity(planned.blobs.len());
        for digest in &planned.blobs {
            blobs.extend(store::blob::get(&mut self.tx, *digest).await?);
        }
        Ok(Work {
            attempt,
            request: run.request,
            planned,
            outputs,
            output: step.output.clone(),
            blobs,
            now: self.now,
            since: step.started_at.unwrap_or(self.now),
        })
    }

    /// Until when the other side has refused the rate of this step's action: no replica asks it again before.
    async fn closed_until(
        &mut self,
        run: &Run,
        action: &str,
    ) -> Result<Option<DateTime<Utc>>, StepFailure> {
        let installation = store::run::installation(&mut self.tx, run.id).await?;
        let bucket = bucket(action);
        Ok(store::rate_limit::closed_until(&mut self.tx, installation, &bucket, self.now).await?)
    }

    /// Lets the job come again then. The old one goes first: both have the same key.
    async fn put_off(
        mut self,
        job: StepJob,
        step: &mut Step,
        until: DateTime<Utc>,
    ) -> Result<Begun, StepFailure> {
        step.wait_until = Some(until);
        store::step::save(&mut self.tx, step).await?;
        self.finish_job().await?;
        queue::enqueue_step(&mut self.tx, &job, Some(until)).await?;
        self.tx.commit().await?;
        Ok(Begun::Nothing)
    }

    /// Ends a run whose first job died each time while it planned again.
    async fn give_up_start(mut self, mut run: Run, job: StepJob) -> Result<Begun, StepFailure> {
        self.start_run(&mut run).await?;
        let mut steps = store::step::of_run(&mut self.tx, run.id).await?;
        if let Some(step) = steps.iter_mut().find(|s| s.seq == job.seq) {
            stopped(&mut self.tx, &mut run, step, Stop::poison(), self.now).await?;
        }
        self.close().await
    }

    async fn moved(&mut self, run: &Run, kind: &str) -> Result<(), StepFailure> {
        moved(&mut self.tx, run, kind, self.now).await
    }
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

/// The limit that all steps of an action share.
fn bucket(action: &str) -> String {
    format!("step:{action}")
}

fn recorded_already(job: StepJob, next: i32) {
    tracing::info!(run = %job.run, seq = job.seq, next, "A step's outcome is recorded already");
}

/// The step as it was approved: out of the very bytes that the approval is for.
async fn approved_step(conn: &mut Conn, run: &Run, seq: i32) -> Result<PlannedStep, StepFailure> {
    let bytes = store::run::approved_bytes(conn, run.approval).await?;
    read_step(&bytes, run.id, seq).map_err(StepFailure::Broken)
}

fn read_step(bytes: &[u8], run: RunId, seq: i32) -> anyhow::Result<PlannedStep> {
    use anyhow::Context as _;
    let start = bytes
        .iter()
        .position(|b| *b == 0)
        .context("a kept plan without its kind")?;
    let mut steps: Vec<PlannedStep> = serde_json::from_slice(&bytes[start + 1..])
        .with_context(|| format!("the approved plan of run {run} can't be read"))?;
    let at = usize::try_from(seq)?;
    anyhow::ensure!(at < steps.len(), "run {run} has no step {seq}");
    Ok(steps.swap_remove(at))
}

/// What the steps before this one brought.
fn outputs(steps: &[Step], before: i32) -> Map<String, Value> {
    let done = steps.iter().filter(|s| s.seq < before);
    done.filter_map(|s| Some((s.id.clone(), s.output.clone()?)))
        .collect()
}

/// Whether the step runs, now that the outputs before it are known.
fn wanted(step: &PlannedStep, outputs: &Map<String, Value>) -> Result<bool, String> {
    let Some(condition) = &step.condition else {
        return Ok(true);
    };
    condition
        .fill(&mut |text| expression::after(text, outputs))
        .map(|value| expression::holds(&value))
        .map_err(|error| format!("Its condition can't be decided: {error}"))
}
