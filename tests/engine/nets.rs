//! The nets under the queue, and the queue's own tables as our calls expect them.

use idp::app::job;
use idp::app::step::{self, Begun, Then};
use idp::domain::run::RunState;
use idp::domain::step::{Done, Outcome};
use serde_json::json;

use super::world::World;

/// Our calls are not checked at compile time: this fails when a release of the queue changes what they name.
#[tokio::test]
async fn the_queues_tables_have_the_columns_that_we_use() {
    let world = World::new().await;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text from information_schema.columns
         where table_schema = 'graphile_worker' and (table_name, column_name) in (
            ('_private_jobs', 'id'), ('_private_jobs', 'locked_by'), ('_private_jobs', 'locked_at'),
            ('_private_jobs', 'run_at'), ('_private_jobs', 'key'), ('_private_jobs', 'attempts'),
            ('_private_jobs', 'max_attempts'), ('_private_jobs', 'job_queue_id'), ('_private_jobs', 'payload'),
            ('_private_jobs', 'task_id'), ('_private_jobs', 'last_error'), ('_private_jobs', 'updated_at'),
            ('_private_tasks', 'id'), ('_private_tasks', 'identifier'), ('_private_job_queues', 'id'),
            ('_private_job_queues', 'locked_by'), ('_private_job_queues', 'locked_at'))
         order by 1, 2",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let columns: Vec<String> = columns
        .into_iter()
        .map(|(t, c, d)| format!("{t}.{c}: {d}"))
        .collect();
    assert_eq!(
        columns,
        [
            "_private_job_queues.id: integer",
            "_private_job_queues.locked_at: timestamp with time zone",
            "_private_job_queues.locked_by: text",
            "_private_jobs.attempts: smallint",
            "_private_jobs.id: bigint",
            "_private_jobs.job_queue_id: integer",
            "_private_jobs.key: text",
            "_private_jobs.last_error: text",
            "_private_jobs.locked_at: timestamp with time zone",
            "_private_jobs.locked_by: text",
            "_private_jobs.max_attempts: smallint",
            "_private_jobs.payload: json",
            "_private_jobs.run_at: timestamp with time zone",
            "_private_jobs.task_id: integer",
            "_private_jobs.updated_at: timestamp with time zone",
            "_private_tasks.id: integer",
            "_private_tasks.identifier: text",
        ]
    );
    let version: i32 = sqlx::query_scalar("select max(id)::int from graphile_worker.migrations")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(
        version, 22,
        "read the queue's change notes, then our calls in store::queue"
    );
}

/// A submission writes its job and wakes the workers by itself: as the queue would have done.
#[tokio::test]
async fn a_job_of_ours_is_the_queues_own() {
    let world = World::new().await;
    let mut tx = world.pool.begin().await.unwrap();
    sqlx::query("select 1 from graphile_worker.add_job('idp.plan', '{\"a\": 1}', job_key => 'theirs', max_attempts => 25)")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query(
        "insert into graphile_worker._private_jobs (task_id, payload, key, max_attempts)
         select id, '{\"a\": 1}', 'ours', 25 from graphile_worker._private_tasks where identifier = 'idp.plan'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let alike: bool = sqlx::query_scalar(
        "select count(*) = 2 and count(distinct to_jsonb(j) - '{id, key}'::text[]) = 1
         from graphile_worker._private_jobs j where key in ('theirs', 'ours')",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert!(
        alike,
        "what the queue writes, a submission has to write too"
    );
    let says: bool = sqlx::query_scalar(
        "select bool_and(strpos(prosrc, $$pg_notify('jobs:insert'$$) > 0) from pg_proc
         where pronamespace = 'graphile_worker'::regnamespace and proname = 'add_jobs'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert!(says, "the channel of store::wake is another");
}

#[tokio::test]
async fn a_stuck_queue_is_freed_and_a_run_without_a_job_is_told() {
    let world = World::new().await;
    world
        .execute(
            "insert into graphile_worker._private_job_queues (queue_name, locked_by, locked_at) values
             ('old', 'gone', now() - interval '1 minute'), ('new', 'gone', now())",
        )
        .await;
    let request = world.ask(&[("one", json!({}))]).await;
    let run = world.planned(request).await;
    assert_eq!(run.state, RunState::Queued);
    let caught = job::guard(&world.app).await.unwrap();
    assert_eq!((caught.freed, caught.stranded), (1, Vec::new()));
    world
        .execute("delete from graphile_worker._private_jobs")
        .await;
    let caught = job::guard(&world.app).await.unwrap();
    assert_eq!((caught.freed, caught.stranded), (0, vec![run.id]));
}

/// A process pauses right after its commit and ends its job a second time when it wakes up, as the queue itself does.
#[tokio::test]
async fn a_pause_between_commit_and_completion_leaves_nothing_locked() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    world
        .execute("insert into graphile_worker._private_job_queues (queue_name, locked_by, locked_at) values ('env', 'paused', now())")
        .await;
    let (mut paused, job) = world.claim_step("paused").await;
    let queue: i32 = sqlx::query_scalar("select id from graphile_worker._private_job_queues")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    paused.queue = Some(queue);
    let named = format!(
        "update graphile_worker._private_jobs set job_queue_id = {queue} where id = {}",
        paused.job
    );
    world.execute(&named).await;
    finish(&world, &paused, job).await;

    // The commit alone has freed the queue: a successor takes it and is at work.
    let locked = "graphile_worker._private_job_queues where locked_by is not null";
    assert_eq!(world.count(locked).await, 0);
    let (successor, next) = world.claim_step("successor").await;
    assert_eq!(next.seq, 1);
    world
        .execute("update graphile_worker._private_job_queues set locked_by = 'successor', locked_at = now()")
        .await;
    let completion = format!(
        "with j as (delete from graphile_worker._private_jobs where id = {} returning *)
         update graphile_worker._private_job_queues q set locked_by = null, locked_at = null
         from j where q.id = j.job_queue_id and q.locked_by = 'paused'",
        paused.job
    );
    world.execute(&completion).await;
    assert_eq!(
        world.count(locked).await,
        1,
        "the successor keeps its queue"
    );
    finish(&world, &successor, next).await;
    assert_eq!(world.run(request).await.unwrap().state, RunState::Succeeded);
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
    assert_eq!(world.count("step_attempt where outcome = 'done'").await, 2);
    assert_eq!(world.steps(run.id).await.len(), 2);
}

/// Does a step by hand.
async fn finish(world: &World, held: &job::Held, job: job::StepJob) {
    let begun = match step::begin(&world.app, held, job).await.unwrap() {
        Begun::PlanAgain(attempt) => step::start(&world.app, held, attempt).await.unwrap(),
        begun => begun,
    };
    let Begun::Act(work) = begun else {
        panic!("nothing to do: {begun:?}")
    };
    let done = Ok(Outcome::Done(Done {
        output: json!({ "value": "made" }),
        ..Done::default()
    }));
    step::finish(&world.app, held, &work, done, Then::End)
        .await
        .unwrap();
}
