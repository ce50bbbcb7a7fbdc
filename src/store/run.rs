//! Runs: one row an approval.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Conn, Result};
use crate::domain::canonical::Digest;
use crate::domain::id::{ApprovalId, PersonId, RequestId, RunId};
use crate::domain::run::{Direction, RunState};

/// A run as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What allows it.
    pub approval: ApprovalId,
    /// Whose it is.
    pub request: RequestId,
    /// Where it stands.
    pub state: RunState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was begun, from 0.
    pub generation: i32,
    /// Which way it goes.
    pub direction: Direction,
    /// When its first step began.
    pub started_at: Option<DateTime<Utc>>,
    /// When nothing more was expected of it.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who cancelled it.
    pub cancelled_by: Option<PersonId>,
    /// Who cancelled, retried or undid last.
    pub acted_by: Option<PersonId>,
    /// The reference under which the log has the cause of its stop.
    pub reference: Option<String>,
    /// Links and the like, once it succeeded.
    pub output: Option<Value>,
    /// When it is undone by itself.
    pub undo_at: Option<DateTime<Utc>>,
}

macro_rules! select_run {
    ($rest:literal, $($arg:expr),+) => {
        sqlx::query_as!(
            Run,
            r#"select id as "id: RunId", approval_id as "approval: ApprovalId", request_id as "request: RequestId",
                      state as "state: RunState", since, generation, direction as "direction: Direction",
                      started_at, ended_at, human(cancelled_by) as "cancelled_by: PersonId",
                      human(acted_by) as "acted_by: PersonId", reference, output, undo_at
               from run "# + $rest,
            $($arg),+
        )
    };
}

/// Reads a run and keeps others from moving it until the transaction ends.
pub async fn lock(conn: &mut Conn, id: RunId) -> Result<Option<Run>> {
    select_run!("where id = $1 for no key update", id as _)
        .fetch_optional(conn)
        .await
}

/// Reads a run.
pub async fn get(conn: &mut Conn, id: RunId) -> Result<Option<Run>> {
    select_run!("where id = $1", id as _)
        .fetch_optional(conn)
        .await
}

/// The latest run of a request, and keeps others from moving it until the transaction ends.
pub async fn lock_latest(conn: &mut Conn, request: RequestId) -> Result<Option<Run>> {
    select_run!(
        "where request_id = $1 order by created_at desc, id desc limit 1 for no key update",
        request as _
    )
    .fetch_optional(conn)
    .await
}

/// The latest run of a request.
pub async fn latest(conn: &mut Conn, request: RequestId) -> Result<Option<Run>> {
    select_run!(
        "where request_id = $1 order by created_at desc, id desc limit 1",
        request as _
    )
    .fetch_optional(conn)
    .await
}

/// Keeps what changed of a run that the caller holds locked.
pub async fn save(conn: &mut Conn, run: &Run) -> Result<()> {
    sqlx::query!(
        "update run set state = $2, since = $3, generation = $4, direction = $5, started_at = $6, ended_at = $7,
                cancelled_by = case when human(cancelled_by) = $8 then cancelled_by else $8 end,
                acted_by = case when human(acted_by) = $9 then acted_by else $9 end, reference = $10, output = $11, undo_at = $12
         where id = $1",
        run.id as _,
        run.state as _,
        run.since,
        run.generation,
        run.direction as _,
        run.started_at,
        run.ended_at,
        run.cancelled_by as _,
        run.acted_by as _,
        run.reference,
        run.output,
        run.undo_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Runs whose time to be undone by themselves has come.
pub async fn undo_due(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<RunId>> {
    sqlx::query_scalar!(
        r#"select id as "id: RunId" from run
           where undo_at <= $1 and state in ('failed', 'blocked') order by undo_at limit 50"#,
        now
    )
    .fetch_all(conn)
    .await
}

/// The digest of the plan that an approval is for.
pub async fn approved_digest(conn: &mut Conn, approval: ApprovalId) -> Result<Digest> {
    sqlx::query_scalar!(
        r#"select p.digest as "digest: Digest" from plan p join approval a on a.plan_id = p.id where a.id = $1"#,
        approval as _
    )
    .fetch_one(conn)
    .await
}

/// The digest of the plan that a run carries out, if it is its request's current one, may still begin, and the request has
/// not moved since.
pub async fn to_begin(conn: &mut Conn, run: RunId, since: DateTime<Utc>) -> Result<Option<Digest>> {
    sqlx::query_scalar!(
        r#"select p.digest as "digest: Digest"
           from run r
           join request q on q.id = r.request_id
           join approval a on a.id = r.approval_id
           join plan p on p.id = a.plan_id
           where r.id = $1 and r.state in ('queued', 'running') and q.state = 'approved' and q.since = $2
             and r.id = (select id from run where request_id = q.id order by created_at desc, id desc limit 1)"#,
        run as _,
        since,
    )
    .fetch_optional(conn)
    .await
}

/// The exact bytes of the plan that an approval is for.
pub async fn approved_bytes(conn: &mut Conn, approval: ApprovalId) -> Result<Vec<u8>> {
    sqlx::query_scalar!(
        "select p.bytes from plan p join approval a on a.plan_id = p.id where a.id = $1",
        approval as _
    )
    .fetch_one(conn)
    .await
}
