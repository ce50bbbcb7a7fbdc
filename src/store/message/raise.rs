//! Messages wanted anew: their wanted revision goes up, and their senders are woken.

use chrono::{DateTime, Utc};

use crate::domain::id::{InstallationId, MessageId, RequestId};
use crate::domain::message::Subject;
use crate::store::{Conn, Json, Result};

/// The channel on which raised messages wake their installation's sender.
pub const WAKE: &str = "idp_message";

/// Wants what is about this shown anew, wherever it stands, and wakes its senders.
pub async fn raise_about(conn: &mut Conn, subject: Subject) -> Result<()> {
    sqlx::query!(
        "with raised as (
             update message m set wanted = m.wanted + 1 from thread t
             where t.id = m.thread_id and t.request_id is null and m.subject = $1
             returning t.installation_id)
         select pg_notify($2, installation_id::text) from raised",
        Json(subject) as _,
        WAKE,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Wants the root cards of a request's open threads shown anew, and wakes their senders. Each thread is locked before its
/// card, as its sender does: so no two wait for each other.
pub async fn raise_roots(conn: &mut Conn, request: RequestId) -> Result<()> {
    sqlx::query!(
        "with open as (
             select id, installation_id from thread
             where request_id = $1 and closed_at is null order by id for no key update),
         raised as (
             update message m set wanted = m.wanted + 1 from open t
             where t.id = m.thread_id and m.kind = 'root' and m.given_up is null
             returning t.installation_id)
         select pg_notify($2, installation_id::text) from (select distinct installation_id from raised) r",
        request as _,
        WAKE,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// The same, for the last time in the copies that don't go on: what is wanted there by now is still shown, nothing that
/// comes later is.
pub async fn raise_and_close_copies(
    conn: &mut Conn,
    request: RequestId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with open as (
             select id, installation_id, role = 'direct' and not follows as ends from thread
             where request_id = $1 and closed_at is null order by id for no key update),
         raised as (
             update message m set wanted = m.wanted + 1 from open t
             where t.id = m.thread_id and m.kind = 'root' and m.given_up is null
             returning t.installation_id),
         closed as (update thread t set closed_at = $2 from open where t.id = open.id and open.ends)
         select pg_notify($3, installation_id::text) from (select distinct installation_id from raised) r",
        request as _,
        now,
        WAKE,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Wants one message shown anew.
pub async fn raise(conn: &mut Conn, id: MessageId) -> Result<()> {
    sqlx::query!(
        "update message set wanted = wanted + 1 where id = $1",
        id as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Wakes the sender of an installation once the caller's transaction commits.
pub async fn wake(conn: &mut Conn, installation: InstallationId) -> Result<()> {
    sqlx::query("select pg_notify($1, $2)")
        .bind(WAKE)
        .bind(installation.to_string())
        .execute(conn)
        .await?;
    Ok(())
}
