//! Votes: one a person and plan, never the requester's. The look at a press before any lock is here too.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{
    AccountId, InstallationId, PersonId, PlanId, RequestId, RequestNumber, VoteId,
};
use crate::domain::person::{AccountKind, Platform};
use crate::domain::request::RequestState;
use crate::domain::vote::{Verdict, Vote};

/// A vote to be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cast<'a> {
    /// Its id.
    pub id: VoteId,
    /// Who, on what, what, with which groups, when.
    pub vote: &'a Vote,
    /// Whose request it is: the database holds it equal to the plan's and unlike the voter.
    pub requester: PersonId,
    /// The account that pressed.
    pub account: AccountId,
    /// Why not.
    pub reason: Option<&'a str>,
}

/// Writes a vote. The database refuses the requester's own and a second one of the same person.
pub async fn insert(conn: &mut Conn, cast: Cast<'_>) -> Result<()> {
    let vote = cast.vote;
    sqlx::query!(
        "insert into vote (id, plan_id, requester_id, person_id, account_id, verdict, groups, reason, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        cast.id as _,
        vote.plan as _,
        cast.requester as _,
        vote.person as _,
        cast.account as _,
        vote.verdict as _,
        &vote.groups,
        cast.reason,
        vote.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The votes on a plan, in the order of their casting.
pub async fn on_plan(conn: &mut Conn, plan: PlanId) -> Result<Vec<Vote>> {
    sqlx::query_as!(
        Vote,
        r#"select person_id as "person: PersonId", plan_id as "plan: PlanId", verdict as "verdict: Verdict", groups,
                  created_at as at
           from vote where plan_id = $1 order by created_at, id"#,
        plan as _,
    )
    .fetch_all(conn)
    .await
}

/// Everything that tells whether a press on a plan can still matter, in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Where the press comes from.
    pub installation: InstallationId,
    /// The app that we are there.
    pub app: Option<String>,
    /// Who presses.
    pub account: AccountId,
    /// The human behind it.
    pub person: PersonId,
    /// Full, guest, …
    pub kind: AccountKind,
    /// False once deactivated.
    pub active: bool,
    /// The plan's request.
    pub request: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// Where it stands.
    pub state: RequestState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Its current plan.
    pub current: Option<PlanId>,
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// Who ended it, or whose vote decided it: a name for this reader.
    pub decider: Option<String>,
}

/// Who presses what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press<'a> {
    /// The platform.
    pub platform: Platform,
    /// The installation's id there.
    pub installation: &'a str,
    /// The account's id there.
    pub account: &'a str,
    /// The plan that the card showed.
    pub plan: PlanId,
}

/// Looks without a lock. `None`: installation, account or plan isn't known.
pub async fn look(conn: &mut Conn, press: Press<'_>) -> Result<Option<Look>> {
    sqlx::query_as!(
        Look,
        r#"select i.id as "installation: InstallationId", i.app_id as app, a.id as "account: AccountId",
                  a.person_id as "person: PersonId", a.kind as "kind: AccountKind", a.active,
                  r.id as "request: RequestId", r.number as "number: RequestNumber", r.state as "state: RequestState",
                  r.since, r.plan_id as "current: PlanId", idp_now() as "now!",
                  (select name from account d
                   where d.person_id = coalesce(r.ended_by, (select v.person_id from vote v where v.plan_id = r.plan_id
                                                             order by v.created_at desc, v.id desc limit 1))
                   order by d.installation_id = i.id desc, d.created_at limit 1) as decider
           from installation i
           join account a on a.installation_id = i.id and a.external_id = $3
           join plan p on p.id = $4
           join request r on r.id = p.request_id
           where i.platform = $1 and i.external_id = $2"#,
        press.platform as _,
        press.installation,
        press.account,
        press.plan as _,
    )
    .fetch_optional(conn)
    .await
}
