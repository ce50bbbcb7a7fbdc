//! Sessions at Discord's gateway: one row a shard, so that whoever connects next goes on where the last one was.

use chrono::{DateTime, Utc};

use super::{Conn, Result};

/// A session, as far as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id at Discord.
    pub id: String,
    /// The number of the last of its events that needs no telling again.
    pub sequence: u64,
    /// Where it is resumed; none: where new ones begin.
    pub resume_url: Option<String>,
    /// What it asked to be told, as bits.
    pub intents: u64,
}

/// Keeps a shard's session, in the place of what was kept before.
pub async fn keep(
    conn: &mut Conn,
    shard: &str,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into gateway_session (shard, session, sequence, resume_url, intents, kept_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (shard) do update
         set session = excluded.session, sequence = excluded.sequence, resume_url = excluded.resume_url,
             intents = excluded.intents, kept_at = excluded.kept_at",
        shard,
        session.id,
        session.sequence.cast_signed(),
        session.resume_url,
        session.intents.cast_signed(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A shard's session, if it was kept after this moment.
pub async fn kept(conn: &mut Conn, shard: &str, since: DateTime<Utc>) -> Result<Option<Session>> {
    let row = sqlx::query!(
        "select session, sequence, resume_url, intents from gateway_session where shard = $1 and kept_at > $2",
        shard,
        since,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Session {
        id: row.session,
        sequence: row.sequence.cast_unsigned(),
        resume_url: row.resume_url,
        intents: row.intents.cast_unsigned(),
    }))
}

/// Forgets a shard's session.
pub async fn forget(conn: &mut Conn, shard: &str) -> Result<()> {
    sqlx::query!("delete from gateway_session where shard = $1", shard)
        .execute(conn)
        .await?;
    Ok(())
}
