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

/// Wants the root cards of a request's open threads shown anew, and wakes their senders.
pub async fn raise_roots(conn: &mut Conn, request: RequestId) -> Result<()> {
    while !raise_open(conn, request, None).await? {}
    Ok(())
}

/// The same, for the last time in the copies that don't go on: what is wanted there by now is still shown, nothing that
/// comes later is.
pub async fn raise_and_close_copies(
    conn: &mut Conn,
    request: RequestId,
    now: DateTime<Utc>,
) -> Result<()> {
    while !raise_open(conn, request, Some(now)).await? {}
    Ok(())
}

/// Each thread is locked before its card, as its sender does: so no two wait for each other. False: one that was waited for
/// was closed meanwhile, and the one that was opened in its place is seen by the next statement only.
async fn raise_open(
    conn: &mut Conn,
    request: RequestId,
    copies_end: Option<DateTime<Utc>>,
) -> Result<bool> {
    sqlx::query_scalar!(
        r#"with open as (
               select id, installation_id, role = 'direct' and not follows as copy from thread
               where request_id = $1 and closed_at is null order by id for no key update),
           raised as (
               update message m set wanted = m.wanted + 1 from open t
               where t.id = m.thread_id and m.kind = 'root' and m.given_up is null
               returning t.installation_id),
           closed as (
               update thread t set closed_at = $2 from open
               where t.id = open.id and open.copy and $2::timestamptz is not null),
           woken as (
               select count(pg_notify($3, installation_id::text))
               from (select distinct installation_id from raised) r)
           select (select count(*) from open)
                  = (select count(*) from thread where request_id = $1 and closed_at is null) as "whole!"
           from woken"#,
        request as _,
        copies_end,
        WAKE,
    )
    .fetch_one(conn)
    .await
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
