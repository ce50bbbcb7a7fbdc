//! Plans: the exact bytes that were approved, the rule that decides them and what it was decided on.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Conn, Json, Result};
use crate::domain::canonical::Digest;
use crate::domain::id::{PersonId, PlanId, RequestId};
use crate::domain::rule::DecidingRule;

/// A plan as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Whose it is.
    pub request: RequestId,
    /// Who asked: nobody decides on their own.
    pub requester: PersonId,
    /// The digest that people see and approve.
    pub digest: Digest,
    /// The canonical bytes that the digest is over.
    pub bytes: Vec<u8>,
    /// The rule that decides it.
    pub rule: Json<DecidingRule>,
    /// The facts that the rule was decided on.
    pub seen: Value,
    /// Until when it can be decided.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the reminder went out.
    pub reminded_at: Option<DateTime<Utc>>,
    /// When an earlier plan was replaced by this one.
    pub replaced_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Writes a new plan.
pub async fn insert(conn: &mut Conn, plan: &Plan) -> Result<()> {
    sqlx::query!(
        "insert into plan (id, request_id, requester_id, digest, bytes, rule, seen, expires_at, replaced_at, created_at)
         values ($1, $2, (select requester_id from request where id = $2), $3, $4, $5, $6, $7, $8, $9)",
        plan.id as _,
        plan.request as _,
        plan.digest as _,
        plan.bytes,
        &plan.rule as _,
        plan.seen,
        plan.expires_at,
        plan.replaced_at,
        plan.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a plan.
pub async fn get(conn: &mut Conn, id: PlanId) -> Result<Option<Plan>> {
    sqlx::query_as!(
        Plan,
        r#"select id as "id: PlanId", request_id as "request: RequestId", human(requester_id) as "requester!: PersonId",
                  digest as "digest: Digest", bytes, rule as "rule: Json<DecidingRule>", seen, expires_at, reminded_at,
                  replaced_at, created_at
           from plan where id = $1"#,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// Whose plan it is.
pub async fn request_of(conn: &mut Conn, id: PlanId) -> Result<Option<RequestId>> {
    sqlx::query_scalar!(
        r#"select request_id as "request: RequestId" from plan where id = $1"#,
        id as _
    )
    .fetch_optional(conn)
    .await
}

/// The handles that the deciding rules of undecided and approved requests name: still asked for, whatever the
/// definitions say by now.
pub async fn asked_handles(conn: &mut Conn) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select distinct q.value -> 'from' ->> 'handle' as "handle!"
           from request r join plan p on p.id = r.plan_id
           cross join lateral jsonb_array_elements(p.rule -> 'require') q
           where r.state in ('awaiting_approval', 'approved')"#
    )
    .fetch_all(conn)
    .await
}
