//! New messages: at the next place of a thread, or as the first of one that is opened with it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::raise::WAKE;
use crate::domain::id::{MessageId, ThreadId};
use crate::domain::message::{MessageKind, Subject};
use crate::store::thread::Thread;
use crate::store::{Conn, Json, Result};

/// Writes a new message at the next place of its thread, and wakes its installation's sender. Of two who write to a
/// thread at once the later one waits, finds the place taken and takes the next.
pub async fn insert(
    conn: &mut Conn,
    id: MessageId,
    thread: ThreadId,
    subject: Subject,
    nonce: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let new = New {
        id,
        thread,
        subject,
    };
    while !post(conn, new, (nonce, now), Unless::Never).await? {}
    Ok(())
}

/// The same, unless a message about the same thing waits there, not shown yet: that one will tell the state of then.
pub async fn insert_unless_waits(
    conn: &mut Conn,
    id: MessageId,
    thread: ThreadId,
    subject: Subject,
    nonce: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let new = New {
        id,
        thread,
        subject,
    };
    while !post(conn, new, (nonce, now), Unless::Waits).await? && !waits(conn, new).await? {}
    Ok(())
}

/// A message to be written.
#[derive(Clone, Copy)]
struct New {
    id: MessageId,
    thread: ThreadId,
    subject: Subject,
}

/// When none is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unless {
    Never,
    /// Where one about the same thing waits.
    Waits,
}

async fn waits(conn: &mut Conn, new: New) -> Result<bool> {
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
async fn post(
    conn: &mut Conn,
    New {
        id,
        thread,
        subject,
    }: New,
    (nonce, now): (Uuid, DateTime<Utc>),
    unless: Unless,
) -> Result<bool> {
    let posted = sqlx::query!(
        "with posted as (
             insert into message (id, thread_id, place, kind, subject, nonce, created_at)
             select $1, $2, (select coalesce(max(place) + 1, 0) from message where thread_id = $2), $3, $4, $5, $6
             where not ($8 and exists (select 1 from message where thread_id = $2 and subject = $4 and shown = 0
                                       and given_up is null))
             on conflict (thread_id, place) do nothing
             returning thread_id)
         select pg_notify($7, t.installation_id::text) from posted join thread t on t.id = posted.thread_id",
        id as _,
        thread as _,
        subject.kind() as MessageKind as _,
        Json(subject) as _,
        nonce,
        now,
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
