//! Twins: cards that were posted again after their answer was lost, where nobody could look whether they stand.
//!
//! The newer post is the one that is kept true. Its twin shows an old state for ever, so it is deleted as soon as
//! somebody presses it; the press itself counts as on any card, since its value says what it means.

use super::cancel::run_of;
use crate::cards::Open;
use crate::domain::event::{ButtonId, Place};
use crate::domain::id::{InstallationId, RequestId};
use crate::store::message::Posted;
use crate::store::queue::{self, TwinJob};
use crate::store::{self, Conn};

/// Has the pressed message deleted if it is a twin.
pub(super) async fn pressed(
    conn: &mut Conn,
    installation: InstallationId,
    (button, value): (ButtonId, &str),
    place: &Place,
) -> store::Result<()> {
    let Some(message) = &place.message else {
        return Ok(());
    };
    let Some(request) = shown_by(conn, button, value).await? else {
        return Ok(());
    };
    let posted = Posted {
        installation,
        channel: &place.channel,
        external: message,
    };
    if store::message::is_twin(conn, request, posted).await? {
        let job = TwinJob {
            installation,
            channel: place.channel.clone(),
            message: message.clone(),
        };
        queue::enqueue_twin(conn, &job).await?;
    }
    Ok(())
}

/// The request whose card has this button.
async fn shown_by(
    conn: &mut Conn,
    button: ButtonId,
    value: &str,
) -> store::Result<Option<RequestId>> {
    match button {
        ButtonId::RequestApprove | ButtonId::RequestDeny | ButtonId::PlanShow => {
            match value.parse() {
                Ok(plan) => store::plan::request_of(conn, plan).await,
                Err(_) => Ok(None),
            }
        }
        ButtonId::RequestCancel => Ok(value.parse().ok()),
        ButtonId::RunRetry | ButtonId::RunUndo => match run_of(value) {
            Some((run, _)) => Ok(store::run::get(conn, run).await?.map(|run| run.request)),
            None => Ok(None),
        },
        ButtonId::FormOpen => match value.parse() {
            Ok(Open::Again(request)) => Ok(Some(request)),
            _ => Ok(None),
        },
        ButtonId::FormBack
        | ButtonId::PlanPage
        | ButtonId::LinkConfirm
        | ButtonId::LinkRefuse
        | ButtonId::LinkEnd
        | ButtonId::LinkOpen => Ok(None),
    }
}
