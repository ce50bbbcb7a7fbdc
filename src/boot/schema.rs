//! The tables: the queue's own schema first, ours on top of it; and whether this release may work on what it finds.
//!
//! Releases are counted. The schema records the oldest release that can still read and write it, so that release N and
//! N−1 run side by side on the schema of N, and anything older is refused before it does harm.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use graphile_worker::WorkerUtils;
use sqlx::migrate::Migrator;
use sqlx::{PgPool, Row};

use super::problem::{OrFail, Problem};

/// The number of this release, as the table `release` counts them.
pub const RELEASE: i32 = 1;

/// The schema of the queue; its name is part of the queue's calls.
pub const QUEUE_SCHEMA: &str = "graphile_worker";

/// Our migrations, forward only, compiled into the binary.
pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!();
    migrations.set_ignore_missing(true); // those of release N+1, which may have migrated already
    migrations
});

/// Brings the database to the state that this release needs. Safe to run from many processes at once.
pub async fn migrate(pool: &PgPool) -> Result<(), Problem> {
    refuse_newer(pool).await?;
    WorkerUtils::new(pool.clone(), QUEUE_SCHEMA)
        .migrate()
        .await
        .or_fail("can't prepare the queue's tables")?;
    MIGRATIONS
        .run(pool)
        .await
        .or_fail("can't prepare idp's tables")
}

/// Refuses a schema that this release can't work on: older than its own, or moved on too far.
pub async fn check(pool: &PgPool) -> Result<(), Problem> {
    refuse_newer(pool).await?;
    let applied = applied(pool)
        .await
        .or_fail("can't read the state of the database")?;
    let missing = MIGRATIONS
        .iter()
        .filter(|ours| !applied.contains(&ours.version))
        .count();
    match missing {
        0 => Ok(()),
        _ if applied.is_empty() => {
            Err(Problem::failed("the database is empty").hint("run `idp migrate` first"))
        }
        1 => Err(older("1 migration is")),
        n => Err(older(&format!("{n} migrations are"))),
    }
}

fn older(missing: &str) -> Problem {
    Problem::failed(format!(
        "the database is older than this release: {missing} missing"
    ))
    .hint("run `idp migrate`; replicas of the release before this one may go on meanwhile")
}

async fn refuse_newer(pool: &PgPool) -> Result<(), Problem> {
    let oldest = oldest_readable(pool)
        .await
        .or_fail("can't read the state of the database")?;
    match oldest {
        Some(oldest) if oldest > RELEASE => Err(Problem::failed(format!(
            "the database has moved on: it needs release {oldest} of idp or newer, and this is {RELEASE}"
        ))
        .hint("upgrade this replica")),
        _ => Ok(()),
    }
}

/// `None` on a database that was never migrated.
async fn oldest_readable(pool: &PgPool) -> sqlx::Result<Option<i32>> {
    if !exists(pool, "release").await? {
        return Ok(None);
    }
    sqlx::query_scalar("select oldest_readable from release")
        .fetch_optional(pool)
        .await
}

async fn applied(pool: &PgPool) -> sqlx::Result<BTreeSet<i64>> {
    if !exists(pool, "_sqlx_migrations").await? {
        return Ok(BTreeSet::new());
    }
    let rows = sqlx::query("select version from _sqlx_migrations where success")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn exists(pool: &PgPool, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(pool)
        .await
}
