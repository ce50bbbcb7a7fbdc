//! Replicas killed and paused at random under load: what is recorded is never done again, nothing is left behind.
//!
//! The replicas are processes of this very test binary, started with the name of the ignored test [`replica`], so that
//! a kill is a kill. Every beginning of a step is written on a connection of its own, outside all transactions.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use graphile_worker::WorkerOptions;
use idp::domain::action::{ActionSpec, Undo};
use idp::domain::plan::PlannedValue;
use idp::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use idp::steps::{Action, PlanContext, Registry, RunContext};
use idp::worker::{Bench, Patience};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

use super::world::{World, app};

/// Where a replica's database is.
const URL: &str = "IDP_TEST_REPLICA_URL";

const REPLICAS: usize = 3;
const KILLS: usize = 24;
const RUNS: usize = 24;
const STEPS: usize = 5;

/// A step that takes its time and writes down that it began.
#[derive(Debug)]
struct Written(PgPool);

#[async_trait]
impl Action for Written {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: "test:step",
            title: "Try",
            input: json!({ "type": "object" }),
            outputs: &["value"],
            undo: Undo::Nothing,
            limit: None,
        }
    }

    async fn plan(&self, _: &PlanContext<'_>, _: &PlannedValue) -> Result<StepPlan, PlanError> {
        Ok(StepPlan::default())
    }

    async fn run(&self, context: &RunContext, _: &Value) -> Result<Outcome, StepError> {
        sqlx::query("insert into begun (run, step, at) values ($1, $2, idp_now())")
            .bind(context.key.run.uuid())
            .bind(&context.key.step)
            .execute(&self.0)
            .await
            .map_err(|error| StepError::Again {
                cause: error.to_string(),
                after: None,
            })?;
        let time = rand::rng().random_range(20..120);
        tokio::time::sleep(Duration::from_millis(time)).await;
        Ok(Outcome::Done(Done {
            output: json!({ "value": context.key.step }),
            ..Done::default()
        }))
    }

    async fn undo(
        &self,
        _: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        Ok(Outcome::Done(TakenBack::Nothing))
    }
}

/// Not a test: what a replica runs until it is killed.
#[test]
#[ignore = "a process of its own, started by replicas_killed_at_random"]
fn replica() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connect = |size| PgPoolOptions::new().max_connections(size).connect(&url);
        let (pool, own) = (connect(12).await.unwrap(), connect(4).await.unwrap());
        let registry = Registry::of(vec![Box::new(Written(own))]);
        let bench = Bench {
            app: app(&pool, &registry),
            registry,
            chats: idp::worker::Chats::default(),
            hub: None,
            patience: Patience::default(),
            alone: idp::worker::Alone::default(),
            stop: CancellationToken::new(),
        };
        let factory: idp::worker::queue::Factory =
            Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
        idp::worker::queue::run(bench, factory, 4).await;
    });
}

struct Replica(Child);

impl Replica {
    fn start(url: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "engine::kills::replica",
                "--ignored",
                "--nocapture",
            ])
            .env(URL, url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All that is known of steps that began when they shouldn't: their beginnings and attempts, in the order of time.
async fn evidence(pool: &PgPool, repeated: &str) -> Vec<String> {
    let sql = format!(
        "with wrong as (select distinct s.run_id, s.seq, s.id from {repeated})
         select told from (
             select b.at, format('%s %s began', b.at, b.step) as told
             from begun b join wrong w on w.run_id = b.run and w.id = b.step
             union all
             select a.started_at, format('%s %s attempt %s by %s: %s %s', a.started_at, w.id, a.attempt, a.worker,
                                         a.outcome, a.finished_at)
             from step_attempt a join wrong w using (run_id, seq)) t order by at",
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_killed_at_random_repeat_nothing_that_is_recorded() {
    let world = World::new().await;
    world
        .execute("create table begun (run uuid, step text, at timestamptz)")
        .await;
    let url = world.url();
    let mut replicas: Vec<Replica> = (0..REPLICAS).map(|_| Replica::start(&url)).collect();
    let ids: Vec<String> = (0..STEPS).map(|n| format!("s{n}")).collect();
    let steps: Vec<(&str, Value)> = ids.iter().map(|id| (id.as_str(), json!({}))).collect();
    let mut random = StdRng::seed_from_u64(142);
    let mut asked = 0;
    for kill in 0..KILLS {
        // Load all the way: a run for each kill.
        while asked * KILLS < RUNS * (kill + 1) {
            world.ask(&steps).await;
            asked += 1;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(150..900))).await;
        let which = random.random_range(0..REPLICAS);
        if kill % 6 == 5 {
            // Longer than a silent worker is believed to live: another one takes its job while it sleeps.
            replicas[which].signal(Signal::STOP);
            tokio::time::sleep(Duration::from_millis(4500)).await;
            replicas[which].signal(Signal::CONT);
        } else {
            replicas[which] = Replica::start(&url); // the old one is killed as it is dropped
        }
    }
    let until = Instant::now() + Duration::from_secs(120);
    let unfinished = "run where state <> 'succeeded'";
    while world.count("run").await < i64::try_from(RUNS).unwrap()
        || world.count(unfinished).await > 0
    {
        assert!(
            Instant::now() < until,
            "{} runs are stuck",
            world.count(unfinished).await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A paused one may have been at a step when it was cut off; nobody is at work any more.
    drop(replicas);
    let expected = i64::try_from(RUNS * STEPS).unwrap();
    assert_eq!(world.count("step where state = 'done'").await, expected);
    assert_eq!(
        world.count("step_attempt where outcome = 'done'").await,
        expected
    );
    let repeated =
        "step_attempt a join step s using (run_id, seq) where a.started_at > s.finished_at";
    assert_eq!(
        world.count(repeated).await,
        0,
        "a recorded step began again: {:#?}",
        evidence(&world.pool, repeated).await
    );
    // A process that sleeps between its last look and its effect can't be called back, so a beginning may come late; but
    // each belongs to an attempt that was written before.
    let unwritten = "(select run, step, count(*) as began from begun group by 1, 2) b
        join step s on s.run_id = b.run and s.id = b.step
        where b.began > (select count(*) from step_attempt a where a.run_id = s.run_id and a.seq = s.seq)";
    assert_eq!(
        world.count(unwritten).await,
        0,
        "a step began unwritten: {:#?}",
        evidence(&world.pool, unwritten).await
    );
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
    assert_eq!(
        world
            .count("graphile_worker._private_job_queues where locked_by is not null")
            .await,
        0
    );
    let lost = world.count("step_attempt where outcome = 'lost'").await;
    assert!(lost > 0, "no kill hit a step: the test proves nothing");
    let ended = r#"message where subject = '{"about": "milestone", "what": "ended"}'"#;
    assert_eq!(world.count(ended).await, i64::try_from(RUNS).unwrap());
}
