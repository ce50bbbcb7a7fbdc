//! Drafts: forms being filled in. What was typed is kept at every turn, checked or not.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Conn, Json, Result};
use crate::domain::event::PlaceKind;
use crate::domain::id::{AccountId, DraftId, PersonId, RequestId};

/// A form being filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its id: the only one that a form carries.
    pub id: DraftId,
    /// Whose it is.
    pub person: PersonId,
    /// The account that it was opened with.
    pub account: AccountId,
    /// The command.
    pub command: String,
    /// The channel that it was asked in.
    pub asked_in: String,
    /// What kind of channel that is.
    pub asked_in_kind: PlaceKind,
    /// The name of the slash command, as typed.
    pub slash: String,
    /// The request that it asks again.
    pub again_from: Option<RequestId>,
    /// What was typed so far, by field.
    pub values: Json<Map<String, Value>>,
    /// The page that is shown, from 0.
    pub page: i32,
    /// Counts drawings.
    pub revision: i32,
    /// When it was sent.
    pub consumed_at: Option<DateTime<Utc>>,
    /// When it was last touched.
    pub touched_at: DateTime<Utc>,
}

/// Writes a new draft.
pub async fn insert(conn: &mut Conn, draft: &Draft) -> Result<()> {
    sqlx::query!(
        r#"insert into draft (id, person_id, account_id, command, asked_in, asked_in_kind, slash, again_from,
                              "values", page, revision, created_at, touched_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)"#,
        draft.id as _,
        draft.person as _,
        draft.account as _,
        draft.command,
        draft.asked_in,
        draft.asked_in_kind as _,
        draft.slash,
        draft.again_from as _,
        &draft.values as _,
        draft.page,
        draft.revision,
        draft.touched_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a draft and keeps others from turning its page until the transaction ends, and its person from sending another
/// one meanwhile: what is counted of a person from here on stays counted.
pub async fn lock(conn: &mut Conn, id: DraftId) -> Result<Option<Draft>> {
    sqlx::query_as!(
        Draft,
        r#"select d.id as "id: DraftId", person_id as "person: PersonId", account_id as "account: AccountId", command,
                  asked_in, asked_in_kind as "asked_in_kind: PlaceKind", slash, again_from as "again_from: RequestId",
                  "values" as "values: Json<Map<String, Value>>", page, revision, consumed_at, touched_at
           from draft d join person on person.id = d.person_id
           where d.id = $1 for no key update"#,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// The channel in which the form of a request was opened; none for requests that no form made.
pub async fn opened_in(conn: &mut Conn, request: RequestId) -> Result<Option<String>> {
    sqlx::query_scalar!(
        "select d.asked_in from request r join draft d on d.id = r.draft_id where r.id = $1",
        request as _
    )
    .fetch_optional(conn)
    .await
}

/// The draft that a person left unfinished last, of one command, and when; one that was only opened isn't worth it.
pub async fn unfinished(
    conn: &mut Conn,
    person: PersonId,
    command: &str,
    since: DateTime<Utc>,
) -> Result<Option<Unfinished>> {
    let mut found = all_unfinished(conn, person, since).await?;
    found.retain(|u| u.command == command);
    Ok(found.into_iter().next())
}

/// A draft that waits to be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub id: DraftId,
    /// Its command.
    pub command: String,
    /// When it was last touched.
    pub touched_at: DateTime<Utc>,
}

/// The drafts that a person left unfinished, latest first, the last one of each command.
pub async fn all_unfinished(
    conn: &mut Conn,
    person: PersonId,
    since: DateTime<Utc>,
) -> Result<Vec<Unfinished>> {
    sqlx::query_as!(
        Unfinished,
        r#"select id as "id: DraftId", command, touched_at from (
               select distinct on (command) id, command, touched_at from draft
               where person_id = $1 and consumed_at is null and touched_at > $2 and (page > 0 or revision > 1)
               order by command, touched_at desc) latest
           order by touched_at desc"#,
        person as _,
        since,
    )
    .fetch_all(conn)
    .await
}

/// Keeps what changed.
pub async fn save(conn: &mut Conn, draft: &Draft) -> Result<()> {
    sqlx::query!(
        r#"update draft set "values" = $2, page = $3, revision = $4, consumed_at = $5, touched_at = $6 where id = $1"#,
        draft.id as _,
        &draft.values as _,
        draft.page,
        draft.revision,
        draft.consumed_at,
        draft.touched_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes drafts that nobody touched since; gives how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from draft where id in (select id from draft where touched_at < $1 limit $2)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
