//! All SQL, a file per noun, on the caller's connection.
//!
//! A function here is one or two statements and knows no rule but those that the tables hold. Transactions belong to
//! `app`, which opens them with [`begin`], reads [`now`] once and hands both down. Nothing above names the driver:
//! what `app` needs of it is re-exported here.

#[macro_use]
mod macros;

pub mod account;
pub mod approval;
pub mod audit;
pub mod blob;
pub mod channel;
pub mod claim;
pub mod count;
pub mod draft;
pub mod due;
pub mod gateway;
pub mod group;
pub mod inbox;
pub mod installation;
mod kept;
pub mod lease;
pub mod link;
pub mod login;
pub mod message;
pub mod person;
pub mod plan;
pub mod queue;
pub mod rate_limit;
pub mod request;
pub mod run;
pub mod service;
pub mod step;
pub mod submission;
pub mod thread;
pub mod tie;
pub mod timer;
pub mod vote;
pub mod wake;

pub use kept::{Kept, Lent};
pub use sqlx::types::Json;
pub use sqlx::{Acquire, Error};

use chrono::{DateTime, Utc};

/// Connections to the database.
pub type Pool = sqlx::PgPool;
/// One connection, in or outside a transaction.
pub type Conn = sqlx::PgConnection;
/// A transaction: rolled back unless committed.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;
/// What every function here gives.
pub type Result<T> = std::result::Result<T, Error>;

/// Opens a transaction.
pub async fn begin(pool: &Pool) -> Result<Tx> {
    pool.begin().await
}

/// Opens a transaction that only reads, and reads everything as of one moment.
pub async fn begin_snapshot(pool: &Pool) -> Result<Tx> {
    pool.begin_with("begin isolation level repeatable read read only")
        .await
}

/// The moment that a transaction decides by: the database's clock and the tests' shift. Read it once.
pub async fn now(conn: &mut Conn) -> Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"select idp_now() as "now!""#)
        .fetch_one(conn)
        .await
}

/// Whether a statement wrote nothing because another one has what it wanted: a violated key.
pub fn taken(error: &Error) -> bool {
    matches!(error, Error::Database(error) if error.is_unique_violation())
}

/// Whether a connection was lost, by its network or since the database stopped: what only read can be read again with
/// another.
pub fn lost(error: &Error) -> bool {
    let codes = ["57P01", "57P02"];
    match error {
        Error::Io(_) => true,
        Error::Database(e) => e.code().is_some_and(|c| codes.contains(&&*c)),
        _ => false,
    }
}

/// Whether a transaction fell to another one (a deadlock, a failed serialisation): nothing of it was kept, and a second
/// try is right.
pub fn fell(error: &anyhow::Error) -> bool {
    let codes = ["40001", "40P01"];
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(Error::Database(e)) if e.code().is_some_and(|c| codes.contains(&&*c)))
    })
}
