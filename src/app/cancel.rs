//! Cancel, Retry and Undo: what people do to a request and its run besides deciding.

use super::actor::Actor;
use super::end::{self, End};
use super::run::{self, RunError, Word};
use super::{App, group, message, view};
use crate::cards::answer;
use crate::domain::id::{RequestId, RunId};
use crate::domain::message::Milestone;
use crate::domain::permission::{Relation, Verb, may};
use crate::domain::reply::Reply;
use crate::domain::request::{RequestMove, RequestState};
use crate::domain::slash;
use crate::domain::view::RequestView;
use crate::store::request::Request;
use crate::store::run::Run;
use crate::store::{self, Conn};

/// Takes a request back, or stops and undoes what runs.
pub(super) async fn request(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    id: RequestId,
) -> anyhow::Result<Reply> {
    let Some(mut request) = store::request::lock(conn, id).await? else {
        return Ok(unknown(actor, &id.to_string()));
    };
    let run = current_run(conn, &request).await?;
    if let Err(reply) = check(app, conn, actor, (&request, run.as_ref()), Verb::Cancel).await? {
        return Ok(reply);
    }
    if let (RequestState::Approved, Some(run)) = (request.state, &run) {
        let word = Word {
            run: run.id,
            generation: None,
            by: Some(actor.person()),
        };
        return match run::cancel(conn, word, actor.now).await {
            Ok(()) => say(app, conn, actor, id, answer::cancelled).await,
            Err(why) => not_moved(app, conn, actor, (id, Verb::Cancel), why).await,
        };
    }
    let by = End {
        by: Some(actor.person()),
        ..End::default()
    };
    end::request(conn, &mut request, RequestMove::Cancel, by, actor.now).await?;
    if actor.person() != request.requester {
        message::milestone(conn, id, Milestone::Ended, actor.now).await?;
    }
    say(app, conn, actor, id, answer::cancelled).await
}

/// Goes on from the unfinished step, or undoes what was done. `value` is the button's: run and generation.
pub(super) async fn run(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    verb: Verb,
    value: &str,
) -> anyhow::Result<Reply> {
    let Some((id, generation)) = run_of(value) else {
        return Ok(unknown(actor, value));
    };
    let Some(seen) = store::run::get(conn, id).await? else {
        return Ok(unknown(actor, value));
    };
    let Some(request) = store::request::lock(conn, seen.request).await? else {
        return Ok(unknown(actor, value));
    };
    let current = current_run(conn, &request).await?;
    if current.as_ref().is_none_or(|run| run.id != id) {
        return say(app, conn, actor, request.id, |v| {
            answer::old_run(v, actor.now)
        })
        .await;
    }
    if let Err(reply) = check(app, conn, actor, (&request, current.as_ref()), verb).await? {
        return Ok(reply);
    }
    let word = Word {
        run: id,
        generation: Some(generation),
        by: Some(actor.person()),
    };
    let moved = match verb {
        Verb::Retry => run::retry(conn, word, actor.now).await,
        _ => run::undo(conn, word, actor.now).await,
    };
    match (moved, verb) {
        (Ok(()), Verb::Undo) => say(app, conn, actor, request.id, answer::undo_begun).await,
        (Ok(()), _) => Ok(Reply::Done),
        (Err(why), _) => not_moved(app, conn, actor, (request.id, verb), why).await,
    }
}

/// `RUN:GENERATION`, the value of Retry and Undo.
pub(super) fn run_of(value: &str) -> Option<(RunId, i32)> {
    let (run, generation) = value.split_once(':')?;
    Some((run.parse().ok()?, generation.parse().ok()?))
}

/// The run that a request's card shows.
pub(super) async fn current_run(conn: &mut Conn, request: &Request) -> store::Result<Option<Run>> {
    match request.state {
        RequestState::Approved => store::run::latest(conn, request.id).await,
        _ => Ok(None),
    }
}

/// Whether the table of permissions allows it; `Err`: what the person is told.
async fn check(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (request, run): (&Request, Option<&Run>),
    verb: Verb,
) -> anyhow::Result<Result<(), Reply>> {
    let relations = relations(app, conn, actor, request).await?;
    let run = run.map(|r| r.state);
    if relations.iter().any(|r| may(verb, *r, request.state, run)) {
        return Ok(Ok(()));
    }
    let view = view::load(app, conn, request.id, actor.installation.id).await?;
    // If nobody may, it is the state that forbids it, not the person.
    let nobody = !Relation::ALL
        .iter()
        .any(|r| may(verb, *r, request.state, run));
    let card = if nobody {
        answer::nothing_to_do(verb, &view, actor.now)
    } else {
        answer::may_not(verb, &view)
    };
    Ok(Err(Reply::Card { card }))
}

/// What somebody is to a request, as of now.
async fn relations(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    request: &Request,
) -> store::Result<Vec<Relation>> {
    let person = actor.person();
    let mut relations = vec![Relation::Stranger];
    if !actor.account.active {
        return Ok(relations);
    }
    if request.requester == person {
        relations.push(Relation::Requester);
    }
    if store::approval::is_approver(conn, request.id, person).await? {
        relations.push(Relation::Approver);
    }
    if group::of_person(app, conn, person, actor.now)
        .await?
        .platform()
    {
        relations.push(Relation::Platform);
    }
    Ok(relations)
}

/// Why a run wasn't moved: an answer where it is the person's to know, an error where it is ours.
async fn not_moved(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (request, verb): (RequestId, Verb),
    why: RunError,
) -> anyhow::Result<Reply> {
    match why {
        RunError::Illegal(_) | RunError::Unknown => {
            say(app, conn, actor, request, |v| {
                answer::nothing_to_do(verb, v, actor.now)
            })
            .await
        }
        RunError::Outdated(_) => {
            say(app, conn, actor, request, |v| answer::old_run(v, actor.now)).await
        }
        RunError::Stale(_) => {
            say(app, conn, actor, request, |v| {
                answer::too_old(v, v.requester.person == actor.person())
            })
            .await
        }
        RunError::Store(cause) => Err(cause.into()),
    }
}

async fn say(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    request: RequestId,
    word: impl FnOnce(&RequestView) -> crate::domain::card::Card,
) -> anyhow::Result<Reply> {
    let view = view::load(app, conn, request, actor.installation.id).await?;
    Ok(Reply::Card { card: word(&view) })
}

fn unknown(actor: &Actor, typed: &str) -> Reply {
    Reply::Card {
        card: answer::unknown_request(typed, &actor.slash(slash::NAME)),
    }
}
