//! The tables: the queue's own schema first, ours on top of it.

use graphile_worker::WorkerUtils;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use super::problem::{OrFail, Problem};

/// The schema of the queue; its name is part of the queue's calls.
pub const QUEUE_SCHEMA: &str = "graphile_worker";

/// Our migrations, forward only, compiled into the binary.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Brings the database to the state that this release needs. Safe to run from many processes at once.
pub async fn migrate(pool: &PgPool) -> Result<(), Problem> {
    WorkerUtils::new(pool.clone(), QUEUE_SCHEMA)
        .migrate()
        .await
        .or_fail("can't prepare the queue's tables")?;
    MIGRATIONS
        .run(pool)
        .await
        .or_fail("can't prepare idp's tables")
}
