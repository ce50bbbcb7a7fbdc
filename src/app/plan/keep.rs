//! Keeps a plan: takes its names, finds the rule that decides it and who could, then asks them or runs at once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Planned, Stored, again, refuse};
use crate::app::audit::{self, Chain};
use crate::app::definition::Definition;
use crate::app::{App, decide, group, message, new_id, submit, tell};
use crate::cards::refusal;
use crate::catalog::rule::{self, Actor, Deciding};
use crate::domain::id::{InstallationId, PlanId};
use crate::domain::message::Milestone;
use crate::domain::person::GroupFacts;
use crate::domain::plan::Claim;
use crate::domain::refusal::Refusal;
use crate::domain::request::RequestMove;
use crate::domain::rule::{DecidingRule, Quorum, Unmeetable};
use crate::domain::slash::Slash;
use crate::store::plan::Plan;
use crate::store::request::Request;
use crate::store::{self, Conn, Json};

/// Keeps a plan of a locked request.
pub(super) async fn plan(
    app: &App,
    conn: &mut Conn,
    request: &mut Request,
    planned: Planned,
    now: DateTime<Utc>,
) -> anyhow::Result<Stored> {
    let reader = request.home;
    if let Some(taken) = take_names(conn, request, &planned, (reader, now)).await? {
        refuse(conn, request, &taken, now).await?;
        return Ok(Stored::Ended);
    }
    let deciding = match deciding(app, conn, request, &planned, now).await? {
        Ok(deciding) => deciding,
        Err(refusal) => {
            refuse(conn, request, &refusal, now).await?;
            return Ok(Stored::Ended);
        }
    };
    let (rule, groups) = resolve(app, conn, deciding, (reader, now)).await?;
    let groups = group::who_can(conn, request, groups).await?;
    if let Err(why) = rule.meetable(&groups, request.requester, now) {
        let platform = store::installation::get(conn, reader).await?.platform;
        let slash = Slash::of(&request.slash, platform);
        let refusal = refusal::nobody_can_decide(&rule.name, &why, &slash);
        if matches!(why, Unmeetable::Stale { .. }) {
            // It is we who don't know yet: the next try may.
            let cause = refusal.what.to_string();
            return again(app, conn, request, (cause, None), now).await;
        }
        refuse(conn, request, &refusal, now).await?;
        return Ok(Stored::Ended);
    }
    for bytes in &planned.blobs {
        store::blob::put(conn, bytes, now).await?;
    }
    let kept = write(conn, request, &planned, (rule, &groups), now).await?;
    if kept.rule.require.is_empty() {
        let (run, approved) = decide::approve(app, conn, request, &kept, now).await?;
        let chain = Chain::Request(request.id);
        audit::append(conn, chain, decide::APPROVED, now, approved).await?;
        return Ok(Stored::Runs(run));
    }
    request.state = request.state.after(RequestMove::PlanNeedsVotes)?;
    request.since = now;
    store::request::save(conn, request).await?;
    message::raise(conn, request.id).await?;
    message::milestone(conn, request.id, Milestone::ApprovalAsked, now).await?;
    let deciders = kept.rule.deciders(&groups, request.requester);
    tell::deciders(app, conn, request.id, (&kept.rule, &deciders), now).await?;
    Ok(Stored::Waits(kept.id))
}

/// Takes the names of all steps; gives the refusal for the first one that somebody else has.
async fn take_names(
    conn: &mut Conn,
    request: &Request,
    planned: &Planned,
    (reader, now): (InstallationId, DateTime<Utc>),
) -> store::Result<Option<Refusal>> {
    // In one order everywhere, so that two requests never wait for each other's names.
    let mut claims: Vec<&Claim> = planned.plan.steps.iter().flat_map(|s| &s.claims).collect();
    claims.sort();
    for claim in claims {
        while !store::claim::take(conn, request.id, claim, now).await? {
            // Who let go of it just now holds it no more: then it is to be taken still.
            if let Some(holder) = store::claim::holder(conn, claim).await? {
                return submit::taken(conn, reader, claim, holder).await.map(Some);
            }
        }
    }
    Ok(None)
}

/// The rule that decides the plan; a rule that can't be evaluated is never handed to a weaker one.
async fn deciding(
    app: &App,
    conn: &mut Conn,
    request: &Request,
    planned: &Planned,
    now: DateTime<Utc>,
) -> anyhow::Result<Result<Deciding, Refusal>> {
    let definition = Definition::of(conn, request).await?;
    let belongs = group::of_person(app, conn, request.requester, now).await?;
    let actor = Actor {
        groups: belongs.groups,
        teams: belongs.teams,
    };
    let found = rule::deciding(
        &definition.command,
        &definition.inputs,
        &planned.plan,
        &actor,
    );
    Ok(found.map_err(|wrong| {
        Refusal::new(format!("{wrong}.")).instead("The platform team can put the rule right.")
    }))
}

/// Finds the people behind a rule.
async fn resolve(
    app: &App,
    conn: &mut Conn,
    deciding: Deciding,
    (reader, now): (InstallationId, DateTime<Utc>),
) -> store::Result<(DecidingRule, Vec<GroupFacts>)> {
    let handles: Vec<String> = deciding
        .require
        .iter()
        .map(|q| group::handle(app, &q.from))
        .collect();
    let asked: Vec<&str> = handles.iter().map(String::as_str).collect();
    let groups = group::all_facts(app, conn, &asked, reader, now).await?;
    let quorums = handles
        .iter()
        .zip(&deciding.require)
        .map(|(handle, quorum)| {
            let known = groups.iter().find(|g| g.name.handle == *handle);
            Quorum {
                from: known.map_or_else(
                    || crate::domain::person::GroupName {
                        handle: handle.clone(),
                        external: None,
                    },
                    |g| g.name.clone(),
                ),
                count: quorum.count,
            }
        });
    let rule = DecidingRule {
        name: deciding.name,
        require: quorums.collect(),
        expires_s: deciding.expires_s,
        remind_s: deciding.remind_s,
    };
    Ok((rule, groups))
}

/// Writes the plan with the rule and the facts it was decided on, and makes it the request's current one.
async fn write(
    conn: &mut Conn,
    request: &mut Request,
    planned: &Planned,
    (rule, groups): (DecidingRule, &[GroupFacts]),
    now: DateTime<Utc>,
) -> store::Result<Plan> {
    let waits = !rule.require.is_empty();
    let kept = Plan {
        id: new_id::<PlanId>(),
        request: request.id,
        requester: request.requester,
        digest: planned.plan.digest(),
        bytes: planned.plan.bytes(),
        expires_at: waits.then(|| now + TimeDelta::seconds(rule.expires_s)),
        reminded_at: None,
        replaced_at: request.plan.map(|_| now),
        seen: seen(groups),
        rule: Json(rule),
        created_at: now,
    };
    store::plan::insert(conn, &kept).await?;
    request.plan = Some(kept.id);
    store::request::save(conn, request).await?;
    let what = json!({
        "plan": kept.id, "digest": kept.digest, "rule": kept.rule.0, "seen": kept.seen,
        "expires_at": kept.expires_at,
    });
    audit::append(conn, Chain::Request(request.id), "plan.made", now, what).await?;
    Ok(kept)
}

fn seen(groups: &[GroupFacts]) -> serde_json::Value {
    let group = |g: &GroupFacts| {
        let members: Vec<_> = g.members.iter().map(|m| m.person).collect();
        json!({ "handle": g.name.handle, "members": members, "synced_at": g.synced_at })
    };
    json!({ "groups": groups.iter().map(group).collect::<Vec<_>>() })
}
