//! Postgres goes away at once and comes back, again and again, while runs are at work: each ends, no step twice.

use std::path::Path;
use std::time::Duration;

use idp::boot::postgres::{Cluster, Settings, open, silent};
use idp::boot::schema;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use tokio::time::Instant;

use super::PATIENCE;
use super::world::World;

const REPLICAS: usize = 3;
const RESTARTS: usize = 4;
/// Runs that are begun before each time the server goes away.
const RUNS: usize = 6;
/// How long connections are waited for, and a longer time for which the server stays away once.
const ACQUIRE: Duration = Duration::from_secs(2);
const OUTAGE: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_survive_a_postgres_that_restarts_under_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = start(dir.path()).await;
    let pool = PgPoolOptions::new()
        .max_connections(20)
        .acquire_timeout(ACQUIRE)
        .connect_with(cluster.options())
        .await
        .unwrap();
    schema::migrate(&pool).await.unwrap();
    let world = World::at(pool).await;
    let working: Vec<_> = (0..REPLICAS).map(|_| world.work()).collect();
    let mut random = StdRng::seed_from_u64(142);
    let steps = ["a", "b", "c", "d"].map(|id| (id, json!({})));
    for restart in 0..=RESTARTS {
        for _ in 0..RUNS {
            world.ask(&steps).await;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        crash(dir.path()).await;
        if restart == RESTARTS {
            tokio::time::sleep(OUTAGE).await;
        }
        drop(cluster); // its server is gone
        cluster = start(dir.path()).await;
    }

    let runs = i64::try_from(RUNS * (RESTARTS + 1)).unwrap();
    let until = Instant::now() + 3 * PATIENCE;
    while world.count("run where state = 'succeeded'").await < runs {
        assert!(
            Instant::now() < until,
            "{} runs of {runs} ended",
            world.count("run where state = 'succeeded'").await
        );
        world.hurry().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for working in working {
        working.stop().await;
    }
    let expected = runs * i64::try_from(steps.len()).unwrap();
    assert_eq!(world.count("step where state = 'done'").await, expected);
    assert_eq!(
        world.count("step_attempt where outcome = 'done'").await,
        expected
    );
    let again = "step_attempt a join step s using (run_id, seq) where a.started_at > s.finished_at";
    assert_eq!(world.count(again).await, 0, "a recorded step began again");
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
    let locked = "graphile_worker._private_job_queues where locked_by is not null";
    assert_eq!(world.count(locked).await, 0);
    world.pool.close().await;
    cluster.close().await.unwrap();
}

async fn start(dir: &Path) -> Cluster {
    let settings = Settings::new(dir.to_owned(), crate::support::postgres::kept_dir());
    open(&settings, silent()).await.unwrap()
}

/// The immediate stop of Postgres: no connection ends in order, the next start recovers.
async fn crash(dir: &Path) {
    let pid = std::fs::read_to_string(dir.join("postgres/data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    kill_process(pid, Signal::QUIT).unwrap();
    let until = Instant::now() + PATIENCE;
    while test_kill_process(pid).is_ok() {
        assert!(Instant::now() < until, "Postgres doesn't stop");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
