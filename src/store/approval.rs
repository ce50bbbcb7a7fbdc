//! Approvals: the row that says a plan's rule is met. Without one nothing runs, and with it a run stands.

use chrono::{DateTime, Utc};

use super::run::Run;
use super::{Conn, Json, Result};
use crate::domain::id::{ApprovalId, PersonId, PlanId, RequestId};
use crate::domain::plan::PlannedStep;

/// An approval as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Of which plan.
    pub plan: PlanId,
    /// Of which request.
    pub request: RequestId,
    /// The rule that was met.
    pub rule: String,
    /// Until when it is good for a start or a retry.
    pub good_until: DateTime<Utc>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Writes an approval with its run and the run's steps, all pending, in the plan's order. The database refuses a run that
/// is of another request than its approval, and a second one for it.
pub async fn insert(
    conn: &mut Conn,
    approval: &Approval,
    run: &Run,
    steps: &[PlannedStep],
) -> Result<()> {
    let planned: Vec<Json<&PlannedStep>> = steps.iter().map(Json).collect();
    sqlx::query!(
        "with approved as (
             insert into approval (id, plan_id, request_id, rule, good_until, created_at)
             values ($1, $2, $3, $4, $5, $6)),
         begun as (
             insert into run (id, approval_id, request_id, state, since, generation, direction, created_at)
             values ($7, $1, $3, $8, $9, $10, $11, $9))
         insert into step (run_id, seq, id, title, action, state, planned)
         select $7, at - 1, planned ->> 'id', planned ->> 'title', planned ->> 'action', 'pending', planned
         from unnest($12::jsonb[]) with ordinality as s(planned, at)",
        approval.id as _,
        approval.plan as _,
        approval.request as _,
        approval.rule,
        approval.good_until,
        approval.created_at,
        run.id as _,
        run.state as _,
        run.since,
        run.generation,
        run.direction as _,
        &planned as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads an approval.
pub async fn get(conn: &mut Conn, id: ApprovalId) -> Result<Approval> {
    sqlx::query_as!(
        Approval,
        r#"select id as "id: ApprovalId", plan_id as "plan: PlanId", request_id as "request: RequestId", rule,
                  good_until, created_at
           from approval where id = $1"#,
        id as _,
    )
    .fetch_one(conn)
    .await
}

/// Whether a person's yes is among those that approved any plan of a request.
pub async fn is_approver(conn: &mut Conn, request: RequestId, person: PersonId) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from approval p join vote v on v.plan_id = p.plan_id
                          where p.request_id = $1 and v.person_id = any(array(select persons_of($2)))
                            and v.verdict = 'approve') as "is!""#,
        request as _,
        person as _,
    )
    .fetch_one(conn)
    .await
}
