//! Being woken: what is raised or enqueued notifies, or is told of right after, so that a card stands in a moment and
//! polling is only a net.

use std::collections::BTreeSet;

use sqlx::postgres::PgListener;

use super::{Conn, Pool, Result, message};
use crate::domain::id::InstallationId;

/// A connection that listens for raised messages. It connects again by itself; what was notified meanwhile is lost,
/// which the net under it mends.
#[derive(Debug)]
pub struct Wake(PgListener);

impl Wake {
    /// Listens from now on.
    pub async fn listen(pool: &Pool) -> Result<Self> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(message::WAKE).await?;
        Ok(Self(listener))
    }

    /// Waits for raised messages; tells for which installation.
    pub async fn raised(&mut self) -> Result<InstallationId> {
        loop {
            let told = self.0.recv().await?;
            if let Ok(installation) = told.payload().parse::<InstallationId>() {
                return Ok(installation);
            }
        }
    }
}

/// The channel that the queue's workers listen on, as its own functions notify it (version 0.14.1).
const JOBS: &str = "jobs:insert";

/// Wakes the senders of these installations and the queue's workers, for what was written without waking them.
pub async fn tell(conn: &mut Conn, installations: &BTreeSet<InstallationId>) -> Result<()> {
    let installations: Vec<_> = installations.iter().map(ToString::to_string).collect();
    // Nothing is written, so there is nothing on disk to wait for.
    sqlx::query(
        "select pg_notify($1, installation) from unnest($2::text[]) as woken(installation)
         union all select pg_notify($3, '')",
    )
    .bind(message::WAKE)
    .bind(installations)
    .bind(JOBS)
    .execute(conn)
    .await?;
    Ok(())
}
