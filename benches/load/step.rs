//! What an empty step costs beside three commits of the same rows: its job taken, its attempt begun, its end written.

use std::time::{Duration, Instant};

use sqlx::types::Uuid;
use sqlx::{Connection, PgConnection};

use crate::bot::{Bot, Set, wait_for};
use crate::figures::{approve, asked, connect, count, database};
use crate::slack::Slack;

/// Steps of a run, all empty.
const STEPS: usize = 100;
/// Runs of them.
const RUNS: usize = 5;

/// From the beginning of one step to that of the next, on average over runs of many, beside the same on one connection.
pub async fn step() {
    let slack = Slack::start(520).await;
    let set = Set {
        steps: STEPS,
        ..Set::default()
    };
    let bot = Bot::start_with(set, &database(), |command| slack.add(command)).await;
    let mut ours = Vec::new();
    for at in 0..RUNS {
        let plan = asked(&slack, &bot, &format!("steps-{at}")).await;
        approve(&slack, &bot, &plan).await;
        let unfinished = "select count(*) from run where state <> 'succeeded'";
        wait_for("the run", Duration::from_secs(60), async || {
            count(unfinished).await == 0
        })
        .await;
        ours.push(of_the_last_run().await);
    }
    drop(bot);
    let mut theirs = Vec::new();
    let run: Uuid = sqlx::query_scalar("select id from run order by created_at desc limit 1")
        .fetch_one(&mut connect().await)
        .await
        .unwrap();
    for _ in 0..RUNS {
        theirs.push(three_commits(&mut connect().await, run).await);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("step  : {ours:.2} ms an empty step, median of {RUNS} runs of {STEPS}");
    println!("peer  : {theirs:.2} ms its three commits");
    println!("ratio : {:.2}", ours / theirs);
}

/// Milliseconds from the start of its first step to that of its last, by the number of steps between.
async fn of_the_last_run() -> f64 {
    let took: f64 = sqlx::query_scalar(
        "select (extract(epoch from max(started_at) - min(started_at)) * 1000)::float8 from step
         where run_id = (select id from run order by created_at desc limit 1)",
    )
    .fetch_one(&mut connect().await)
    .await
    .unwrap();
    took / (STEPS - 1) as f64
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// The rows that a step writes, in the real tables and in three transactions, by one prepared statement a table and one
/// connection that does nothing else. Gives milliseconds a step.
async fn three_commits(conn: &mut PgConnection, run: Uuid) -> f64 {
    let message: Uuid = sqlx::query_scalar(
        "select m.id from message m join thread t on t.id = m.thread_id join run r on r.request_id = t.request_id
         where r.id = $1 and m.place = 0",
    )
    .bind(run)
    .fetch_one(&mut *conn)
    .await
    .unwrap();
    enqueue(conn, 0).await;
    let begun = Instant::now();
    for seq in 0..STEPS as i32 {
        let job = take(conn).await;
        let mut tx = conn.begin().await.unwrap();
        begin(&mut tx, run, seq).await;
        raise(&mut tx, message).await;
        tx.commit().await.unwrap();
        let mut tx = conn.begin().await.unwrap();
        finish(&mut tx, (run, seq), job).await;
        enqueue(&mut tx, seq + 1).await;
        raise(&mut tx, message).await;
        tx.commit().await.unwrap();
    }
    let took = begun.elapsed().as_secs_f64() * 1000.0 / STEPS as f64;
    for table in [
        "step_attempt where worker = 'peer'",
        "graphile_worker._private_jobs where key like 'peer:%'",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}")))
            .execute(&mut *conn)
            .await
            .unwrap();
    }
    took
}

async fn enqueue(conn: &mut PgConnection, seq: i32) {
    sqlx::query(
        "select 1 from graphile_worker.add_job(identifier => 'peer.step', payload => $1::jsonb::json, job_key => $2,
             max_attempts => 25)",
    )
    .bind(sqlx::types::Json(serde_json::json!({ "run": Uuid::nil(), "seq": seq, "direction": "do", "generation": 0 })))
    .bind(format!("peer:{seq}"))
    .execute(conn)
    .await
    .unwrap();
}

async fn take(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "with due as (
             select id from graphile_worker._private_jobs
             where is_available and run_at <= now() and key like 'peer:%'
             order by priority, run_at limit 1 for update skip locked)
         update graphile_worker._private_jobs j set attempts = attempts + 1, locked_by = 'peer', locked_at = now()
         from due where j.id = due.id returning j.id",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

async fn begin(conn: &mut PgConnection, run: Uuid, seq: i32) {
    sqlx::query(
        "insert into step_attempt (run_id, seq, direction, generation, attempt, worker, started_at)
         values ($1, $2, 'do', 0, 1000, 'peer', now())",
    )
    .bind(run)
    .bind(seq)
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query("update step set state = 'running', started_at = now(), finished_at = null, output = null, input = $3 where run_id = $1 and seq = $2")
        .bind(run)
        .bind(seq)
        .bind(serde_json::json!({ "message": "one" }))
        .execute(conn)
        .await
        .unwrap();
}

async fn finish(conn: &mut PgConnection, (run, seq): (Uuid, i32), job: i64) {
    sqlx::query("delete from graphile_worker._private_jobs where id = $1 and locked_by = 'peer'")
        .bind(job)
        .execute(&mut *conn)
        .await
        .unwrap();
    sqlx::query(
        "update step_attempt set outcome = 'done', finished_at = now()
         where run_id = $1 and seq = $2 and direction = 'do' and generation = 0 and attempt = 1000",
    )
    .bind(run)
    .bind(seq)
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query("update step set state = 'done', finished_at = now(), output = $3 where run_id = $1 and seq = $2")
        .bind(run)
        .bind(seq)
        .bind(serde_json::json!({}))
        .execute(conn)
        .await
        .unwrap();
}

async fn raise(conn: &mut PgConnection, message: Uuid) {
    sqlx::query(
        "with raised as (update message set wanted = wanted + 1 where id = $1 returning thread_id)
         select pg_notify('idp_message', t.installation_id::text) from raised join thread t on t.id = raised.thread_id",
    )
    .bind(message)
    .execute(conn)
    .await
    .unwrap();
}
