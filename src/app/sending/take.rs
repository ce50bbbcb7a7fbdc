//! What is due, and one message of it taken to be sent.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::draw::{Drawn, draw};
use super::lease::Lease;
use crate::app::App;
use crate::domain::canonical::Digest;
use crate::domain::card::Card;
use crate::domain::id::{MessageId, ThreadId};
use crate::store;
use crate::store::message::Due;

/// What waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The moment of the look.
    pub now: DateTime<Utc>,
    /// What is due, in the order of its sending.
    pub due: Vec<Due>,
    /// Buckets that the platform has closed, and until when.
    pub closed: Vec<(String, DateTime<Utc>)>,
    /// When the next one that is held back becomes due.
    pub next: Option<DateTime<Utc>>,
    /// Whether the platform refuses our token: nothing is sent.
    pub revoked: bool,
}

/// A message to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Which.
    pub id: MessageId,
    /// In which thread.
    pub thread: ThreadId,
    /// Whether it is the thread's root.
    pub is_root: bool,
    /// The revision that this shows.
    pub revision: i64,
    /// What it says.
    pub card: Card,
    /// What its thread is called where threads have names; none: it is about no request.
    pub title: Option<String>,
    /// Which part of the drawn card it is: 0, or a continuation's.
    pub part: usize,
    /// The channel; none: the person's direct messages are to be opened first.
    pub channel: Option<String>,
    /// Whose direct messages they are.
    pub account: Option<String>,
    /// The thread's root on the platform, for all but the root itself.
    pub root: Option<String>,
    /// Channel and message whose address it is to carry: [`linked`] draws it with that.
    pub points_at: Option<(String, String)>,
    /// Where it stands already.
    pub external: Option<String>,
    /// What marks its post.
    pub nonce: Uuid,
    /// Since when nobody knows whether it was posted.
    pub lost_since: Option<DateTime<Utc>>,
    /// The digest of what is seen.
    pub seen: Option<Digest>,
    /// Sends that failed in a row.
    pub failures: i32,
}

/// Looks at what is due.
pub async fn waiting(app: &App, lease: &Lease) -> store::Result<Waiting> {
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    let installation = lease.installation;
    Ok(Waiting {
        now,
        due: store::message::due(&mut conn, installation, now).await?,
        closed: store::rate_limit::closed(&mut conn, installation, now).await?,
        next: store::message::next_due(&mut conn, installation, now).await?,
        revoked: store::installation::get(&mut conn, installation)
            .await?
            .revoked_at
            .is_some(),
    })
}

/// Takes a message to be sent, with its card as of now. `None`: nothing to send any more, or the lease was lost.
pub async fn take(app: &App, lease: &Lease, id: MessageId) -> anyhow::Result<Option<Sending>> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if !store::lease::holds(&mut tx, &lease.name(), &lease.holder, now).await? {
        return Ok(None);
    }
    let Some(message) = store::message::lock(&mut tx, id).await? else {
        return Ok(None);
    };
    let thread = store::thread::get(&mut tx, message.thread)
        .await?
        .context("a message without a thread")?;
    if message.wanted <= message.shown {
        return Ok(None);
    }
    let drawn = draw(app, &mut tx, (&message, &thread), None, now).await?;
    let Some(Drawn {
        card,
        title,
        part,
        points_at,
    }) = drawn
    else {
        store::message::give_up(&mut tx, id, "nothing to say any more").await?;
        tx.commit().await?;
        return Ok(None);
    };
    store::message::sending(&mut tx, id, now).await?;
    tx.commit().await?;
    let is_root = message.place == 0;
    Ok(Some(Sending {
        id,
        thread: thread.id,
        is_root,
        revision: message.wanted,
        card,
        title,
        part,
        points_at,
        channel: thread.channel,
        account: thread.account,
        root: thread.root_ts.filter(|_| !is_root),
        lost_since: message.sending_since.filter(|_| message.external.is_none()),
        external: message.external,
        nonce: message.nonce,
        seen: message
            .digest
            .and_then(|d| Digest::try_from(d.as_slice()).ok()),
        failures: message.failures,
    }))
}

/// Draws a message with the address that it points at.
pub async fn linked(app: &App, sending: &mut Sending, url: &str) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let message = store::message::lock(&mut tx, sending.id).await?;
    let thread = store::thread::get(&mut tx, sending.thread).await?;
    let (message, thread) = message.zip(thread).context("a message that is gone")?;
    if let Some(drawn) = draw(app, &mut tx, (&message, &thread), Some(url), now).await? {
        sending.card = drawn.card;
    }
    Ok(())
}
