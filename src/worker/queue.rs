//! The queue's workers, supervised: a database error ends the crate's worker, so it is made and run again.

use std::sync::Arc;
use std::time::Duration;

use graphile_worker::{
    IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions,
    WorkerRecoveryConfig, local_queue::RefetchDelayConfig,
};

use super::{Bench, Shared, link, people, plan, step, twin};
use crate::app::job::{self, Held, LinkJob, LookupJob, PlanJob, StepJob, TwinJob};

/// Makes the options of a queue worker with the pool inside: `boot` has the database, `worker` has not.
pub type Factory = Arc<dyn Fn() -> WorkerOptions + Send + Sync>;

/// Signs of life, each second; a worker that gave none for three is dead and its jobs are taken over at once. A false
/// verdict costs a repeated step, never a repeated record.
const HEARTBEAT: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(1);
const DEAD_AFTER: Duration = Duration::from_secs(3);

/// The net under the notifications that wake a worker.
const POLL: Duration = Duration::from_secs(1);

/// The pause after an empty look. Without one, version 0.14.1's local queue wakes itself and looks again at once, some
/// two thousand times a second. A notification ends it.
const EMPTY: Duration = Duration::from_millis(200);

/// How long a stopping process lets its jobs end: longer than a step takes to finish or hand back.
const GRACE: Duration = Duration::from_secs(25);

/// How often the nets under the queue are looked at.
const GUARD: Duration = Duration::from_secs(30);

/// Waits between two lives of the crate's worker.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Works off the queue, `concurrency` jobs at a time, until the bench is told to stop.
pub async fn run(bench: Bench, factory: Factory, concurrency: usize) {
    let shared: Shared = Arc::new(bench);
    tokio::join!(work(&shared, &factory, concurrency), guard(&shared));
}

async fn work(shared: &Shared, factory: &Factory, concurrency: usize) {
    let mut wait = FIRST_WAIT;
    while !shared.stop.is_cancelled() {
        match options(factory(), shared, concurrency).init().await {
            Ok(worker) => {
                let began = tokio::time::Instant::now();
                if let Err(error) = worker.run().await {
                    tracing::warn!(%error, "The queue's worker ended; it is started again");
                }
                if began.elapsed() > LONGEST_WAIT {
                    wait = FIRST_WAIT;
                }
            }
            Err(error) => tracing::warn!(%error, "The queue's worker can't start; tried again"),
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.stop.cancelled() => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn options(base: WorkerOptions, shared: &Shared, concurrency: usize) -> WorkerOptions {
    let stop = shared.stop.clone();
    base.schema("graphile_worker")
        .concurrency(concurrency)
        .poll_interval(POLL)
        // No larger than what is at work: cached jobs would be locked here while other replicas idle.
        .local_queue(
            LocalQueueConfig::default()
                .with_size(concurrency)
                .with_refetch_delay(
                    RefetchDelayConfig::default()
                        .with_duration(EMPTY)
                        .with_max_abort_threshold(1),
                ),
        )
        .worker_recovery(
            WorkerRecoveryConfig::default()
                .heartbeat_interval(HEARTBEAT)
                .sweep_interval(SWEEP)
                .sweep_threshold(DEAD_AFTER)
                .recovery_delay(Duration::ZERO),
        )
        .listen_os_shutdown_signals(false)
        .shutdown_signal(async move { stop.cancelled().await })
        .shutdown_grace_period(GRACE)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .add_extension(Arc::clone(shared))
        .define_job::<PlanJob>()
        .define_job::<StepJob>()
        .define_job::<LookupJob>()
        .define_job::<TwinJob>()
        .define_job::<LinkJob>()
}

/// Looks after the queue until told to stop. What it finds is a bug: it is told, and only stuck queues are mended.
async fn guard(shared: &Shared) {
    while !shared.stop.is_cancelled() {
        match job::guard(&shared.app).await {
            Ok(caught) => {
                if caught.freed > 0 {
                    tracing::error!(freed = caught.freed, "Named queues were stuck");
                }
                for run in caught.stranded {
                    tracing::error!(%run, "A run should move but has no job");
                }
            }
            Err(error) => tracing::warn!(%error, "The queue couldn't be looked after"),
        }
        tokio::select! {
            () = tokio::time::sleep(GUARD) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Why a handler fails: the queue keeps this text and comes again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the worker has no bench")]
    NoBench,
    #[error("the run neither began nor moved on")]
    NotStarted,
    #[error(transparent)]
    Step(#[from] crate::app::step::StepFailure),
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

/// What a handler works with: the bench, and its job as held.
pub(super) fn taken(context: &WorkerContext) -> Result<(Shared, Held), Failure> {
    let bench = context.get_ext::<Shared>().ok_or(Failure::NoBench)?;
    let job = context.job();
    let held = Held {
        job: *job.id(),
        worker: context.worker_id().to_owned(),
        queue: *job.job_queue_id(),
    };
    Ok((Arc::clone(bench), held))
}

impl TaskHandler for PlanJob {
    const IDENTIFIER: &'static str = Self::IDENTIFIER;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (bench, _) = taken(&context)?;
        plan::plan(&bench, self).await.map_err(Failure::from)
    }
}

impl TaskHandler for StepJob {
    const IDENTIFIER: &'static str = Self::IDENTIFIER;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (bench, held) = taken(&context)?;
        let _alone = bench.alone.with(held.job).await;
        step::step(&bench, &held, self).await
    }
}

impl TaskHandler for LookupJob {
    const IDENTIFIER: &'static str = Self::IDENTIFIER;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (bench, _) = taken(&context)?;
        let looked_up = people::look_up(&bench.app, &bench.chats, self).await;
        looked_up.map_err(Failure::from)
    }
}

impl TaskHandler for LinkJob {
    const IDENTIFIER: &'static str = Self::IDENTIFIER;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (bench, _) = taken(&context)?;
        link::link(&bench, self).await.map_err(Failure::from)
    }
}

impl TaskHandler for TwinJob {
    const IDENTIFIER: &'static str = Self::IDENTIFIER;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (bench, _) = taken(&context)?;
        let deleted = twin::delete(&bench.chats, &self).await;
        deleted.map_err(Failure::from)
    }
}
