//! Approve and Deny.
//!
//! A press that can still matter locks the request, and `domain` counts the vote on groups as of now. Those that can't
//! any more were answered before, by [`super::late`].

use serde_json::{Value, json};

use super::actor::Actor;
use super::audit::{self, Chain};
use super::end::{self, End};
use super::group;
use super::{App, ask, message, new_id, run, view};
use crate::cards::{answer, form, refusal};
use crate::domain::id::{ApprovalId, PersonId, PlanId, RunId};
use crate::domain::message::Milestone;
use crate::domain::person::{Account, GroupFacts, Platform};
use crate::domain::plan::Plan;
use crate::domain::reply::Reply;
use crate::domain::request::{RequestMove, RequestState};
use crate::domain::slash;
use crate::domain::vote::{Ballot, Standing, Verdict, Vote, VoteRefused};
use crate::store::approval::Approval;
use crate::store::request::Request;
use crate::store::vote::Cast;
use crate::store::{self, Conn, queue};

/// What happened, as the evidence of a counted vote says it.
const CAST: &str = "vote.cast";

/// The same, of a rule that is met.
pub(super) const APPROVED: &str = "request.approved";

/// Longest reason that is kept of a Deny, in characters.
const REASON: usize = 1000;

/// Someone pressed Deny: asks for the reason, if their word could count.
pub(super) async fn ask_reason(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    plan: PlanId,
) -> anyhow::Result<Reply> {
    let poll = match poll(app, conn, actor, plan).await? {
        Ok(poll) => poll,
        Err(reply) => return Ok(reply),
    };
    match cast(&poll, actor, Verdict::Deny) {
        Ok(_) => {
            let (title, hint) = form::deny(poll.request.number);
            Ok(Reply::AskReason { plan, title, hint })
        }
        Err(refused) => refuse(app, conn, actor, &poll, &refused).await,
    }
}

/// Counts a vote and does what follows from it.
pub(super) async fn vote(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    plan: PlanId,
    (verdict, reason): (Verdict, Option<&str>),
) -> anyhow::Result<Reply> {
    let mut poll = match poll(app, conn, actor, plan).await? {
        Ok(poll) => poll,
        Err(reply) => return Ok(reply),
    };
    let (vote, standing) = match cast(&poll, actor, verdict) {
        Ok(counted) => counted,
        Err(refused) => return refuse(app, conn, actor, &poll, &refused).await,
    };
    let reason = reason.map(|r| r.trim().chars().take(REASON).collect::<String>());
    let cast = keep(conn, actor, &poll, &vote, reason.as_deref()).await?;
    let request = &mut poll.request;
    let chain = Chain::Request(request.id);
    match standing {
        Standing::Lacking(_) => {
            audit::append(conn, chain, CAST, vote.at, cast).await?;
            message::raise(conn, request.id).await?;
        }
        Standing::Met => {
            let (_, approved) = approve(app, conn, request, &poll.plan, actor.now).await?;
            message::milestone(conn, request.id, Milestone::Decided, actor.now).await?;
            let happened = [(CAST, cast), (APPROVED, approved)];
            audit::append_all(conn, chain, vote.at, happened).await?;
        }
        Standing::Denied => {
            audit::append(conn, chain, CAST, vote.at, cast).await?;
            let end = End {
                by: Some(actor.person()),
                reason,
                reference: None,
            };
            end::request(conn, request, RequestMove::Deny, end, actor.now).await?;
            message::milestone(conn, request.id, Milestone::Decided, actor.now).await?;
        }
    }
    Ok(Reply::Done)
}

/// A request that can be decided, locked, with its ballot.
struct Poll {
    request: Request,
    plan: store::plan::Plan,
    ballot: Ballot,
    /// The deciding groups.
    groups: Vec<GroupFacts>,
    /// The human who presses.
    voter: PersonId,
}

/// Locks the request of a plan that can be voted on; `Err`: what the presser is told instead.
async fn poll(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    plan: PlanId,
) -> anyhow::Result<Result<Poll, Reply>> {
    let Some(kept) = store::plan::get(conn, plan).await? else {
        return Ok(Err(unknown(actor, plan)));
    };
    let Some(request) = store::request::lock(conn, kept.request).await? else {
        return Ok(Err(unknown(actor, plan)));
    };
    if let Some(reply) = turned_away(conn, plan, &request, actor).await? {
        return Ok(Err(reply));
    }
    let (Some(expires_at), RequestState::AwaitingApproval, true) =
        (kept.expires_at, request.state, request.plan == Some(plan))
    else {
        let view = view::load(app, conn, request.id, actor.installation.id).await?;
        let card = answer::vote_refused(&view, &VoteRefused::OtherPlan, &[], actor.now);
        return Ok(Err(Reply::Card { card }));
    };
    let rule = kept.rule.0.clone();
    let groups = group::of_rule(app, conn, &rule, actor.installation.id, actor.now).await?;
    let both = [request.requester, actor.person()];
    let known = store::tie::known(conn, request.id, &both).await?;
    let human = |person: PersonId| {
        let found = known.iter().find(|k| k.person == person);
        found.map_or(person, |k| k.counts_as)
    };
    let votes = store::vote::on_plan(conn, plan).await?;
    let ballot = Ballot {
        plan,
        requester: human(request.requester),
        rule,
        expires_at,
        votes: votes
            .into_iter()
            .map(|kept| Vote {
                person: kept.counts_as,
                ..kept.vote
            })
            .collect(),
    };
    Ok(Ok(Poll {
        request,
        plan: kept,
        ballot,
        groups,
        voter: human(actor.person()),
    }))
}

/// What somebody is told whose account decides nothing, whatever groups its person is in: one that is no active member's,
/// or one of another installation than the request's, whom nobody knows there. That may be the requester themselves.
async fn turned_away(
    conn: &mut Conn,
    plan: PlanId,
    request: &Request,
    actor: &Actor,
) -> anyhow::Result<Option<Reply>> {
    let number = request.number;
    let (why, refusal) = if ask::is_member(&actor.account).is_err() {
        ("no_member", refusal::only_members_decide(number))
    } else if let Some(platform) = elsewhere(conn, request, actor).await? {
        ("elsewhere", refusal::asked_elsewhere(number, platform))
    } else {
        return Ok(None);
    };
    let what = json!({
        "plan": plan, "by": actor.person(), "account": actor.account.id, "why": why,
    });
    audit::append(
        conn,
        Chain::Request(request.id),
        "vote.refused",
        actor.now,
        what,
    )
    .await?;
    let card = answer::refused(&refusal);
    Ok(Some(Reply::Card { card }))
}

/// Where a request was asked for, if somebody acts elsewhere and has no active account there.
async fn elsewhere(
    conn: &mut Conn,
    request: &Request,
    actor: &Actor,
) -> store::Result<Option<Platform>> {
    if request.home == actor.installation.id {
        return Ok(None);
    }
    let home = store::installation::get(conn, request.home).await?;
    let accounts = store::account::of_person(conn, actor.person()).await?;
    let there = |account: &Account| account.active && account.installation == home.id;
    let known = !home.platform.is_chat() || accounts.iter().any(there);
    Ok((!known).then_some(home.platform))
}

fn cast(poll: &Poll, actor: &Actor, verdict: Verdict) -> Result<(Vote, Standing), VoteRefused> {
    let voter = (actor.person(), poll.voter);
    let cast = (poll.ballot).cast(voter, poll.plan.id, verdict, &poll.groups, actor.now);
    // Counted as a human, kept as the person who stands for them.
    let by = |vote| Vote {
        person: actor.person(),
        ..vote
    };
    cast.map(|(vote, standing)| (by(vote), standing))
}

/// A press on an open plan that doesn't count is evidence too.
async fn refuse(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    poll: &Poll,
    refused: &VoteRefused,
) -> anyhow::Result<Reply> {
    let request = poll.request.id;
    if matches!(refused, VoteRefused::Stale { .. }) && poll.groups.iter().any(|g| !g.whole) {
        // Nobody reads who is in it: a look at the accounts tells, before the next press.
        for account in store::account::of_person(conn, actor.person()).await? {
            queue::enqueue_lookup(conn, account.id).await?;
        }
    }
    let own = group::of_person(app, conn, actor.person(), actor.now).await?;
    let view = view::load(app, conn, request, actor.installation.id).await?;
    let card = answer::vote_refused(&view, refused, &own.groups, actor.now);
    let what = json!({
        "plan": poll.plan.id, "by": actor.person(), "account": actor.account.id, "groups": own.groups,
        "why": why(refused),
    });
    audit::append(
        conn,
        Chain::Request(request),
        "vote.refused",
        actor.now,
        what,
    )
    .await?;
    Ok(Reply::Card { card })
}

const fn why(refused: &VoteRefused) -> &'static str {
    match refused {
        VoteRefused::OwnRequest => "own_request",
        VoteRefused::NotADecider => "not_a_decider",
        VoteRefused::Stale { .. } => "stale_groups",
        VoteRefused::Twice => "twice",
        VoteRefused::Late { .. } => "late",
        VoteRefused::OtherPlan => "other_plan",
    }
}

/// Writes a vote; gives the evidence of it.
async fn keep(
    conn: &mut Conn,
    actor: &Actor,
    poll: &Poll,
    vote: &Vote,
    reason: Option<&str>,
) -> store::Result<Value> {
    let cast = Cast {
        id: new_id(),
        vote,
        account: actor.account.id,
        reason,
    };
    store::vote::insert(conn, cast).await?;
    Ok(json!({
        "vote": cast.id, "plan": vote.plan, "digest": poll.plan.digest, "by": vote.person,
        "account": actor.account.id, "verdict": vote.verdict, "groups": vote.groups, "reason": reason,
    }))
}

/// The rule is met: approval, run and first job, in the caller's transaction. Gives the evidence of it, to be written as
/// [`APPROVED`].
pub(super) async fn approve(
    app: &App,
    conn: &mut Conn,
    request: &mut Request,
    plan: &store::plan::Plan,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<(RunId, Value)> {
    let moved = match request.state {
        RequestState::Planning => RequestMove::PlanNeedsNobody,
        _ => RequestMove::Approve,
    };
    request.state = request.state.after(moved)?;
    request.since = now;
    store::request::save(conn, request).await?;
    let approval = Approval {
        id: new_id::<ApprovalId>(),
        plan: plan.id,
        request: request.id,
        rule: plan.rule.name.clone(),
        good_until: now
            + chrono::TimeDelta::hours(app.settings.current().limits.approval_hours.into()),
        created_at: now,
    };
    let run = run::begin(conn, &approval, &Plan::parse(&plan.bytes)?).await?;
    message::close_copies(conn, request.id, now).await?;
    let what = json!({
        "approval": approval.id, "plan": plan.id, "digest": plan.digest, "rule": approval.rule,
        "good_until": approval.good_until, "run": run,
    });
    Ok((run, what))
}

fn unknown(actor: &Actor, plan: PlanId) -> Reply {
    Reply::Card {
        card: answer::unknown_request(&plan.to_string(), &actor.slash(slash::NAME)),
    }
}
