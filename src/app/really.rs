//! "Really?", asked by ourselves where the platform has no dialog that names the effect before the act.

use super::actor::Actor;
use super::{App, view};
use crate::cards;
use crate::domain::card::{Block, Button};
use crate::domain::event::ButtonId;
use crate::domain::id::{PlanId, RequestId, RunId};
use crate::domain::reply::Reply;
use crate::store::{self, Conn};

/// The question that a button's act begins with. `None`: it needs none, or the card has no such button any more, which
/// the act itself has the words for.
pub(super) async fn ask(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (button, value): (ButtonId, &str),
) -> anyhow::Result<Option<Reply>> {
    let Some(request) = request_of(conn, button, value).await? else {
        return Ok(None);
    };
    let view = view::load(app, conn, request, actor.installation.id).await?;
    let card = cards::root(&view, actor.now);
    let asks = |b: &Button| b.id == button && b.value == value && b.confirm.is_some();
    let found = card.blocks.into_iter().find_map(|block| match block {
        Block::Buttons { buttons, menu } => buttons.into_iter().chain(menu).find(asks),
        _ => None,
    });
    Ok(found.map(|button| Reply::Confirm {
        button: Box::new(button),
    }))
}

/// The request that a button acts on, for buttons that may ask first.
async fn request_of(
    conn: &mut Conn,
    button: ButtonId,
    value: &str,
) -> store::Result<Option<RequestId>> {
    match button {
        ButtonId::RequestApprove => match value.parse::<PlanId>() {
            Ok(plan) => store::plan::request_of(conn, plan).await,
            Err(_) => Ok(None),
        },
        ButtonId::RequestCancel => match value.parse::<RequestId>() {
            Ok(request) => Ok(store::request::get(conn, request).await?.map(|r| r.id)),
            Err(_) => Ok(None),
        },
        ButtonId::RunUndo => match value.split(':').next().map(str::parse::<RunId>) {
            Some(Ok(run)) => Ok(store::run::get(conn, run).await?.map(|run| run.request)),
            _ => Ok(None),
        },
        ButtonId::RequestDeny
        | ButtonId::PlanShow
        | ButtonId::PlanPage
        | ButtonId::RunRetry
        | ButtonId::FormOpen
        | ButtonId::FormBack
        | ButtonId::LinkConfirm
        | ButtonId::LinkRefuse
        | ButtonId::LinkEnd
        | ButtonId::LinkOpen => Ok(None),
    }
}
