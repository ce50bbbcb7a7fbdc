//! The nets under the queue, and the queue's own tables as our calls expect them.

use idp::app::job;
use idp::domain::run::RunState;
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
            ('_private_jobs', 'max_attempts'), ('_private_jobs', 'job_queue_id'), ('_private_job_queues', 'id'),
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
            "_private_jobs.locked_at: timestamp with time zone",
            "_private_jobs.locked_by: text",
            "_private_jobs.max_attempts: smallint",
            "_private_jobs.run_at: timestamp with time zone",
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
