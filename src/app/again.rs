//! A request asked again: what becomes of the one that it is asked from.
//!
//! Where that one stopped and left nothing outside idp, the new one takes its place and its names. Where something is
//! left, it keeps them: it has to be undone first, so that nothing stays behind.

use serde_json::json;

use super::actor::Actor;
use super::audit::{self, Chain};
use super::run::enter;
use super::{App, cancel, message};
use crate::domain::action::Undo;
use crate::domain::id::{RequestId, RequestNumber};
use crate::domain::run::{RunMove, RunState, StepState};
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn};

/// A stopped run that gives way, locked with its request.
#[derive(Debug)]
pub(super) struct Replaced {
    /// The number of its request.
    pub number: RequestNumber,
    run: Run,
}

/// The run that gives way to a request asked again from `from`: the actor's own, stopped, with nothing left of it.
pub(super) async fn replaced(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    from: Option<RequestId>,
) -> store::Result<Option<Replaced>> {
    let Some(from) = from else {
        return Ok(None);
    };
    let request = store::request::lock(conn, from).await?;
    let Some(request) = request.filter(|r| r.requester == actor.person()) else {
        return Ok(None);
    };
    let Some(latest) = cancel::current_run(conn, &request).await? else {
        return Ok(None);
    };
    let Some(run) = store::run::lock(conn, latest.id).await? else {
        return Ok(None);
    };
    let steps = store::step::of_run(conn, run.id).await?;
    let left = steps.iter().any(|step| may_be_left(app, step));
    Ok(
        (run.state == RunState::Failed && !left).then_some(Replaced {
            number: request.number,
            run,
        }),
    )
}

/// Whether something of a step may stand outside idp.
fn may_be_left(app: &App, step: &Step) -> bool {
    let specs = app.library.actions();
    let nothing = specs
        .iter()
        .any(|a| a.name == step.action && a.undo == Undo::Nothing);
    step.input.is_some() && step.state != StepState::Undone && !nothing
}

/// Ends the run that gives way; its names are free for the new request.
pub(super) async fn supersede(
    conn: &mut Conn,
    actor: &Actor,
    replaced: Replaced,
) -> anyhow::Result<()> {
    let mut run = replaced.run;
    let state = run.state.after(RunMove::Supersede)?;
    enter(&mut run, state, actor.now);
    run.undo_at = None;
    run.acted_by = Some(actor.person());
    store::run::save(conn, &run).await?;
    store::claim::release(conn, run.request).await?;
    message::raise(conn, run.request).await?;
    let what = json!({ "run": run.id, "state": run.state, "by": actor.person() });
    let chain = Chain::Request(run.request);
    audit::append(conn, chain, "run.superseded", actor.now, what).await?;
    Ok(())
}
