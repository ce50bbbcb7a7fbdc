//! Messages: what should stand where. Moves raise it here, in their own transaction; the sender takes it from here.
//!
//! Nothing renders early: [`super::sending::take()`] makes the card from the state of that moment, so what is shown was true
//! when it was sent, and whatever changes meanwhile raises the message again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::new_id;
use super::sending::{PlaceLost, elsewhere};
use crate::domain::id::{InstallationId, RequestId, ThreadId};
use crate::domain::message::{Milestone, Notice, Placement, Spot, Subject, ThreadRole};
use crate::store::message::{New, Unless};
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// At most so many approvers outside the channel get a copy of the card.
pub const MOST_COPIES: usize = 5;

/// Opens the request's main thread with its root card.
pub async fn open(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let opening = (ThreadRole::Main, Subject::Root);
    open_thread(conn, request, placement, opening, now).await?;
    Ok(())
}

/// Gives an account, or a group's channel, its own copy of the card; one that stands there already serves.
pub async fn copy(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let stands = |t: &Thread| match &placement.spot {
        Spot::Direct { account } => t.account.as_ref() == Some(account),
        Spot::Channel { channel } => t.account.is_none() && t.channel.as_ref() == Some(channel),
    };
    let open = store::thread::open_of(conn, request).await?;
    let there = open
        .iter()
        .any(|t| t.installation == placement.installation && stands(t));
    if !there {
        let opening = (ThreadRole::Direct, Subject::Root);
        open_thread(conn, request, placement, opening, now).await?;
    }
    Ok(())
}

/// The same, for somebody who follows the request from another chat: their copy goes on after the decision.
pub(super) async fn follow(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    copy(conn, request, placement, now).await?;
    match &placement.spot {
        Spot::Direct { account } => {
            store::thread::follow(conn, request, (placement.installation, account)).await
        }
        Spot::Channel { .. } => Ok(()),
    }
}

/// Says something to one person by direct message that is about no request.
pub(super) async fn direct(
    conn: &mut Conn,
    placement: &Placement,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let opening = (ThreadRole::Direct, subject);
    new_thread(conn, None, placement, opening, now).await?;
    Ok(())
}

/// Wants what is about this, and no request, shown anew.
pub(super) async fn raise_about(conn: &mut Conn, subject: Subject) -> store::Result<()> {
    store::message::raise_about(conn, subject).await
}

/// Wants every card of the request shown anew, and wakes their senders.
pub async fn raise(conn: &mut Conn, request: RequestId) -> store::Result<()> {
    store::message::raise_roots(conn, request).await
}

/// Adds a milestone to the request's main thread, unless one of its kind still waits to be shown.
pub async fn milestone(
    conn: &mut Conn,
    request: RequestId,
    what: Milestone,
    now: DateTime<Utc>,
) -> store::Result<()> {
    // Whoever finds its place lost closes it and opens another one: of both one waits here, and looks again.
    let main = match store::thread::lock_main(conn, request).await? {
        Some(main) => Some(main),
        None => store::thread::lock_main(conn, request).await?,
    };
    match main {
        Some(main) => say(conn, &main, Subject::Milestone { what }, now).await,
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

/// Tells an account by direct message where the request stands; a word about it that stands there becomes true again.
pub(super) async fn permalink(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let subject = Subject::Notice {
        what: Notice::Permalink,
    };
    let account = match &placement.spot {
        Spot::Direct { account } => account,
        Spot::Channel { .. } => return Ok(()),
    };
    let open = store::thread::open_of(conn, request).await?;
    let own = open
        .iter()
        .find(|t| t.role == ThreadRole::Direct && t.account.as_ref() == Some(account));
    let Some(own) = own else {
        let opening = (ThreadRole::Direct, subject);
        open_thread(conn, request, placement, opening, now).await?;
        return Ok(());
    };
    match store::message::about(conn, own.id, subject).await? {
        Some(id) => {
            store::message::raise(conn, id).await?;
            store::message::wake(conn, own.installation).await
        }
        None => post(conn, own, subject, now).await,
    }
}

/// Shows the copies a last time and closes them: the request is decided, what follows stands in the main thread, and in the
/// copies of those who follow it from another chat.
pub async fn close_copies(
    conn: &mut Conn,
    request: RequestId,
    now: DateTime<Utc>,
) -> store::Result<()> {
    store::message::raise_and_close_copies(conn, request, now).await
}

/// A channel of the platform can be posted to no longer: what stands there goes on elsewhere.
pub async fn channel_lost(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &str,
    why: PlaceLost,
    now: DateTime<Utc>,
) -> store::Result<()> {
    for thread in store::thread::in_channel(conn, installation, channel).await? {
        place_lost(conn, thread.id, why, now).await?;
    }
    Ok(())
}

/// Somebody deleted a message of ours: the card is posted anew. A reply is let go: it was said.
pub async fn deleted(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &str,
    external: &str,
) -> store::Result<()> {
    let found = store::message::by_external(conn, installation, channel, external).await?;
    let Some((id, thread)) = found else {
        return Ok(());
    };
    store::thread::lock(conn, thread).await?;
    let Some(message) = store::message::lock(conn, id).await? else {
        return Ok(());
    };
    if message.place == 0 {
        store::message::forget_post(conn, id, Uuid::now_v7()).await?;
        store::thread::set_root(conn, message.thread, None).await?;
        store::message::wake(conn, installation).await?;
    }
    Ok(())
}

/// Somebody deleted the thread under a card of ours: the further parts of long messages are posted anew. The other replies
/// are let go: they were said.
pub async fn thread_deleted(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &str,
    root: &str,
) -> store::Result<()> {
    let found = store::message::by_external(conn, installation, channel, root).await?;
    let Some((_, thread)) = found else {
        return Ok(());
    };
    store::thread::lock(conn, thread).await?;
    for id in store::message::continuations(conn, thread).await? {
        store::message::forget_post(conn, id, Uuid::now_v7()).await?;
    }
    store::message::wake(conn, installation).await
}

/// Why messages are given up whose channel can't be posted to.
const LOST: &str = "its place is lost";

/// Closes a thread whose place is lost; a main one goes on in the requester's direct messages, with all it still had
/// to say.
pub(super) async fn place_lost(
    conn: &mut Conn,
    thread: ThreadId,
    why: PlaceLost,
    now: DateTime<Utc>,
) -> store::Result<()> {
    // Of two who find it lost the later one waits here, and finds the thread closed.
    let Some(thread) = store::thread::lock(conn, thread).await? else {
        return Ok(());
    };
    if thread.closed_at.is_some() {
        return store::message::give_up_thread(conn, thread.id, LOST).await;
    }
    store::thread::close(conn, thread.id, now).await?;
    let unsaid = store::message::unsaid(conn, thread.id).await?;
    store::message::give_up_thread(conn, thread.id, LOST).await?;
    let (Some(request), ThreadRole::Main) = (thread.request, thread.role) else {
        // A copy just ends: what it said stands in the main thread.
        return Ok(());
    };
    let found = store::request::get(conn, request).await?;
    let Some(found) = found else {
        return Ok(());
    };
    let requester = store::account::get(conn, found.account).await?;
    let Some(placement) = elsewhere(&thread, &requester.external) else {
        tracing::error!(%request, "A request can't be told to anybody: its last place is lost");
        return Ok(());
    };
    let opening = (thread.role, Subject::Root);
    let new = open_thread(conn, request, &placement, opening, now).await?;
    let what = match why {
        PlaceLost::Gone => Notice::Archived,
        PlaceLost::NotIn => Notice::NotIn,
    };
    post(conn, &new, Subject::Notice { what }, now).await?;
    for subject in unsaid {
        say(conn, &new, subject, now).await?;
    }
    Ok(())
}

/// Opens a thread with its first message.
async fn open_thread(
    conn: &mut Conn,
    request: RequestId,
    placement: &Placement,
    opening: (ThreadRole, Subject),
    now: DateTime<Utc>,
) -> store::Result<Thread> {
    new_thread(conn, Some(request), placement, opening, now).await
}

async fn new_thread(
    conn: &mut Conn,
    request: Option<RequestId>,
    placement: &Placement,
    (role, first): (ThreadRole, Subject),
    now: DateTime<Utc>,
) -> store::Result<Thread> {
    let thread = thread(request, placement, role, now);
    store::message::open(conn, &thread, new_id(), first, Uuid::now_v7()).await?;
    Ok(thread)
}

/// The thread in which the root card of a new request stands.
pub(super) fn main_thread(request: RequestId, placement: &Placement, now: DateTime<Utc>) -> Thread {
    thread(Some(request), placement, ThreadRole::Main, now)
}

fn thread(
    request: Option<RequestId>,
    placement: &Placement,
    role: ThreadRole,
    now: DateTime<Utc>,
) -> Thread {
    let (channel, account) = match &placement.spot {
        Spot::Channel { channel } => (Some(channel.clone()), None),
        Spot::Direct { account } => (None, Some(account.clone())),
    };
    Thread {
        id: new_id::<ThreadId>(),
        request,
        installation: placement.installation,
        channel,
        account,
        role,
        root_ts: None,
        closed_at: None,
        created_at: now,
    }
}

/// Adds a message to a thread, unless one about the same still waits there: that one will tell the state of then.
async fn say(
    conn: &mut Conn,
    thread: &Thread,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    store::message::insert(conn, &new(thread.id, subject, now), Unless::Waits).await
}

async fn post(
    conn: &mut Conn,
    thread: &Thread,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    store::message::insert(conn, &new(thread.id, subject, now), Unless::Never).await
}

/// A message about this for a thread.
pub(super) fn new(thread: ThreadId, subject: Subject, now: DateTime<Utc>) -> New {
    New {
        id: new_id(),
        thread,
        subject,
        nonce: Uuid::now_v7(),
        created_at: now,
    }
}
