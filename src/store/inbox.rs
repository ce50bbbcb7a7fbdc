//! Deliveries: one row each, so that a repeated one gets the same reply and has no second effect. Kept seven days.

use chrono::{DateTime, Utc};

use super::{Conn, Json, Result};
use crate::domain::event::Delivery;
use crate::domain::id::{AccountId, InstallationId};
use crate::domain::reply::Reply;

/// What makes a delivery the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Where it comes from.
    pub installation: InstallationId,
    /// Unique within it.
    pub key: &'a str,
}

/// What the inbox says to a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// Never seen: act. The moment is the transaction's `now`.
    New(DateTime<Utc>),
    /// Seen: here is what was answered.
    Seen(Reply),
}

/// Writes the delivery's row before anything else happens. Another transaction with the same one is waited for.
pub async fn open(conn: &mut Conn, key: Key<'_>, kind: &str) -> Result<Opened> {
    let now = sqlx::query_scalar!(
        "insert into inbox (installation_id, key, kind, received_at) values ($1, $2, $3, idp_now())
         on conflict (installation_id, key) do nothing returning received_at",
        key.installation as _,
        key.key,
        kind,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match now {
        Some(now) => Ok(Opened::New(now)),
        None => seen(conn, key).await.map(Opened::Seen),
    }
}

/// Keeps what was answered, and to whom.
pub async fn close(
    conn: &mut Conn,
    key: Key<'_>,
    account: Option<AccountId>,
    reply: &Reply,
) -> Result<()> {
    sqlx::query!(
        "update inbox set reply = $3, account_id = $4 where installation_id = $1 and key = $2",
        key.installation as _,
        key.key,
        Json(reply) as _,
        account as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a delivery and its answer at once: for those that have no effect but their answer. False: nothing was
/// written, because it is a repeated one, or of an account or app that isn't known here.
pub async fn answer(
    conn: &mut Conn,
    delivery: &Delivery,
    kind: &str,
    reply: &Reply,
) -> Result<bool> {
    let sender = &delivery.sender;
    let done = sqlx::query!(
        "insert into inbox (installation_id, key, kind, account_id, reply, received_at)
         select i.id, $5, $6, a.id, $7, idp_now()
         from installation i join account a on a.installation_id = i.id and a.external_id = $3
         where i.platform = $1 and i.external_id = $2 and coalesce(i.app_id = $4, true)
         on conflict (installation_id, key) do nothing",
        sender.platform as _,
        sender.installation,
        sender.account,
        sender.app,
        delivery.key,
        kind,
        Json(reply) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes deliveries older than this, at most so many; gives how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from inbox where (installation_id, key) in
            (select installation_id, key from inbox where received_at < $1 limit $2)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn seen(conn: &mut Conn, key: Key<'_>) -> Result<Reply> {
    let reply = sqlx::query_scalar!(
        r#"select reply as "reply: Json<Reply>" from inbox where installation_id = $1 and key = $2"#,
        key.installation as _,
        key.key,
    )
    .fetch_optional(conn)
    .await?;
    // A committed row always has its reply; the only other way here is a row forgotten since.
    Ok(reply.flatten().map_or(Reply::Done, |reply| reply.0))
}
