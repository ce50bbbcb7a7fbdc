//! What the sender takes: the messages that are due, and one of them under a lock.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{InstallationId, MessageId, ThreadId};
use crate::domain::message::Subject;
use crate::store::{Conn, Json, Result};

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
