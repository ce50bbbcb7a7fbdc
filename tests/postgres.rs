//! The managed cluster: made, shared, stopped by the last one, found again after a crash.

use crate::support::postgres::Database;

#[tokio::test]
async fn a_test_gets_a_database_with_tables() {
    let database = Database::new().await;
    let pool = database.pool(2).await;
    let jobs: i64 = sqlx::query_scalar("select count(*) from graphile_worker._private_jobs")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(jobs, 0);
    assert!(database.url().starts_with("postgres://postgres:"));
}
