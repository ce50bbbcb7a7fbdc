//! One step of a run: begun by `app`, done here, finished by `app`.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::job::{Held, StepJob};
use crate::app::plan::{self, Compared, TakenAgain};
use crate::app::step::{self, Attempt, Begun, Then, Work};
use crate::domain::run::Direction;
use crate::domain::step::{Outcome, StepError};
use crate::steps::{RunContext, StepKey};

use super::queue::Failure;
use super::{Bench, plan as planning};

/// How long steps at work are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a step at work looks whether its run was cancelled.
    pub look: Duration,
    /// How long a step may go on after it was told to let go; then it is cut off and its effect counts as unknown.
    pub let_go: Duration,
    /// How long a step may go on when the process stops, before it is told to let go. With `let_go` it stays within
    /// what the queue lets a stopping process.
    pub finish: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            look: Duration::from_millis(500),
            let_go: Duration::from_secs(5),
            finish: Duration::from_secs(15),
        }
    }
}

/// For how long a worker goes on with the same run from step to step. After that the next one goes through the queue, so
/// that nobody waits for the end of a long run.
const AT_A_STRETCH: Duration = Duration::from_secs(1);

/// After so long between the look at a job and the work on it the process may have slept (paused, or short of processor), and
/// the job is looked at again: it is another's where its worker was believed dead, which takes this much longer at least.
const SLEPT: Duration = Duration::from_secs(1);

/// Does what a step's job asks for, and goes on with the steps after it while they follow at once.
pub(super) async fn step(bench: &Bench, held: &Held, job: StepJob) -> Result<(), Failure> {
    let taken = Instant::now();
    let mut looked = taken;
    let mut begun = match step::begin(&bench.app, held, job).await? {
        Begun::PlanAgain(attempt) => plan_again(bench, held, attempt).await?,
        begun => begun,
    };
    loop {
        begun = match begun {
            Begun::Nothing => return Ok(()),
            // Were the job to end here, the run would be left without one.
            Begun::PlanAgain(_) => return Err(Failure::NotStarted),
            Begun::Act(work) => {
                if looked.elapsed() > SLEPT {
                    step::still_held(&bench.app, held, work.attempt.job).await?;
                }
                act(bench, held, *work, (taken, &mut looked)).await?
            }
        }
    }
}

/// Plans the run again, just before its first step: it goes on only if nothing differs from what was approved.
async fn plan_again(bench: &Bench, held: &Held, attempt: Attempt) -> Result<Begun, Failure> {
    let run = attempt.job.run;
    match plan::take_again(&bench.app, run).await? {
        TakenAgain::Work(work) => {
            let result = planning::make(bench, &work).await;
            match plan::compare(&bench.app, run, &work, result).await? {
                Compared::Same => return Ok(step::start(&bench.app, held, attempt).await?),
                Compared::Superseded => {
                    tracing::info!(%run, "The plan differs from the approved one");
                }
                Compared::Again { cause, after } => {
                    step::not_started(&bench.app, held, attempt, (cause, after)).await?;
                    return Ok(Begun::Nothing);
                }
            }
        }
        TakenAgain::Wait { cause, until } => {
            step::not_yet(&bench.app, held, attempt, (cause, until)).await?;
            return Ok(Begun::Nothing);
        }
        TakenAgain::Not => tracing::info!(%run, "The run may not begin any more"),
    }
    // The run doesn't begin: its state says so by now, and the job ends on it.
    Ok(step::not_begun(&bench.app, held, attempt).await?)
}

/// How the work on a step came to its end.
enum End<D> {
    /// By itself.
    Came(Result<Outcome<D>, StepError>),
    /// Interrupted, since the process stops.
    HandedBack,
}

/// Acts, and writes what came of it. Gives what follows, and sets the moment when the job was looked at for that.
async fn act(
    bench: &Bench,
    held: &Held,
    work: Work,
    (taken, looked): (Instant, &mut Instant),
) -> Result<Begun, Failure> {
    let (app, registry) = (&bench.app, &bench.registry);
    let context = context(&work);
    let (planned, outputs) = (&work.planned, &work.outputs);
    let handed_back = match work.attempt.job.direction {
        Direction::Do => {
            let acting = registry.run(planned, outputs, &context);
            match watched(bench, &work, &context.cancelled, acting).await {
                End::Came(result) => {
                    // What was tried before may have come to no end because of the step after it: then that one begins by
                    // itself.
                    let long = taken.elapsed() > AT_A_STRETCH || work.attempt.number > 1;
                    let then = if long || bench.stop.is_cancelled() {
                        Then::End
                    } else {
                        Then::GoOn
                    };
                    *looked = Instant::now();
                    return Ok(step::finish(app, held, &work, result, then).await?);
                }
                End::HandedBack => work.attempt,
            }
        }
        Direction::Undo => {
            let acting = registry.undo(planned, outputs, work.output.as_ref(), &context);
            match watched(bench, &work, &context.cancelled, acting).await {
                End::Came(result) => {
                    step::finish_undo(app, held, &work, result).await?;
                    return Ok(Begun::Nothing);
                }
                End::HandedBack => work.attempt,
            }
        }
    };
    step::hand_back(app, held, handed_back).await?;
    Ok(Begun::Nothing)
}

fn context(work: &Work) -> RunContext {
    let job = work.attempt.job;
    RunContext {
        key: StepKey {
            run: job.run,
            step: work.planned.id.clone(),
            generation: job.generation,
        },
        request: work.request,
        now: work.now,
        since: work.since,
        cancelled: CancellationToken::new(),
        blobs: work.blobs.iter().cloned().collect(),
    }
}

/// Lets a step act within its time, and tells it to let go where its run is cancelled or the process stops.
async fn watched<D>(
    bench: &Bench,
    work: &Work,
    cancelled: &CancellationToken,
    acting: impl Future<Output = Result<Outcome<D>, StepError>>,
) -> End<D> {
    let let_go = bench.patience.let_go;
    let doing = within(bench.registry.timeout(&work.planned.action), work, acting);
    tokio::pin!(doing);
    tokio::select! {
        biased;
        result = &mut doing => End::Came(result),
        () = told_to_let_go(bench, work.attempt.job) => {
            cancelled.cancel();
            let rest = tokio::time::timeout(let_go, &mut doing).await;
            End::Came(rest.unwrap_or_else(|_| Err(cut_off())))
        }
        () = stopping(bench) => {
            cancelled.cancel();
            match tokio::time::timeout(let_go, &mut doing).await {
                Ok(Ok(outcome)) => End::Came(Ok(outcome)),
                Ok(Err(_)) | Err(_) => End::HandedBack,
            }
        }
    }
}

/// The action itself, within its time.
async fn within<D>(
    limit: Duration,
    work: &Work,
    acting: impl Future<Output = Result<Outcome<D>, StepError>>,
) -> Result<Outcome<D>, StepError> {
    tokio::time::timeout(limit, acting)
        .await
        .unwrap_or_else(|_| {
            Err(StepError::Unknown {
                cause: format!("There was no answer for {} s", limit.as_secs()),
                check: format!("Whether \"{}\" took effect", work.planned.title),
                after: None,
            })
        })
}

fn cut_off() -> StepError {
    StepError::Unknown {
        cause: "It was cut off".to_owned(),
        check: "Whether it took effect".to_owned(),
        after: None,
    }
}

/// Resolves once the step's run is being cancelled. A database that gives no answer cancels nothing.
async fn told_to_let_go(bench: &Bench, job: StepJob) {
    loop {
        tokio::time::sleep(bench.patience.look).await;
        match step::let_go(&bench.app, job).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "Couldn't see whether a run is cancelled"),
        }
    }
}

/// Resolves once the process has been stopping for as long as a step may still take.
async fn stopping(bench: &Bench) {
    bench.stop.cancelled().await;
    tokio::time::sleep(bench.patience.finish).await;
}
