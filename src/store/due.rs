//! What the clock brings: plans whose time is up, and those to be reminded of.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{PlanId, RequestId};

/// A plan that the clock has something to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuePlan {
    /// Whose it is.
    pub request: RequestId,
    /// Which.
    pub plan: PlanId,
}

/// At most so many at once; the next look takes the rest.
const BATCH: i64 = 50;

/// Shown plans that nobody decided in time.
pub async fn expired(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<DuePlan>> {
    sqlx::query_as!(
        DuePlan,
        r#"select r.id as "request: RequestId", p.id as "plan: PlanId"
           from request r join plan p on p.id = r.plan_id
           where r.state = 'awaiting_approval' and p.expires_at <= $1 order by p.expires_at limit $2"#,
        now,
        BATCH
    )
    .fetch_all(conn)
    .await
}

/// Shown plans of which those who can decide are to be reminded, once.
pub async fn to_remind(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<DuePlan>> {
    sqlx::query_as!(
        DuePlan,
        r#"select r.id as "request: RequestId", p.id as "plan: PlanId"
           from request r join plan p on p.id = r.plan_id
           where r.state = 'awaiting_approval' and p.reminded_at is null and (p.expires_at is null or p.expires_at > $1)
             and p.created_at + make_interval(secs => (p.rule ->> 'remind_s')::float8) <= $1
           order by p.created_at limit $2"#,
        now,
        BATCH
    )
    .fetch_all(conn)
    .await
}

/// Writes that a plan was reminded of; false: it was before.
pub async fn reminded(conn: &mut Conn, plan: PlanId, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update plan set reminded_at = $2 where id = $1 and reminded_at is null",
        plan as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
