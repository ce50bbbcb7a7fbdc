//! One transaction over one held job: what the job is about, and what there is to do.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::super::run::{self, RunError, enter};
use super::super::{App, limit, message};
use super::course::{self, Stop, stopped, undone};
use super::planned::{approved_step, outputs, wanted};
use super::{Attempt, Begun, StepFailure, Work, backoff, moved};
use crate::catalog::expression;
use crate::domain::plan::PlannedStep;
use crate::domain::run::{RunMove, StepState};
use crate::store::queue::{self, Held, StepJob};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Tx};

/// One transaction over one held job.
pub(super) struct Turn<'a> {
    pub(super) tx: Tx,
    pub(super) now: DateTime<Utc>,
    held: &'a Held,
    /// The step that it is for.
    job: StepJob,
    /// An attempt that stands in the journal already; it ends with the job unless work is handed out for it.
    begun: Option<Attempt>,
}

impl<'a> Turn<'a> {
    pub(super) async fn open(
        app: &App,
        held: &'a Held,
        (job, begun): (StepJob, Option<Attempt>),
    ) -> Result<Self, StepFailure> {
        let mut tx = store::begin(&app.pool).await?;
        let Some(now) = queue::holds(&mut tx, held, &job).await? else {
            tracing::warn!(run = %job.run, seq = job.seq, "A step's job was lost before it began");
            return Err(StepFailure::LostOwnership);
        };
        Ok(Self {
            tx,
            now,
            held,
            job,
            begun,
        })
    }

    /// Goes on in a transaction that made the held job into the next step's.
    pub(super) const fn going_on(
        tx: Tx,
        now: DateTime<Utc>,
        (held, job): (&'a Held, StepJob),
    ) -> Self {
        Self {
            tx,
            now,
            held,
            job,
            begun: None,
        }
    }

    /// The run, locked, if the job is of its present generation and direction.
    pub(super) async fn run(&mut self) -> Result<Option<Run>, StepFailure> {
        let job = self.job;
        let run = store::run::lock(&mut self.tx, job.run).await?;
        Ok(run.filter(|r| r.generation == job.generation && r.direction == job.direction))
    }

    /// Whether none of the run's steps was ever begun: then it starts, whichever generation it is.
    pub(super) async fn untouched(&mut self, run: &Run) -> Result<bool, StepFailure> {
        let steps = store::step::of_run(&mut self.tx, run.id).await?;
        Ok(steps.iter().all(|step| step.started_at.is_none()))
    }

    /// Ends the job with the transaction.
    pub(super) async fn close(mut self) -> Result<Begun, StepFailure> {
        self.finish_job().await?;
        self.tx.commit().await?;
        Ok(Begun::Nothing)
    }

    async fn finish_job(&mut self) -> Result<(), StepFailure> {
        self.end_begun().await?;
        match queue::finish(&mut self.tx, self.held, &self.job).await? {
            Some(_) => Ok(()),
            None => Err(StepFailure::LostOwnership),
        }
    }

    /// Ends an attempt for which no work is handed out after all: nobody died of it.
    async fn end_begun(&mut self) -> Result<(), StepFailure> {
        if let Some(Attempt { job, number }) = self.begun.take() {
            store::step::end_attempt(&mut self.tx, &job, number, "not_begun", None, self.now)
                .await?;
        }
        Ok(())
    }

    /// Commits what stands so far and hands work out; the job stays held.
    pub(super) async fn hand_out(self, begun: Begun) -> Result<Begun, StepFailure> {
        self.tx.commit().await?;
        Ok(begun)
    }

    pub(super) async fn start_run(&mut self, run: &mut Run) -> Result<(), StepFailure> {
        let state = run.state.after(RunMove::Start).map_err(RunError::from)?;
        run.started_at = run.started_at.or(Some(self.now));
        enter(run, state, self.now);
        store::run::save(&mut self.tx, run).await?;
        self.moved(run, "run.started").await
    }

    /// Writes the attempt; `None`: too many never came back.
    pub(super) async fn attempt(&mut self) -> Result<Option<Attempt>, StepFailure> {
        let job = self.job;
        self.end_begun().await?;
        let (worker, most) = (&self.held.worker, backoff::MOST_LOST);
        let begun = store::step::begin_attempt(&mut self.tx, &job, worker, most, self.now).await?;
        Ok(begun.map(|number| Attempt { job, number }))
    }

    /// The next step of a run that goes forward.
    pub(super) async fn next_of(mut self, app: &App, run: Run) -> Result<Begun, StepFailure> {
        let steps = store::step::of_run(&mut self.tx, run.id).await?;
        self.forward(app, run, steps).await
    }

    /// The same, where its steps are read already.
    pub(super) async fn forward(
        mut self,
        app: &App,
        mut run: Run,
        mut steps: Vec<Step>,
    ) -> Result<Begun, StepFailure> {
        let Some(at) = run::next_to_do(&steps).map(|s| s.seq) else {
            course::succeeded(app, &mut self.tx, &mut run, &steps, self.now).await?;
            return self.close().await;
        };
        if at != self.job.seq {
            recorded_already(self.job, at);
            return self.close().await;
        }
        let planned = approved_step(&mut self.tx, &run, at).await?;
        let outputs = outputs(&steps, at);
        let next = steps.iter().find(|s| s.seq == at + 1);
        let next = next.map(|next| run::job(&run, next.seq));
        let Some(step) = steps.iter_mut().find(|s| s.seq == at) else {
            return self.close().await;
        };
        let closed = limit::closed_until(app, &mut self.tx, [&*planned.action], self.now).await?;
        if let Some(until) = closed {
            // The one before it may have ended in this transaction.
            message::raise(&mut self.tx, run.request).await?;
            return self.put_off(step, until).await;
        }
        match wanted(&planned, &outputs) {
            Ok(true) => {}
            Ok(false) => {
                step.state = StepState::Skipped;
                step.generation = run.generation;
                step.finished_at = Some(self.now);
                store::step::save(&mut self.tx, step).await?;
                course::advance(app, &mut self.tx, &mut run, &steps, self.now).await?;
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
        let attempt = match &filled {
            Err(error) => Err(Stop::failed(format!(
                "Its input can't be filled in: {error}"
            ))),
            Ok(_) => match self.begun.take() {
                Some(attempt) => Ok(attempt),
                None => self.attempt().await?.ok_or_else(Stop::poison),
            },
        };
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(stop) => {
                stopped(&mut self.tx, &mut run, step, stop, self.now).await?;
                return self.close().await;
            }
        };
        if step.state == StepState::Pending {
            // What the run waited for before it began is over.
            step.tries = 0;
            step.unknowns = 0;
            step.cause = None;
        }
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
        let work = Work {
            next,
            steps,
            ..work
        };
        self.hand_out(Begun::Act(Box::new(work))).await
    }

    /// The next step of a run that goes back.
    pub(super) async fn back(mut self, app: &App, mut run: Run) -> Result<Begun, StepFailure> {
        let mut steps = store::step::of_run(&mut self.tx, run.id).await?;
        let Some(at) = run::next_to_undo(&steps).map(|s| s.seq) else {
            undone(&mut self.tx, &mut run, self.now).await?;
            return self.close().await;
        };
        if at != self.job.seq {
            recorded_already(self.job, at);
            return self.close().await;
        }
        let planned = approved_step(&mut self.tx, &run, at).await?;
        let outputs = outputs(&steps, at);
        let Some(step) = steps.iter_mut().find(|s| s.seq == at) else {
            return self.close().await;
        };
        let closed = limit::closed_until(app, &mut self.tx, [&*planned.action], self.now).await?;
        if let Some(until) = closed {
            return self.put_off(step, until).await;
        }
        if step.input.is_none() {
            // It never began, so there is nothing to take back.
            course::taken_back(&mut self.tx, &mut run, step, self.now).await?;
            return self.close().await;
        }
        let Some(attempt) = self.attempt().await? else {
            course::undo_stopped(&mut self.tx, &mut run, step, Stop::poison(), self.now).await?;
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
            next: None,
            steps: Vec::new(),
            planned,
            outputs,
            output: step.output.clone(),
            blobs,
            now: self.now,
            since: step.started_at.unwrap_or(self.now),
        })
    }

    /// Lets the job come again then. The old one goes first: both have the same key.
    async fn put_off(
        mut self,
        step: &mut Step,
        until: DateTime<Utc>,
    ) -> Result<Begun, StepFailure> {
        step.wait_until = Some(until);
        store::step::save(&mut self.tx, step).await?;
        self.finish_job().await?;
        queue::enqueue_step(&mut self.tx, &self.job, Some(until)).await?;
        self.tx.commit().await?;
        Ok(Begun::Nothing)
    }

    /// Ends a run whose first job died each time while it planned again.
    pub(super) async fn give_up_start(mut self, mut run: Run) -> Result<Begun, StepFailure> {
        self.start_run(&mut run).await?;
        let mut steps = store::step::of_run(&mut self.tx, run.id).await?;
        if let Some(step) = steps.iter_mut().find(|s| s.seq == self.job.seq) {
            stopped(&mut self.tx, &mut run, step, Stop::poison(), self.now).await?;
        }
        self.close().await
    }

    pub(super) async fn moved(&mut self, run: &Run, kind: &str) -> Result<(), StepFailure> {
        moved(&mut self.tx, run, kind, self.now).await
    }
}

fn recorded_already(job: StepJob, next: i32) {
    tracing::info!(run = %job.run, seq = job.seq, next, "A step's outcome is recorded already");
}
