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

/// How a schema stands to this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// This release works on it.
    Current,
    /// There are no tables.
    Empty,
    /// It has yet to be migrated.
    Older {
        /// How many of our migrations it lacks.
        missing: usize,
    },
    /// It has moved on too far.
    Newer {
        /// The oldest release that can work on it.
        oldest: i32,
    },
}

/// Looks how the schema stands.
pub async fn state(pool: &PgPool) -> Result<State, Problem> {
    let unread = "can't read the state of the database";
    match oldest_readable(pool).await.or_fail(unread)? {
        Some(oldest) if oldest > RELEASE => return Ok(State::Newer { oldest }),
        _ => {}
    }
    let applied = applied(pool).await.or_fail(unread)?;
    let lacks = |ours: &&sqlx::migrate::Migration| !applied.contains(&ours.version);
    Ok(match MIGRATIONS.iter().filter(lacks).count() {
        0 => State::Current,
        _ if applied.is_empty() => State::Empty,
        missing => State::Older { missing },
    })
}

/// What we are and may do in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The server's version: `17.2`.
    pub version: String,
    /// As whom we are there.
    pub user: String,
    /// The database's name.
    pub database: String,
    /// Whether we may make tables, and the queue's schema.
    pub may_create: bool,
}

/// Asks who we are and what we may do.
pub async fn rights(pool: &PgPool) -> Result<Rights, Problem> {
    let row = sqlx::query(
        "select current_setting('server_version'), current_user::text, current_database()::text,
           coalesce(has_schema_privilege(current_schema(), 'create'), false)
           and has_database_privilege(current_database(), 'create')",
    )
    .fetch_one(pool)
    .await
    .or_fail("can't ask the database for our rights")?;
    let unread = "can't read our rights in the database";
    let version: String = row.try_get(0).or_fail(unread)?;
    Ok(Rights {
        // Distributions add their own words: `15.18 (Debian 15.18-0+deb12u1)`.
        version: version.split(' ').next().unwrap_or_default().to_owned(),
        user: row.try_get(1).or_fail(unread)?,
        database: row.try_get(2).or_fail(unread)?,
        may_create: row.try_get(3).or_fail(unread)?,
    })
}

/// Refuses a schema that this release can't work on: older than its own, or moved on too far.
pub async fn check(pool: &PgPool) -> Result<(), Problem> {
    match state(pool).await? {
        State::Current => Ok(()),
        State::Empty => {
            Err(Problem::failed("the database is empty").hint("run `idp migrate` first"))
        }
        State::Older { missing: 1 } => Err(older("1 migration is")),
        State::Older { missing } => Err(older(&format!("{missing} migrations are"))),
        State::Newer { oldest } => Err(newer(oldest)),
    }
}

fn older(missing: &str) -> Problem {
    Problem::failed(format!(
        "the database is older than this release: {missing} missing"
    ))
    .hint("run `idp migrate`; replicas of the release before this one may go on meanwhile")
}

async fn refuse_newer(pool: &PgPool) -> Result<(), Problem> {
    match state(pool).await? {
        State::Newer { oldest } => Err(newer(oldest)),
        State::Current | State::Empty | State::Older { .. } => Ok(()),
    }
}

fn newer(oldest: i32) -> Problem {
    Problem::failed(format!(
        "the database has moved on: it needs release {oldest} of idp or newer, and this is {RELEASE}"
    ))
    .hint("upgrade this replica")
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
