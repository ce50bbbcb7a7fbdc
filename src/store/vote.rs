//! Votes: one a person and plan, never the requester's. The look at a plan before any lock is here too.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{AccountId, PersonId, PlanId, RequestId, VoteId};
use crate::domain::person::Platform;
use crate::domain::request::RequestState;
use crate::domain::vote::{Verdict, Vote};

/// A vote to be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cast<'a> {
    /// Its id.
    pub id: VoteId,
    /// Who, on what, what, with which groups, when.
    pub vote: &'a Vote,
    /// The account that pressed.
    pub account: AccountId,
    /// Why not.
    pub reason: Option<&'a str>,
}

/// Writes a vote. The database refuses the requester's own, as whichever person, and a second one of the same person.
pub async fn insert(conn: &mut Conn, cast: Cast<'_>) -> Result<()> {
    let vote = cast.vote;
    sqlx::query!(
        "insert into vote (id, plan_id, requester_id, person_id, account_id, verdict, groups, reason, created_at)
         values ($1, $2, (select requester_id from plan where id = $2), $3, $4, $5, $6, $7, $8)",
        cast.id as _,
        vote.plan as _,
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

/// A vote as kept, and by whom it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The vote, by whoever stands for the voter now.
    pub vote: Vote,
    /// The human, as [`super::tie::Known::counts_as`] tells it.
    pub counts_as: PersonId,
    /// Whether it is the requester's own by what is known since: then it counts for nothing that isn't decided yet.
    pub own: bool,
}

/// The votes on a plan, in the order of their casting.
pub async fn on_plan(conn: &mut Conn, plan: PlanId) -> Result<Vec<Kept>> {
    let rows = sqlx::query!(
        r#"select human(v.person_id) as "person!: PersonId", v.plan_id as "plan: PlanId",
                  v.verdict as "verdict: Verdict", v.groups, v.created_at as at,
                  human_at(v.person_id, r.created_at) as "counts_as!: PersonId",
                  human_at(v.person_id, r.created_at) = human_at(r.requester_id, r.created_at) as "own!"
           from vote v join plan p on p.id = v.plan_id join request r on r.id = p.request_id
           where v.plan_id = $1 order by v.created_at, v.id"#,
        plan as _,
    )
    .fetch_all(conn)
    .await?;
    let kept = rows.into_iter().map(|row| Kept {
        vote: Vote {
            person: row.person,
            plan: row.plan,
            verdict: row.verdict,
            groups: row.groups,
            at: row.at,
        },
        counts_as: row.counts_as,
        own: row.own,
    });
    Ok(kept.collect())
}

/// What tells whether a press on a plan can still matter, and what to answer if it can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whose plan it is.
    pub request: RequestId,
    /// Where the plan's request stands.
    pub state: RequestState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// Who ended it, or whose vote decided it: a name for this reader.
    pub decider: Option<String>,
}

/// Looks at the request of a plan without a lock, for a reader in one installation. `None`: there is no such plan.
pub async fn look(
    conn: &mut Conn,
    plan: PlanId,
    (platform, installation): (Platform, &str),
) -> Result<Option<Look>> {
    sqlx::query_as!(
        Look,
        r#"select r.id as "request: RequestId", r.state as "state: RequestState", r.since, idp_now() as "now!",
                  (select a.name from account a join installation i on i.id = a.installation_id
                   where a.person_id = human(coalesce(r.ended_by, (select v.person_id from vote v
                                                                   where v.plan_id = r.plan_id
                                                                   order by v.created_at desc, v.id desc limit 1)))
                   order by (i.platform = $2 and i.external_id = $3) desc, a.created_at limit 1) as decider
           from plan p join request r on r.id = p.request_id
           where p.id = $1"#,
        plan as _,
        platform as _,
        installation,
    )
    .fetch_optional(conn)
    .await
}
