//! Leases: who does a thing that only one may do at a time. A row, a deadline, a heartbeat; never a long transaction.

use chrono::{DateTime, Utc};

use super::{Conn, Result};

/// Takes a lease, or keeps it: true if `holder` has it until `until`. One that nobody renewed is free for anybody.
pub async fn take(
    conn: &mut Conn,
    name: &str,
    holder: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool> {
    let taken = sqlx::query!(
        "insert into lease (name, holder, until) values ($1, $2, $4)
         on conflict (name) do update set holder = excluded.holder, until = excluded.until
         where lease.holder = excluded.holder or lease.until <= $3",
        name,
        holder,
        now,
        until
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Whether `holder` has the lease still; locks it, so that nobody takes it before the caller's transaction ends.
pub async fn holds(conn: &mut Conn, name: &str, holder: &str, now: DateTime<Utc>) -> Result<bool> {
    let held = sqlx::query_scalar!(
        "select 1 from lease where name = $1 and holder = $2 and until > $3 for share",
        name,
        holder,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(held.is_some())
}

/// Gives a lease back, so that another need not wait for the deadline.
pub async fn free(conn: &mut Conn, name: &str, holder: &str) -> Result<()> {
    sqlx::query!(
        "delete from lease where name = $1 and holder = $2",
        name,
        holder
    )
    .execute(conn)
    .await?;
    Ok(())
}
