//! Messages: cards that should stand somewhere, each with the revision wanted and the revision shown.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::thread::Thread;
use super::{Conn, Json, Result};
use crate::domain::id::{InstallationId, MessageId, RequestId, ThreadId};
use crate::domain::message::{MessageKind, Subject};

/// The channel on which raised messages wake their installation's sender.
pub const WAKE: &str = "idp_message";

/// A message as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it stands.
    pub thread: ThreadId,
    /// Its place there: 0 is the root.
    pub place: i32,
    /// What it is about.
    pub subject: Json<Subject>,
    /// The revision that should be seen.
    pub wanted: i64,
    /// The revision that is seen; 0: none yet.
    pub shown: i64,
    /// Its id on the platform.
    pub external: Option<String>,
    /// What marks its post, so that one whose answer was lost is found again.
    pub nonce: Uuid,
    /// Since when a send is under way, or its answer lost.
    pub sending_since: Option<DateTime<Utc>>,
    /// Sends that failed in a row.
    pub failures: i32,
    /// The digest of what is seen.
    pub digest: Option<Vec<u8>>,
}

/// A message that is due, with what pacing needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: MessageId,
    /// In which thread.
    pub thread: ThreadId,
    /// The channel, once known.
    pub channel: Option<String>,
    /// Whether it stands already and is only to be edited.
    pub edit: bool,
}

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

/// What is due for an installation, new posts before edits, the longest waiting first. A reply is due only once all
/// before it in its thread stand (or never will), so a thread reads in order. Of each channel only the first few: what
/// piles up in one that takes a message a second must not hide what others wait for.
pub async fn due(
    conn: &mut Conn,
    installation: InstallationId,
    now: DateTime<Utc>,
) -> Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        r#"select id as "id: MessageId", thread_id as "thread: ThreadId", channel, edit as "edit!"
           from (select m.id, m.thread_id, t.channel, m.external_id is not null as edit,
                        coalesce(m.shown_at, m.created_at) as since,
                        row_number() over (partition by t.channel, m.external_id is not null
                                           order by coalesce(m.shown_at, m.created_at)) as nth
                 from message m join thread t on t.id = m.thread_id
                 where m.wanted > m.shown and m.given_up is null and t.installation_id = $1
                   and (m.not_before is null or m.not_before <= $2)
                   and not exists (select 1 from message e where e.thread_id = m.thread_id and e.place < m.place
                                   and e.shown = 0 and e.given_up is null)) due
           where nth <= 8 order by edit, since limit 400"#,
        installation as _,
        now,
    )
    .fetch_all(conn)
    .await
}

/// When the next message that is held back becomes due.
pub async fn next_due(
    conn: &mut Conn,
    installation: InstallationId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(m.not_before) from message m join thread t on t.id = m.thread_id
         where m.wanted > m.shown and m.given_up is null and t.installation_id = $1 and m.not_before > $2",
        installation as _,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Reads a message and keeps others from sending it until the transaction ends.
pub async fn lock(conn: &mut Conn, id: MessageId) -> Result<Option<Message>> {
    sqlx::query_as!(
        Message,
        r#"select id as "id: MessageId", thread_id as "thread: ThreadId", place,
                  subject as "subject: Json<Subject>", wanted, shown, external_id as external, nonce,
                  sending_since, failures, digest
           from message where id = $1 for no key update"#,
        id as _
    )
    .fetch_optional(conn)
    .await
}

/// The message of an open thread that stands on the platform under this id.
pub async fn by_external(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &str,
    external: &str,
) -> Result<Option<(MessageId, ThreadId)>> {
    let found = sqlx::query!(
        r#"select m.id as "id: MessageId", t.id as "thread: ThreadId" from message m join thread t on t.id = m.thread_id
           where t.installation_id = $1 and t.channel = $2 and m.external_id = $3 and t.closed_at is null"#,
        installation as _,
        channel,
        external
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|row| (row.id, row.thread)))
}

/// The messages of a thread that further parts of others stand in.
pub async fn continuations(conn: &mut Conn, thread: ThreadId) -> Result<Vec<MessageId>> {
    sqlx::query_scalar!(
        r#"select id as "id: MessageId" from message
           where thread_id = $1 and subject ->> 'about' = 'continuation' order by place"#,
        thread as _,
    )
    .fetch_all(conn)
    .await
}

/// A message on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted<'a> {
    /// Whose.
    pub installation: InstallationId,
    /// In which channel.
    pub channel: &'a str,
    /// Its id there.
    pub external: &'a str,
}

/// Whether a message that shows a request is none of ours as we know them, while ours stands in the same channel and
/// no post is under way: then it was posted, its answer lost, and it was posted again.
pub async fn is_twin(conn: &mut Conn, request: RequestId, posted: Posted<'_>) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select coalesce(bool_or(t.root_ts is not null)
                           and bool_and(m.external_id is distinct from $4
                                        and (m.external_id is not null or m.sending_since is null)), false) as "twin!"
           from thread t join message m on m.thread_id = t.id
           where t.request_id = $1 and t.installation_id = $2 and t.channel = $3"#,
        request as _,
        posted.installation as _,
        posted.channel,
        posted.external,
    )
    .fetch_one(conn)
    .await
}

/// Writes that a send begins, before it does.
pub async fn sending(conn: &mut Conn, id: MessageId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update message set sending_since = coalesce(sending_since, $2) where id = $1",
        id as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps where a post was found whose answer had been lost; what it shows is not known.
pub async fn found(conn: &mut Conn, id: MessageId, external: &str) -> Result<()> {
    sqlx::query!(
        "update message set external_id = $2, sending_since = null, not_before = null where id = $1",
        id as _,
        external
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The message of a thread that is about this.
pub async fn about(
    conn: &mut Conn,
    thread: ThreadId,
    subject: Subject,
) -> Result<Option<MessageId>> {
    sqlx::query_scalar!(
        r#"select id as "id: MessageId" from message where thread_id = $1 and subject = $2
           order by place desc limit 1"#,
        thread as _,
        Json(subject) as _,
    )
    .fetch_optional(conn)
    .await
}

/// Writes that a revision is seen, under which id, and what it was.
pub async fn shown(
    conn: &mut Conn,
    id: MessageId,
    revision: i64,
    external: &str,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update message set shown = greatest(shown, $2), external_id = $3, digest = $4, shown_at = $5,
                sending_since = null, not_before = null, failures = 0
         where id = $1",
        id as _,
        revision,
        external,
        digest,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds a message back after a send that surely had no effect (`nothing_sent`), or whose answer was lost.
pub async fn hold(
    conn: &mut Conn,
    id: MessageId,
    not_before: DateTime<Utc>,
    nothing_sent: bool,
    failed: bool,
) -> Result<()> {
    sqlx::query!(
        "update message set not_before = $2, sending_since = case when $3 then null else sending_since end,
                failures = failures + case when $4 then 1 else 0 end
         where id = $1",
        id as _,
        not_before,
        nothing_sent,
        failed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets where a message stood: it is gone there and will be posted anew.
pub async fn forget_post(conn: &mut Conn, id: MessageId, nonce: Uuid) -> Result<()> {
    sqlx::query!(
        "update message set external_id = null, digest = null, shown = 0, sending_since = null, nonce = $2,
                not_before = null
         where id = $1",
        id as _,
        nonce
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a message up, for a reason that stands in the log.
pub async fn give_up(conn: &mut Conn, id: MessageId, why: &str) -> Result<()> {
    sqlx::query!(
        "update message set given_up = $2, sending_since = null where id = $1",
        id as _,
        why
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a thread still had to say, in order: milestones and notices that were never posted.
pub async fn unsaid(conn: &mut Conn, thread: ThreadId) -> Result<Vec<Subject>> {
    let rows = sqlx::query_scalar!(
        r#"select subject as "subject: Json<Subject>" from message
           where thread_id = $1 and shown = 0 and given_up is null and kind in ('milestone', 'notice')
           order by place"#,
        thread as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|subject| subject.0).collect())
}

/// Gives up whatever a closed thread still wants.
pub async fn give_up_thread(conn: &mut Conn, thread: ThreadId, why: &str) -> Result<()> {
    sqlx::query!(
        "update message set given_up = $2 where thread_id = $1 and wanted > shown and given_up is null",
        thread as _,
        why
    )
    .execute(conn)
    .await?;
    Ok(())
}
