//! When recurring work was last done, over all replicas.

use chrono::{DateTime, Utc};

use super::{Conn, Result};

/// Takes the turn of a piece of recurring work if its last one is older than `since`; false: not due, or taken.
pub async fn take_turn(
    conn: &mut Conn,
    name: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into timer (name, last_at) values ($1, $3)
         on conflict (name) do update set last_at = excluded.last_at where timer.last_at <= $2",
        name,
        since,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a piece of recurring work due at once.
pub async fn end_turn(conn: &mut Conn, name: &str) -> Result<()> {
    sqlx::query!("delete from timer where name = $1", name)
        .execute(conn)
        .await?;
    Ok(())
}
