//! How far a shard's session at Discord's gateway was heard: kept by whoever has the word for the shard, and found by
//! whoever has it next.

use chrono::TimeDelta;

use super::App;
use super::lease::Lease;
use crate::store;
pub use crate::store::gateway::Session;

/// How long after it was kept a session is gone on with. Discord names no time; it refuses one that it no longer has, or
/// that another application began, and then another one begins.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);

/// Renews the word, and keeps the session with it; false: another process has the word, and keeps its own.
pub async fn keep(app: &App, word: &Lease, session: &Session) -> store::Result<bool> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let held = word.take(&mut tx, now).await?;
    if held {
        store::gateway::keep(&mut tx, word.name(), session, now).await?;
    }
    tx.commit().await?;
    Ok(held)
}

/// The session to go on with, if there is one.
pub async fn kept(app: &App, word: &Lease) -> store::Result<Option<Session>> {
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    store::gateway::kept(&mut conn, word.name(), now - GOOD_FOR).await
}

/// Forgets the session, which is over; not what another process keeps that has the word.
pub async fn forget(app: &App, word: &Lease) -> store::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if word.take(&mut tx, now).await? {
        store::gateway::forget(&mut tx, word.name()).await?;
    }
    tx.commit().await
}
