//! Messages: what should stand where. Moves raise it here, in their own transaction; the sender takes it from here.
//!
//! Nothing renders early: [`take`] makes the card from the state of that moment, so what is shown was true when it was
//! sent, and whatever changes meanwhile raises the message again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::new_id;
use crate::domain::id::{MessageId, RequestId, ThreadId};
use crate::domain::message::{Milestone, Notice, Placement, Spot, Subject, ThreadRole};
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// At most so many approvers outside the channel get a copy of the card (experience.md §3).
pub const MOST_COPIES: usize = 5;

/// Opens the request's main thread with its root card.
pub async fn open(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let thread = open_thread(conn, request, placement, ThreadRole::Main, now).await?;
    post(conn, &thread, Subject::Root, now).await?;
    Ok(())
}

/// Gives an account its own copy of the card by direct message; one that it has already serves.
pub async fn copy(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let Spot::Direct { account } = &placement.spot else {
        return Ok(());
    };
    let open = store::thread::open_of(conn, request).await?;
    let there = open
        .iter()
        .any(|t| t.installation == placement.installation && t.account.as_ref() == Some(account));
    if !there {
        let thread = open_thread(conn, request, placement, ThreadRole::Direct, now).await?;
        post(conn, &thread, Subject::Root, now).await?;
    }
    Ok(())
}

/// Wants every card of the request shown anew, and wakes their senders.
pub async fn raise(conn: &mut Conn, request: RequestId) -> store::Result<()> {
    store::message::raise_roots(conn, request).await?;
    let threads = store::thread::open_of(conn, request).await?;
    wake(conn, &threads).await
}

/// Adds a milestone to the request's main thread, unless one of its kind still waits to be shown.
pub async fn milestone(
    conn: &mut Conn,
    request: RequestId,
    what: Milestone,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let open = store::thread::open_of(conn, request).await?;
    let main = open.iter().find(|t| t.role == ThreadRole::Main);
    match main {
        Some(main) => say(conn, main, Subject::Milestone { what }, now).await,
        None => Ok(()),
    }
}

/// Reminds the accounts by direct message: those with a copy in its thread, the others with a copy.
pub async fn remind(
    conn: &mut Conn,
    request: RequestId,
    whom: &[Placement],
    now: DateTime<Utc>,
) -> store::Result<()> {
    for placement in whom {
        copy(conn, request, placement, now).await?;
    }
    let notice = Subject::Notice {
        what: Notice::Reminder,
    };
    for thread in store::thread::open_of(conn, request).await? {
        let addressed = whom.iter().any(|p| match &p.spot {
            Spot::Direct { account } => {
                p.installation == thread.installation && thread.account.as_ref() == Some(account)
            }
            Spot::Channel { .. } => false,
        });
        if addressed && thread.created_at < now {
            say(conn, &thread, notice, now).await?;
        }
    }
    Ok(())
}

/// Shows the copies a last time and closes them: the request is decided, what follows stands in the main thread.
pub async fn close_copies(
    conn: &mut Conn,
    request: RequestId,
    now: DateTime<Utc>,
) -> store::Result<()> {
    raise(conn, request).await?;
    for thread in store::thread::open_of(conn, request).await? {
        if thread.role == ThreadRole::Direct {
            store::thread::close(conn, thread.id, now).await?;
        }
    }
    Ok(())
}

async fn open_thread(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    role: ThreadRole,
    now: DateTime<Utc>,
) -> store::Result<Thread> {
    let (channel, account) = match &placement.spot {
        Spot::Channel { channel } => (Some(channel.clone()), None),
        Spot::Direct { account } => (None, Some(account.clone())),
    };
    let thread = Thread {
        id: new_id::<ThreadId>(),
        request: Some(request),
        installation: placement.installation,
        channel,
        account,
        role,
        root_ts: None,
        closed_at: None,
        created_at: now,
    };
    store::thread::insert(conn, &thread).await?;
    Ok(thread)
}

/// Adds a message to a thread, unless one about the same still waits there: that one will tell the state of then.
async fn say(
    conn: &mut Conn,
    thread: &Thread,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    if store::message::waits(conn, thread.id, subject).await? {
        return Ok(());
    }
    post(conn, thread, subject, now).await
}

async fn post(
    conn: &mut Conn,
    thread: &Thread,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let id: MessageId = new_id();
    store::message::insert(conn, id, thread.id, subject, Uuid::now_v7(), now).await?;
    store::message::wake(conn, thread.installation).await
}

async fn wake(conn: &mut Conn, threads: &[Thread]) -> store::Result<()> {
    for thread in threads {
        store::message::wake(conn, thread.installation).await?;
    }
    Ok(())
}
