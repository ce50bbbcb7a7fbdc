//! What came of a send that failed: the message is held back, posted anew, given up, or goes on elsewhere.

use chrono::TimeDelta;
use uuid::Uuid;

use super::lease::Lease;
use super::take::Sending;
use crate::app::{App, message};
use crate::domain::id::{MessageId, ThreadId};
use crate::domain::message::{PlaceLost, Placement, Spot, Subject, ThreadRole};
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// What is known of a send that didn't succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// Nothing happened.
    Nothing,
    /// It may stand there.
    Unknown,
}

/// Holds a message back for a while.
pub async fn hold(
    app: &App,
    sending: &Sending,
    after: TimeDelta,
    unsent: Unsent,
) -> store::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let until = store::now(&mut tx).await? + after;
    // What may stand already was an edit where it is known to stand: nothing has to be looked for.
    let nothing = unsent == Unsent::Nothing || sending.external.is_some();
    store::message::hold(&mut tx, sending.id, until, nothing, true).await?;
    tx.commit().await
}

/// Closes a bucket of the installation for a while, for all replicas.
pub async fn limited(
    app: &App,
    lease: &Lease,
    sending: &Sending,
    bucket: &str,
    after: TimeDelta,
) -> store::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    store::rate_limit::close(&mut tx, lease.installation, bucket, now + after).await?;
    let nothing = sending.lost_since.is_none();
    store::message::hold(&mut tx, sending.id, now + after, nothing, false).await?;
    tx.commit().await
}

/// The message, or the root of its thread, is gone from the platform: the root is posted anew.
pub async fn vanished(app: &App, sending: &Sending) -> store::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    store::thread::lock(&mut tx, sending.thread).await?;
    vanish(&mut tx, sending.thread, sending.id).await?;
    if !sending.is_root {
        let root = store::message::about(&mut tx, sending.thread, Subject::Root).await?;
        if let Some(root) = root {
            vanish(&mut tx, sending.thread, root).await?;
        }
    }
    tx.commit().await
}

/// A reply is gone from the platform, its root isn't: it is posted anew.
pub async fn reply_vanished(app: &App, sending: &Sending) -> store::Result<()> {
    let mut conn = app.pool.acquire().await?;
    store::message::forget_post(&mut conn, sending.id, Uuid::now_v7()).await
}

async fn vanish(conn: &mut Conn, thread: ThreadId, id: MessageId) -> store::Result<()> {
    store::message::forget_post(conn, id, Uuid::now_v7()).await?;
    store::thread::set_root(conn, thread, None).await
}

/// Gives a message up that the platform will never take.
pub async fn give_up(app: &App, sending: &Sending, why: &str) -> store::Result<()> {
    let mut conn = app.pool.acquire().await?;
    store::message::give_up(&mut conn, sending.id, why).await
}

/// The place of a thread is lost: a main thread goes on in the requester's direct messages, a copy ends.
pub async fn place_lost(app: &App, thread: ThreadId, why: PlaceLost) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    message::place_lost(&mut tx, thread, why, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Where a main thread goes on whose place is lost.
pub(in crate::app) fn elsewhere(thread: &Thread, requester: &str) -> Option<Placement> {
    // Direct messages with the requester are the last place there is.
    let last = thread.role == ThreadRole::Direct || thread.account.is_some();
    (!last).then(|| Placement {
        installation: thread.installation,
        spot: Spot::Direct {
            account: requester.to_owned(),
        },
    })
}
