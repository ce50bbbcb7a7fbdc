//! Threads: the places where messages of a request stand.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{InstallationId, RequestId, ThreadId};
use crate::domain::message::ThreadRole;

/// A thread as it stands. Ids of channels, accounts and messages are the platform's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id.
    pub id: ThreadId,
    /// Whose messages stand here; none for words that belong to no request.
    pub request: Option<RequestId>,
    /// The installation that posts here.
    pub installation: InstallationId,
    /// The channel; a DM's is filled in once opened.
    pub channel: Option<String>,
    /// Whose DM it is.
    pub account: Option<String>,
    /// The main one, or a copy.
    pub role: ThreadRole,
    /// Its root message, once posted.
    pub root_ts: Option<String>,
    /// When nothing more was to be posted here.
    pub closed_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

macro_rules! select_thread {
    ($rest:literal, $($arg:expr),+) => {
        sqlx::query_as!(
            Thread,
            r#"select id as "id: ThreadId", request_id as "request: RequestId",
                      installation_id as "installation: InstallationId", channel, account,
                      role as "role: ThreadRole", root_ts, closed_at, created_at
               from thread "# + $rest,
            $($arg),+
        )
    };
}

/// The open threads of a request, the main one first.
pub async fn open_of(conn: &mut Conn, request: RequestId) -> Result<Vec<Thread>> {
    select_thread!(
        "where request_id = $1 and closed_at is null order by role = 'main' desc, created_at",
        request as _
    )
    .fetch_all(conn)
    .await
}

/// Reads one thread.
pub async fn get(conn: &mut Conn, id: ThreadId) -> Result<Option<Thread>> {
    select_thread!("where id = $1", id as _)
        .fetch_optional(conn)
        .await
}

/// Reads one thread and keeps others from moving or closing it until the transaction ends. Whoever also locks one of
/// its messages does that afterwards: so no two wait for each other.
pub async fn lock(conn: &mut Conn, id: ThreadId) -> Result<Option<Thread>> {
    select_thread!("where id = $1 for no key update", id as _)
        .fetch_optional(conn)
        .await
}

/// The open main thread of a request, kept from being closed until the transaction ends. `None`: it has none, or another
/// one since this moment.
pub async fn lock_main(conn: &mut Conn, request: RequestId) -> Result<Option<Thread>> {
    select_thread!(
        "where request_id = $1 and role = 'main' and closed_at is null for no key update",
        request as _
    )
    .fetch_optional(conn)
    .await
}

/// The open threads that stand in a channel of the platform, in the order in which they are to be locked.
pub async fn in_channel(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &str,
) -> Result<Vec<Thread>> {
    select_thread!(
        "where installation_id = $1 and channel = $2 and closed_at is null order by request_id, id",
        installation as _,
        channel
    )
    .fetch_all(conn)
    .await
}

/// The channels in which requests stand that can still be decided or run.
pub async fn open_channels(conn: &mut Conn, installation: InstallationId) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select distinct t.channel as "channel!" from thread t join request r on r.id = t.request_id
           where t.installation_id = $1 and t.channel is not null and t.account is null and t.closed_at is null
             and r.state in ('planning', 'awaiting_approval')"#,
        installation as _
    )
    .fetch_all(conn)
    .await
}

/// Keeps the channel that a DM turned out to be.
pub async fn set_channel(conn: &mut Conn, id: ThreadId, channel: &str) -> Result<()> {
    sqlx::query!(
        "update thread set channel = $2 where id = $1",
        id as _,
        channel
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps (or forgets) the root message's id.
pub async fn set_root(conn: &mut Conn, id: ThreadId, root: Option<&str>) -> Result<()> {
    sqlx::query!(
        "update thread set root_ts = $2 where id = $1",
        id as _,
        root
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes a thread: what is wanted there already is still sent, nothing new is.
pub async fn close(conn: &mut Conn, id: ThreadId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update thread set closed_at = coalesce(closed_at, $2) where id = $1",
        id as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps that the copy in an account's direct messages goes on after the decision.
pub async fn follow(
    conn: &mut Conn,
    request: RequestId,
    (installation, account): (InstallationId, &str),
) -> Result<()> {
    sqlx::query!(
        "update thread set follows = true
         where request_id = $1 and installation_id = $2 and account = $3 and role = 'direct' and closed_at is null",
        request as _,
        installation as _,
        account
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes threads, with their messages, of requests that ended before this: at most so many threads. Gives how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let threads = sqlx::query_scalar!(
        r#"select t.id as "id: ThreadId" from thread t join request r on r.id = t.request_id
           where (r.state not in ('planning', 'awaiting_approval', 'approved') and r.since < $1)
              or (r.state = 'approved'
                  and (select run.state in ('succeeded', 'undone', 'superseded') and run.since < $1 from run
                       where run.request_id = r.id order by run.created_at desc, run.id desc limit 1))
           limit $2 for update of t skip locked"#,
        before,
        most
    )
    .fetch_all(&mut *conn)
    .await?;
    remove(conn, threads).await
}

/// Removes threads of no request, with what was said there, opened before this and with nothing left to be sent: at most so
/// many. Gives how many.
pub async fn forget_direct(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let threads = sqlx::query_scalar!(
        r#"select t.id as "id: ThreadId" from thread t
           where t.request_id is null and t.created_at < $1
             and not exists (select from message m
                             where m.thread_id = t.id and m.wanted > m.shown and m.given_up is null)
           limit $2 for update of t skip locked"#,
        before,
        most
    )
    .fetch_all(&mut *conn)
    .await?;
    remove(conn, threads).await
}

/// Removes threads with their messages; gives how many.
async fn remove(conn: &mut Conn, threads: Vec<ThreadId>) -> Result<u64> {
    let threads: Vec<uuid::Uuid> = threads.into_iter().map(ThreadId::uuid).collect();
    sqlx::query!("delete from message where thread_id = any($1)", &threads)
        .execute(&mut *conn)
        .await?;
    let done = sqlx::query!("delete from thread where id = any($1)", &threads)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
