//! What the clock brings: expiry (of codes too), the one reminder, undoing what nobody chose about, checkpoints, and
//! forgetting.
//!
//! One replica does this at a time; each piece is a transaction of its own that looks again under its lock, so a
//! second pass over the same piece changes nothing.

use chrono::TimeDelta;
use serde_json::json;

use super::audit::{self, Chain};
use super::run::{RunError, Word};
use super::{App, end, forget, link, message, run, view};
use crate::domain::id::RunId;
use crate::domain::message::{Placement, Spot, ThreadRole};
use crate::domain::request::RequestState;
use crate::store;
use crate::store::due::{self, DuePlan};

/// How long a tick is believed without a sign of life.
const LEASE: TimeDelta = TimeDelta::seconds(10);

/// Does what is due, if it is `holder`'s turn. What fails is told and comes again with the next tick.
pub async fn tick(app: &App, holder: &str) -> anyhow::Result<()> {
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    if !store::lease::take(&mut conn, "tick", holder, now, now + LEASE).await? {
        return Ok(());
    }
    for plan in due::expired(&mut conn, now).await? {
        told("expire", plan, expire(app, plan).await);
    }
    for plan in due::to_remind(&mut conn, now).await? {
        told("remind", plan, remind(app, plan).await);
    }
    for id in store::run::undo_due(&mut conn, now).await? {
        told("undo", id, undo(app, id).await);
    }
    told("end", "link codes", link::chat::expire(app).await);
    told(
        "follow",
        "the people of the file",
        link::listed::follow(app).await,
    );
    told("checkpoint", "the heads", audit::checkpoint_due(app).await);
    told("forget", "old rows", forget::old(app).await);
    Ok(())
}

/// Lets another process tick at once.
pub async fn stop(app: &App, holder: &str) -> store::Result<()> {
    let mut conn = app.pool.acquire().await?;
    store::lease::free(&mut conn, "tick", holder).await
}

fn told(what: &str, which: impl std::fmt::Debug, result: anyhow::Result<()>) {
    if let Err(error) = result {
        let error = format!("{error:#}");
        tracing::error!(?which, error, "The clock could not {what}");
    }
}

async fn expire(app: &App, due: DuePlan) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    end::expire(&mut tx, (due.request, due.plan), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Reminds those who can decide, by direct message where the request's main thread stands.
async fn remind(app: &App, due: DuePlan) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let found = store::request::lock(&mut tx, due.request).await?;
    let waits = found
        .is_some_and(|r| r.state == RequestState::AwaitingApproval && r.plan == Some(due.plan));
    if !waits || !due::reminded(&mut tx, due.plan, now).await? {
        return Ok(());
    }
    let open = store::thread::open_of(&mut tx, due.request).await?;
    if let Some(main) = open.iter().find(|t| t.role == ThreadRole::Main) {
        let view = view::load(app, &mut tx, due.request, main.installation).await?;
        let deciders = view.plan.map(|plan| plan.deciders).unwrap_or_default();
        let whom: Vec<Placement> = deciders
            .into_iter()
            .filter_map(|person| person.external)
            .take(message::MOST_COPIES)
            .map(|account| Placement {
                installation: main.installation,
                spot: Spot::Direct { account },
            })
            .collect();
        message::remind(&mut tx, due.request, &whom, now).await?;
    }
    message::raise(&mut tx, due.request).await?;
    let chain = Chain::Request(due.request);
    let what = json!({ "plan": due.plan });
    audit::append(&mut tx, chain, "request.reminded", now, what).await?;
    tx.commit().await?;
    Ok(())
}

/// Undoes a failed run that nobody chose about in time.
async fn undo(app: &App, id: RunId) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let word = Word {
        run: id,
        generation: None,
        by: None,
    };
    match run::undo(&mut tx, word, now).await {
        Ok(()) => tx.commit().await?,
        // Somebody chose in the meantime.
        Err(RunError::Illegal(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
