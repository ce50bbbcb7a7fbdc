//! Closed buckets: what the other side refused for a while, known to all replicas.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::InstallationId;

/// Closes a bucket until then; one that is closed for longer stays so.
pub async fn close(
    conn: &mut Conn,
    installation: InstallationId,
    bucket: &str,
    not_before: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into rate_limit (installation_id, bucket, not_before) values ($1, $2, $3)
         on conflict (installation_id, bucket)
         do update set not_before = greatest(rate_limit.not_before, excluded.not_before)",
        installation as _,
        bucket,
        not_before
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Until when one of these buckets is closed, if any is, wherever that was found out.
pub async fn closed_until(
    conn: &mut Conn,
    buckets: &[String],
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select max(not_before) from rate_limit where bucket = any($1) and not_before > $2",
        buckets,
        now
    )
    .fetch_one(conn)
    .await
}

/// The buckets of an installation that are closed, and until when.
pub async fn closed(
    conn: &mut Conn,
    installation: InstallationId,
    now: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        "select bucket, not_before from rate_limit where installation_id = $1 and not_before > $2",
        installation as _,
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.bucket, r.not_before)).collect())
}

/// Forgets buckets that are open again.
pub async fn forget_open(conn: &mut Conn, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from rate_limit where not_before <= $1", now)
        .execute(conn)
        .await?;
    Ok(())
}
