//! See plan, `status` and `list`: reading what stands, for whoever can see the card.

use super::actor::Actor;
use super::{App, ask, home, view};
use crate::cards::{answer, plan as plan_card};
use crate::domain::id::{PlanId, RequestId, RequestNumber};
use crate::domain::reply::Reply;
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
        return Ok(unknown(&plan.to_string(), super::DEFAULT_SLASH));
    };
    let view = view::load(app, conn, kept.request, actor.installation.id).await?;
    if view.plan.as_ref().is_none_or(|p| p.id != plan) {
        let card = answer::old_plan(&view, actor.now);
        return Ok(Reply::Card { card });
    }
    let mut pages = plan_card::pages(&view);
    if part >= pages.len() {
        return Ok(unknown(&plan.to_string(), &view.slash));
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
    (id, slash): (&str, &str),
) -> anyhow::Result<Reply> {
    let views = if id.is_empty() {
        home::views(app, conn, actor, true, LISTED).await?
    } else {
        if let Some(refused) = ask::turned_away(conn, actor, "status").await? {
            return Ok(refused);
        }
        match numbered(conn, id).await? {
            Some(request) => {
                vec![view::load(app, conn, request, actor.installation.id).await?]
            }
            None => return Ok(unknown(id, slash)),
        }
    };
    Ok(Reply::Card {
        card: answer::status(&views, actor.now),
    })
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

pub(super) fn unknown(typed: &str, slash: &str) -> Reply {
    Reply::Card {
        card: answer::unknown_request(typed, slash),
    }
}
