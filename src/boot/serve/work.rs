//! The worker: its connections, apart from those of what people wait for, and its work until told to stop.

use std::sync::Arc;
use std::time::Duration;

use graphile_worker::WorkerOptions;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::boot::database::Database;
use crate::worker::{self, Bench};

/// Jobs at work at a time in one process: steps mostly wait for the network.
const JOBS: usize = 8;
/// Connections of what works: one for each job and each of a sender's eight posts, and one each for the ear of all senders,
/// a lease, the tick and the sync of people. All of them hold one only for the length of a transaction (but for the
/// ear), so fewer do; who finds none waits.
const JOB_CONNECTIONS: u32 = 16;
/// The queue's own, apart from all others: signs of life must never wait for a connection (a worker without any is
/// taken for dead). One for each job that ends, and a few for fetching, sweeping and listening.
const QUEUE_CONNECTIONS: u32 = 12;
/// How long work waits for a connection: a busy database makes it late, never dead.
const WORK_PATIENCE: Duration = Duration::from_secs(30);

/// Connections of the worker's parts.
pub(super) struct Pools {
    pub(super) jobs: PgPool,
    pub(super) queue: PgPool,
}

impl Pools {
    pub(super) fn of(database: &Database) -> Self {
        Self {
            jobs: database.lazy_pool(JOB_CONNECTIONS, WORK_PATIENCE),
            queue: database.lazy_pool(QUEUE_CONNECTIONS, WORK_PATIENCE),
        }
    }
}

/// Works until told to stop.
pub(super) async fn work(
    bench: Bench,
    arrives: mpsc::Receiver<worker::Chat>,
    queue: PgPool,
    stop: CancellationToken,
) {
    // However this ends, also by a panic: half a process is worse than none.
    let _whole = stop.clone().drop_guard();
    let pool = queue.clone();
    let factory: worker::queue::Factory =
        Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
    let jobs = bench.app.pool.clone();
    if let Err(error) = worker::run(bench, arrives, factory, JOBS).await {
        // The process ends, and whoever supervises it starts a whole one.
        tracing::error!(%error, "Stopping");
        stop.cancel();
    }
    jobs.close().await;
    queue.close().await;
}
