//! What came of a message: begun, shown, held back, forgotten where it stood, given up.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{MessageId, ThreadId};
use crate::store::{Conn, Result};

/// Writes that a send begins, before it does.
pub async fn sending(conn: &mut Conn, id: MessageId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update message set sending_since = coalesce(sending_since, $2) where id = $1",
        id as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps where a post was found whose answer had been lost; what it shows is not known.
pub async fn found(conn: &mut Conn, id: MessageId, external: &str) -> Result<()> {
    sqlx::query!(
        "update message set external_id = $2, sending_since = null, not_before = null where id = $1",
        id as _,
        external
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes that a revision is seen, under which id, and what it was.
pub async fn shown(
    conn: &mut Conn,
    id: MessageId,
    revision: i64,
    external: &str,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update message set shown = greatest(shown, $2), external_id = $3, digest = $4, shown_at = $5,
                sending_since = null, not_before = null, failures = 0
         where id = $1",
        id as _,
        revision,
        external,
        digest,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds a message back after a send that surely had no effect (`nothing_sent`), or whose answer was lost.
pub async fn hold(
    conn: &mut Conn,
    id: MessageId,
    not_before: DateTime<Utc>,
    nothing_sent: bool,
    failed: bool,
) -> Result<()> {
    sqlx::query!(
        "update message set not_before = $2, sending_since = case when $3 then null else sending_since end,
                failures = failures + case when $4 then 1 else 0 end
         where id = $1",
        id as _,
        not_before,
        nothing_sent,
        failed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets where a message stood: it is gone there and will be posted anew.
pub async fn forget_post(conn: &mut Conn, id: MessageId, nonce: Uuid) -> Result<()> {
    sqlx::query!(
        "update message set external_id = null, digest = null, shown = 0, sending_since = null, nonce = $2,
                not_before = null
         where id = $1",
        id as _,
        nonce
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a message up, for a reason that stands in the log.
pub async fn give_up(conn: &mut Conn, id: MessageId, why: &str) -> Result<()> {
    sqlx::query!(
        "update message set given_up = $2, sending_since = null where id = $1",
        id as _,
        why
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up whatever a closed thread still wants.
pub async fn give_up_thread(conn: &mut Conn, thread: ThreadId, why: &str) -> Result<()> {
    sqlx::query!(
        "update message set given_up = $2 where thread_id = $1 and wanted > shown and given_up is null",
        thread as _,
        why
    )
    .execute(conn)
    .await?;
    Ok(())
}
