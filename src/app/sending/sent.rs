//! What came of a send that reached the platform: where the message stands, and what follows from that.

use chrono::{DateTime, Utc};

use super::take::Sending;
use crate::app::{App, message, tell};
use crate::domain::canonical::Digest;
use crate::domain::message::{Subject, ThreadRole};
use crate::store::message::Unless;
use crate::store::{self, Conn};

/// Where a message stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands<'a> {
    /// The channel, as the platform named it.
    pub channel: &'a str,
    /// Its id there.
    pub external: &'a str,
    /// The digest of what was sent.
    pub digest: Digest,
    /// In how many parts the card was drawn.
    pub parts: usize,
}

/// Writes that a message stands as sent. False: another process posted it meanwhile, so ours is a twin to be deleted.
pub async fn shown(app: &App, sending: &Sending, stands: Stands<'_>) -> anyhow::Result<bool> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    lock(&mut tx, sending).await?;
    let Some(message) = store::message::lock(&mut tx, sending.id).await? else {
        return Ok(true);
    };
    let elsewhere = message
        .external
        .as_deref()
        .is_some_and(|e| e != stands.external);
    if sending.external.is_none() && elsewhere {
        return Ok(false);
    }
    let digest = stands.digest.0;
    let (id, external) = (sending.id, stands.external);
    store::message::shown(&mut tx, id, sending.revision, external, &digest, now).await?;
    place(app, &mut tx, sending, (stands.channel, external), now).await?;
    if sending.part == 0 && sending.seen != Some(stands.digest) {
        go_on(&mut tx, sending, stands.parts, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Writes where a post was found whose answer had been lost: from here on it is edited.
pub async fn found(
    app: &App,
    sending: &Sending,
    channel: &str,
    external: &str,
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    lock(&mut tx, sending).await?;
    store::message::found(&mut tx, sending.id, external).await?;
    place(app, &mut tx, sending, (channel, external), now).await?;
    Ok(tx.commit().await?)
}

/// Keeps the thread where it is. A card that stands for the first time may bring copies along: whoever moves its request is
/// waited for, since they wouldn't see these.
async fn lock(conn: &mut Conn, sending: &Sending) -> store::Result<()> {
    if sending.is_root && sending.external.is_none() {
        store::request::lock_of_thread(conn, sending.thread).await?;
    }
    store::thread::lock(conn, sending.thread).await?;
    Ok(())
}

async fn place(
    app: &App,
    conn: &mut Conn,
    sending: &Sending,
    (channel, external): (&str, &str),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    if sending.channel.as_deref() != Some(channel) {
        store::thread::set_channel(conn, sending.thread, channel).await?;
    }
    if sending.is_root {
        store::thread::set_root(conn, sending.thread, Some(external)).await?;
    }
    if sending.is_root && sending.external.is_none() {
        let thread = store::thread::get(conn, sending.thread).await?;
        if let Some(main) = thread.filter(|t| t.role == ThreadRole::Main) {
            tell::requester(conn, &main, now).await?;
            tell::deciders_again(app, conn, &main, now).await?;
        }
    }
    Ok(())
}

/// Wants the further parts of a message shown, each as a reply of its own; parts that are left over say so.
async fn go_on(
    conn: &mut Conn,
    sending: &Sending,
    parts: usize,
    now: DateTime<Utc>,
) -> store::Result<()> {
    for part in 1.. {
        let subject = Subject::Continuation {
            of: sending.id,
            part,
        };
        let there = store::message::about(conn, sending.thread, subject).await?;
        match there {
            Some(id) => store::message::raise(conn, id).await?,
            None if (part as usize) < parts => {
                let new = message::new(sending.thread, subject, now);
                store::message::insert(conn, &new, Unless::Never).await?;
            }
            None => break,
        }
    }
    Ok(())
}

/// Keeps the channel that a person's direct messages turned out to be.
pub async fn opened(app: &App, sending: &Sending, channel: &str) -> store::Result<()> {
    let mut conn = app.pool.acquire().await?;
    store::thread::set_channel(&mut conn, sending.thread, channel).await
}
