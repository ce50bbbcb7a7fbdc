//! Ends a request before anything ran: refused, denied, expired, cancelled, or its plan couldn't be made.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::audit::{self, Chain};
use super::message;
use crate::domain::id::{PersonId, PlanId, RequestId};
use crate::domain::message::Milestone;
use crate::domain::request::{RequestMove, RequestState};
use crate::store::request::Request;
use crate::store::{self, Conn};

/// How a request ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct End {
    /// Who ended it; `None`: the plan, or the clock.
    pub by: Option<PersonId>,
    /// Why, as a sentence.
    pub reason: Option<String>,
    /// The reference under which the log has the cause.
    pub reference: Option<String>,
}

/// Ends a locked request: state, names, evidence and cards.
pub(super) async fn request(
    conn: &mut Conn,
    request: &mut Request,
    moved: RequestMove,
    end: End,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    request.state = request.state.after(moved)?;
    request.since = now;
    request.ended_by = end.by;
    request.end_reason = end.reason;
    request.reference = end.reference;
    store::request::save(conn, request).await?;
    store::claim::release(conn, request.id).await?;
    let what = json!({
        "state": request.state, "plan": request.plan, "by": request.ended_by, "reason": request.end_reason,
        "reference": request.reference,
    });
    let kind = format!("request.{}", request.state);
    audit::append(conn, Chain::Request(request.id), &kind, now, what).await?;
    message::close_copies(conn, request.id, now).await?;
    Ok(())
}

/// The time to decide a plan is up. False: it was decided, or replaced, before.
pub async fn expire(
    conn: &mut Conn,
    (id, plan): (RequestId, PlanId),
    now: DateTime<Utc>,
) -> anyhow::Result<bool> {
    let Some(mut locked) = store::request::lock(conn, id).await? else {
        return Ok(false);
    };
    if locked.state != RequestState::AwaitingApproval || locked.plan != Some(plan) {
        return Ok(false);
    }
    request(conn, &mut locked, RequestMove::Expire, End::default(), now).await?;
    message::milestone(conn, id, Milestone::Ended, now).await?;
    Ok(true)
}
