//! Presses that come too late: the bulk of what a busy card gets, answered with a single row and no lock.
//!
//! Of those that come before the decision one a plan is judged at a time: the others would only wait for its request's
//! lock, each with a connection, and most of them are late once it is their turn.
//!
//! A plan that is decided is never open again, so what a late press is told may be remembered for a while: then one
//! statement admits the delivery, writes its row and its answer. Whatever doesn't fit (an unknown account, another app,
//! a repeated delivery, an open plan) takes the long way, which judges everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, MutexGuard as Taken, oneshot};

use super::App;
use super::gathered::{Gathered, Worker};
use super::handle::kind;
use crate::cards::answer;
use crate::domain::event::{ButtonId, Delivery, Event};
use crate::domain::id::PlanId;
use crate::domain::person::Platform;
use crate::domain::reply::Reply;
use crate::domain::request::RequestState;
use crate::store::inbox::{self, Answered};
use crate::store::message::Posted;
use crate::store::{self, Conn, Kept};

/// How long an answer may be behind what it tells (a later end of the same request); its effect is none in any case.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);
/// Cards that are busy at one time; beyond, everything is forgotten and looked at again.
const REMEMBERED: usize = 256;

/// Plans that are decided on at a time in one process; two that share a place here wait for each other too.
const TURNS: usize = 64;

/// What late presses are told, by plan and by who reads it; those whose rows are being written; and whose turn it is to
/// be judged.
#[derive(Debug)]
pub struct Decided {
    remembered: Mutex<HashMap<Reader, (Instant, Reply)>>,
    rows: Arc<Gathered<Waiting>>,
    turns: [Turn<()>; TURNS],
}

impl Default for Decided {
    fn default() -> Self {
        Self {
            remembered: Mutex::default(),
            rows: Arc::default(),
            turns: std::array::from_fn(|_| Turn::default()),
        }
    }
}

/// A row to be written, and who wants to know whether it was.
type Waiting = (Answered, oneshot::Sender<bool>);

/// Who reads it: platform, installation, plan, and the card that was pressed, by channel and message.
type Reader = (Platform, String, PlanId, Option<(String, String)>);

/// A press that is judged, or the delivery of something else; no other press on its plan is, until this is dropped.
pub(super) struct Judged<'a> {
    _turn: Option<Taken<'a, ()>>,
}

/// Answers a press that can't matter any more. `Err`: it may matter (or isn't such a press), so it takes the long way.
pub(super) async fn answer<'a>(
    app: &'a App,
    delivery: &Delivery,
) -> anyhow::Result<Result<Reply, Judged<'a>>> {
    if let Some(reply) = at_once(app, delivery).await? {
        return Ok(Ok(reply));
    }
    let Some((plan, _)) = decided_plan(&delivery.event) else {
        return Ok(Err(Judged { _turn: None }));
    };
    let turn = app.decided.turn(plan);
    if let Ok(taken) = turn.try_lock() {
        return Ok(Err(Judged { _turn: Some(taken) }));
    }
    let taken = turn.lock().await;
    // Whoever was judged meanwhile may have decided. Then there is nothing to wait for any more, and those who waited are
    // written together.
    let Some(reply) = told(app, delivery).await? else {
        return Ok(Err(Judged { _turn: Some(taken) }));
    };
    drop(taken);
    let kept = keep(app, delivery, reply).await;
    Ok(kept.ok_or(Judged { _turn: None }))
}

async fn at_once(app: &App, delivery: &Delivery) -> anyhow::Result<Option<Reply>> {
    match told(app, delivery).await? {
        Some(reply) => Ok(keep(app, delivery, reply).await),
        None => Ok(None),
    }
}

/// What a press is told if it can't matter any more.
async fn told(app: &App, delivery: &Delivery) -> anyhow::Result<Option<Reply>> {
    let Some((plan, card)) = decided_plan(&delivery.event) else {
        return Ok(None);
    };
    let sender = &delivery.sender;
    let reader = (sender.platform, sender.installation.clone(), plan, card);
    if let Some(reply) = app.decided.told(&reader) {
        return Ok(Some(reply));
    }
    let looked = look_once(app, &reader).await?;
    Ok(looked.map(|reply| app.decided.remember(reader, reply)))
}

/// Writes what a late press was told. `None`: it can't be written so, and takes the long way.
async fn keep(app: &App, delivery: &Delivery, reply: Reply) -> Option<Reply> {
    let answered = Answered {
        key: delivery.key.clone(),
        sender: delivery.sender.clone(),
        kind: kind(&delivery.event),
        reply: reply.clone(),
    };
    let kept = app.decided.keep(&app.kept, answered).await;
    kept.then_some(reply)
}

/// The plan that a press decides on, if it is such a press, and the card that was pressed.
fn decided_plan(event: &Event) -> Option<(PlanId, Option<(String, String)>)> {
    match event {
        Event::Pressed {
            button: ButtonId::RequestApprove | ButtonId::RequestDeny,
            value,
            place,
            ..
        } => {
            let message = place.message.clone();
            let card = message.map(|message| (place.channel.clone(), message));
            Some((value.parse().ok()?, card))
        }
        Event::DenyReasoned { plan, .. } => Some((*plan, None)),
        _ => None,
    }
}

async fn look_once(app: &App, reader: &Reader) -> anyhow::Result<Option<Reply>> {
    let mut conn = app.kept.lend().await?;
    let told = match look(&mut conn, reader).await {
        Err(cause)
            if cause
                .downcast_ref::<store::Error>()
                .is_some_and(store::lost) =>
        {
            conn = app.kept.instead(conn).await?;
            look(&mut conn, reader).await?
        }
        told => told?,
    };
    conn.give_back();
    Ok(told)
}

/// What a press on this plan is told if it is decided.
async fn look(conn: &mut Conn, reader: &Reader) -> anyhow::Result<Option<Reply>> {
    let (platform, installation, plan, card) = reader;
    let Some(look) = store::vote::look(conn, *plan, (*platform, installation)).await? else {
        return Ok(None);
    };
    // While the plan is made again, the answer is another in a moment: nothing to remember.
    let open = matches!(
        look.state,
        RequestState::AwaitingApproval | RequestState::Planning
    );
    if open {
        return Ok(None);
    }
    // A twin is deleted at its first press, which takes the long way too.
    if let Some((channel, message)) = card
        && let Some(known) = store::installation::find(conn, *platform, installation).await?
    {
        let posted = Posted {
            installation: known.id,
            channel,
            external: message,
        };
        if store::message::is_twin(conn, look.request, posted).await? {
            return Ok(None);
        }
    }
    let told = answer::Late {
        state: look.state,
        by: look.decider.as_deref(),
        at: look.since,
    };
    let card = answer::late(&told, look.now);
    Ok(Some(Reply::Card { card }))
}

impl Decided {
    fn turn(&self, plan: PlanId) -> &Turn<()> {
        // The last bits of an id are random.
        let [.., last] = *plan.uuid().as_bytes();
        &self.turns[usize::from(last) % TURNS]
    }

    /// Writes the row of a late press. Presses that come while others are being written go in together, as one
    /// statement and one commit: the busier a card, the less each press costs. False: it isn't written.
    async fn keep(&self, connections: &Arc<Kept>, answered: Answered) -> bool {
        let (tell, told) = oneshot::channel();
        if let Some(writer) = self.rows.leave((answered, tell)) {
            // By itself, so that nobody's own answer waits while the rows of others are written.
            tokio::spawn(write(writer, Arc::clone(connections)));
        }
        told.await.unwrap_or(false)
    }

    fn told(&self, reader: &Reader) -> Option<Reply> {
        let told = locked(&self.remembered);
        let (since, reply) = told.get(reader)?;
        (since.elapsed() < REMEMBERED_FOR).then(|| reply.clone())
    }

    fn remember(&self, reader: Reader, reply: Reply) -> Reply {
        let mut told = locked(&self.remembered);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(reader, (Instant::now(), reply.clone()));
        reply
    }
}

/// Writes what waits, until nothing does. Whose row can't be written finds the word gone, and takes the long way, which
/// finds out whether it was, and tells the trouble.
async fn write(mut writer: Worker<Waiting>, connections: Arc<Kept>) {
    while let Some(waiting) = writer.next() {
        let (rows, tells): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        match written(&connections, &rows).await {
            Ok(kept) => {
                for (tell, kept) in tells.into_iter().zip(kept) {
                    // One that gave up waiting needs no word.
                    tell.send(kept).ok();
                }
            }
            Err(error) => tracing::warn!(%error, "Late presses couldn't be written together"),
        }
    }
}

async fn written(connections: &Kept, rows: &[Answered]) -> store::Result<Vec<bool>> {
    let mut conn = connections.lend().await?;
    let kept = match inbox::answer(&mut conn, rows).await {
        Err(cause) if store::lost(&cause) => {
            conn = connections.instead(conn).await?;
            inbox::answer(&mut conn, rows).await?
        }
        kept => kept?,
    };
    conn.give_back();
    Ok(kept)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
