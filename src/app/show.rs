//! See plan, `status` and `list`: reading what stands, for whoever can see the card.

use super::actor::Actor;
use super::{App, ask, home, message, view};
use crate::cards::{answer, plan as plan_card};
use crate::domain::id::{PlanId, RequestId, RequestNumber};
use crate::domain::message::{Placement, Spot};
use crate::domain::reply::Reply;
use crate::domain::slash::{self, Slash};
use crate::domain::view::RequestView;
use crate::store::{self, Conn};

/// How many requests a list shows.
const LISTED: i64 = 10;

/// A part of the plan that a card showed, from 0.
pub(super) async fn plan(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    plan: PlanId,
    part: usize,
) -> anyhow::Result<Reply> {
    let Some(kept) = store::plan::get(conn, plan).await? else {
        return Ok(unknown(&plan.to_string(), &actor.slash(slash::NAME)));
    };
    let view = view::load(app, conn, kept.request, actor.installation.id).await?;
    if view.plan.as_ref().is_none_or(|p| p.id != plan) {
        let card = answer::old_plan(&view, actor.now);
        return Ok(Reply::Card { card });
    }
    let mut pages = plan_card::pages(&view);
    if part >= pages.len() {
        return Ok(unknown(&plan.to_string(), &actor.slash(&view.slash)));
    }
    let page = pages.swap_remove(part);
    Ok(Reply::Page {
        title: page.title,
        blocks: page.blocks,
    })
}

/// `status [ID]`: one request, or one's own open ones. A request's number is no secret, so it grants nothing: only
/// members read what others asked for.
pub(super) async fn status(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (id, slash): (&str, &Slash),
) -> anyhow::Result<Reply> {
    if id.is_empty() {
        let views = home::views(app, conn, actor, true, LISTED).await?;
        let card = answer::status(&views, actor.now);
        return Ok(Reply::Card { card });
    }
    if let Some(refused) = ask::turned_away(conn, actor, "status").await? {
        return Ok(refused);
    }
    let Some(request) = numbered(conn, id).await? else {
        return Ok(unknown(id, slash));
    };
    let view = view::load(app, conn, request, actor.installation.id).await?;
    let follows = follows(conn, actor, &view).await?;
    let card = answer::status_of(&view, follows, actor.now);
    Ok(Reply::Card { card })
}

/// Gives a linked person their own copy of the card, with its buttons, where they look at a request of another chat: an
/// answer goes away, a copy stays true until the request's end. False: they have the card where it was asked, nobody
/// knows them there, or it is over.
async fn follows(conn: &mut Conn, actor: &Actor, view: &RequestView) -> store::Result<bool> {
    let home = store::request::installation(conn, view.id).await?;
    if home == actor.installation.id || view.over() {
        return Ok(false);
    }
    let home = store::installation::get(conn, home).await?;
    let accounts = store::account::of_person(conn, actor.person()).await?;
    if !home.platform.is_chat()
        || !accounts
            .iter()
            .any(|a| a.active && a.installation == home.id)
    {
        return Ok(false);
    }
    let placement = Placement {
        installation: actor.installation.id,
        spot: Spot::Direct {
            account: actor.account.external.clone(),
        },
    };
    // Of two looks at once the later one finds the copy there. Whoever moves the request or its run was waited for, or finds
    // the copy and wants it shown anew.
    let request = store::request::lock(conn, view.id).await?;
    let run = store::run::lock_latest(conn, view.id).await?;
    if request.is_none_or(|request| request.state.ended())
        || run.is_some_and(|run| run.state.ended())
    {
        return Ok(false);
    }
    message::follow(conn, view.id, &placement, actor.now).await?;
    Ok(true)
}

/// `list`: one's latest requests, open or not.
pub(super) async fn list(app: &App, conn: &mut Conn, actor: &Actor) -> anyhow::Result<Reply> {
    let views = home::views(app, conn, actor, false, LISTED).await?;
    Ok(Reply::Card {
        card: answer::list(&views, actor.now),
    })
}

/// The request behind what people type as its number: `142`, `#142`.
pub(super) async fn numbered(conn: &mut Conn, typed: &str) -> store::Result<Option<RequestId>> {
    let Ok(number) = typed.trim_start_matches('#').parse() else {
        return Ok(None);
    };
    let request = store::request::numbered(conn, RequestNumber(number)).await?;
    Ok(request.map(|r| r.id))
}

pub(super) fn unknown(typed: &str, slash: &Slash) -> Reply {
    Reply::Card {
        card: answer::unknown_request(typed, slash),
    }
}
