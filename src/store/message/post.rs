//! New messages: at the next place of a thread, or as the first of one that is opened with it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::raise::WAKE;
use crate::domain::id::{MessageId, ThreadId};
use crate::domain::message::{MessageKind, Subject};
use crate::store::thread::Thread;
use crate::store::{Conn, Json, Result};

/// A message to be written.
#[derive(Debug, Clone, Copy)]
pub struct New {
    /// Its id.
    pub id: MessageId,
    /// Where it is to stand.
    pub thread: ThreadId,
    /// What it is about.
    pub subject: Subject,
    /// What its post is found by.
    pub nonce: Uuid,
    /// Since when it is to.
    pub created_at: DateTime<Utc>,
}

/// When a message is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unless {
    /// It is in any case.
    Never,
    /// Where one about the same thing waits, not shown yet: that one will tell the state of then.
    Waits,
}

/// Writes a new message at the next place of its thread, and wakes its installation's sender. Of two who write to a
/// thread at once the later one waits, finds the place taken and takes the next.
pub async fn insert(conn: &mut Conn, new: &New, unless: Unless) -> Result<()> {
    while !post(conn, new, unless).await? {
        if unless == Unless::Waits && waits(conn, new).await? {
            break;
        }
    }
    Ok(())
}

async fn waits(conn: &mut Conn, new: &New) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from message where thread_id = $1 and subject = $2 and shown = 0
                          and given_up is null) as "found!""#,
        new.thread as _,
        Json(new.subject) as _,
    )
    .fetch_one(conn)
    .await
}

/// False: another message has taken the place meanwhile, or one waits.
async fn post(conn: &mut Conn, new: &New, unless: Unless) -> Result<bool> {
    let posted = sqlx::query!(
        "with posted as (
             insert into message (id, thread_id, place, kind, subject, nonce, created_at)
             select $1, $2, (select coalesce(max(place) + 1, 0) from message where thread_id = $2), $3, $4, $5, $6
             where not ($8 and exists (select 1 from message where thread_id = $2 and subject = $4 and shown = 0
                                       and given_up is null))
             on conflict (thread_id, place) do nothing
             returning thread_id)
         select pg_notify($7, t.installation_id::text) from posted join thread t on t.id = posted.thread_id",
        new.id as _,
        new.thread as _,
        new.subject.kind() as MessageKind as _,
        Json(new.subject) as _,
        new.nonce,
        new.created_at,
        WAKE,
        unless == Unless::Waits,
    )
    .execute(conn)
    .await?;
    Ok(posted.rows_affected() > 0)
}

/// Opens a thread with its first message, and wakes its installation's sender. The database refuses a second open main
/// thread for a request, and a second copy for a person.
pub async fn open(
    conn: &mut Conn,
    thread: &Thread,
    id: MessageId,
    subject: Subject,
    nonce: Uuid,
) -> Result<()> {
    sqlx::query!(
        "with opened as (
             insert into thread (id, request_id, installation_id, channel, account, role, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)),
         posted as (
             insert into message (id, thread_id, place, kind, subject, nonce, created_at)
             values ($8, $1, 0, $9, $10, $11, $7))
         select pg_notify($12, $3::uuid::text)",
        thread.id as _,
        thread.request as _,
        thread.installation as _,
        thread.channel,
        thread.account,
        thread.role as _,
        thread.created_at,
        id as _,
        subject.kind() as MessageKind as _,
        Json(subject) as _,
        nonce,
        WAKE,
    )
    .execute(conn)
    .await?;
    Ok(())
}
