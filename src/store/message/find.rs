//! Messages looked up: by where they stand, by what they are about, and those that were never said.

use crate::domain::id::{InstallationId, MessageId, RequestId, ThreadId};
use crate::domain::message::Subject;
use crate::store::{Conn, Json, Result};

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
