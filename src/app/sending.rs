//! What the sender does to messages: takes one that is due, tells what came of it. Only the holder of the
//! installation's lease may take; what it shows is made here, from the state of that moment.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{App, lease, link, message, new_id, tell, view};
use crate::cards::{self, notice};
use crate::domain::canonical::Digest;
use crate::domain::card::{Card, Mention};
use crate::domain::id::{InstallationId, MessageId, ThreadId};
pub use crate::domain::message::PlaceLost;
use crate::domain::message::{Milestone, Notice, Placement, Spot, Subject, ThreadRole};
use crate::domain::person::Platform;
use crate::domain::request::RequestState;
use crate::domain::slash::Slash;
use crate::domain::view::RequestView;
pub use crate::store::message::Due;
use crate::store::message::Message;
use crate::store::thread::Thread;
pub use crate::store::wake::Wake;
use crate::store::{self, Conn};

/// The word that one process alone sends for an installation. Whoever holds one may take messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// For which installation.
    pub installation: InstallationId,
    /// Who.
    pub holder: String,
}

impl Lease {
    fn name(&self) -> String {
        format!("sender:{}", self.installation)
    }

    fn word(&self) -> lease::Lease {
        lease::Lease::of(self.name(), self.holder.clone())
    }

    /// Takes or renews the lease; false: another process has it.
    pub async fn hold(&self, app: &App) -> store::Result<bool> {
        self.word().hold(app).await
    }

    /// Gives it back, so that another need not wait.
    pub async fn free(&self, app: &App) -> store::Result<()> {
        self.word().free(app).await
    }
}

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

/// A message as of now.
struct Drawn {
    card: Card,
    title: Option<String>,
    part: usize,
    points_at: Option<(String, String)>,
}

/// What a message says now; `None`: there is nothing to say any more.
async fn draw(
    app: &App,
    conn: &mut Conn,
    (message, thread): (&Message, &Thread),
    url: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Drawn>> {
    let Some(request) = thread.request else {
        let card = link::card(conn, message.subject.0).await?;
        return Ok(card.map(|card| Drawn {
            card,
            title: None,
            part: 0,
            points_at: None,
        }));
    };
    let view = view::load(app, conn, request, thread.installation).await?;
    let (subject, part) = match message.subject.0 {
        Subject::Continuation { of, part } => match store::message::lock(conn, of).await? {
            Some(whole) => (whole.subject.0, usize::try_from(part)?),
            None => return Ok(None),
        },
        subject => (subject, 0),
    };
    let posted = message.shown > 0;
    let mut points_at = None;
    let card = match subject {
        Subject::Root if thread.role == ThreadRole::Direct && thread.closed_at.is_some() => {
            let slash = Slash::of(&view.slash, platform(conn, thread).await?);
            cards::closed(&view, &slash, now)
        }
        Subject::Root => cards::root(&view, now),
        Subject::Milestone {
            what: Milestone::ApprovalAsked,
        } => {
            if view.state != RequestState::AwaitingApproval && !posted {
                return Ok(None);
            }
            notice::approval_asked(&view, &call(&view))
        }
        Subject::Milestone {
            what: Milestone::Decided,
        } => notice::decided(&view),
        Subject::Milestone {
            what: Milestone::Ended,
        } => notice::ended(&view),
        Subject::Notice {
            what: Notice::Reminder,
        } => {
            if view.state != RequestState::AwaitingApproval && !posted {
                return Ok(None);
            }
            notice::reminder(&view, None)
        }
        Subject::Notice {
            what: Notice::Archived,
        } => notice::moved(&view, notice::Moved::Archived),
        Subject::Notice {
            what: Notice::NotIn,
        } => {
            let why = notice::Moved::NotIn(platform(conn, thread).await?);
            notice::moved(&view, why)
        }
        Subject::Notice {
            what: Notice::Permalink,
        } => {
            let place = tell::whereabouts(conn, request, thread.account.as_deref()).await?;
            let Some(place) = place else {
                return Ok(None);
            };
            points_at = place.points_at;
            notice::permalink(&view, &place.label, url)
        }
        Subject::Continuation { .. }
        | Subject::LinkCode { .. }
        | Subject::LinkEnd { .. }
        | Subject::LinkAsked { .. }
        | Subject::LinkOver { .. }
        | Subject::Linked { .. }
        | Subject::Unlinked { .. } => return Ok(None),
    };
    Ok(Some(Drawn {
        card,
        title: Some(cards::name(&view)),
        part,
        points_at,
    }))
}

/// The platform that a thread is read on.
async fn platform(conn: &mut Conn, thread: &Thread) -> store::Result<Platform> {
    let reader = store::installation::get(conn, thread.installation).await?;
    Ok(reader.platform)
}

/// Whom the milestone calls: each deciding group that the platform knows, else its people.
fn call(view: &RequestView) -> Vec<Mention> {
    let Some(plan) = &view.plan else {
        return Vec::new();
    };
    let lacking = plan.lacking.iter().map(|(group, _)| group);
    let groups: Vec<Mention> = lacking
        .clone()
        .filter_map(|g| {
            let external = g.external.clone()?;
            let handle = g.handle.clone();
            Some(Mention::Group { external, handle })
        })
        .collect();
    if groups.len() == lacking.count() {
        return groups;
    }
    let people = plan.deciders.iter().filter_map(|p| {
        let external = p.external.clone()?;
        let name = p.name.clone();
        Some(Mention::Account { external, name })
    });
    groups
        .into_iter()
        .chain(people.take(message::MOST_COPIES))
        .collect()
}

/// Writes that a message stands as sent. False: another process posted it meanwhile, so ours is a twin to be deleted.
pub async fn shown(app: &App, sending: &Sending, stands: Stands<'_>) -> anyhow::Result<bool> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    store::thread::lock(&mut tx, sending.thread).await?;
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
    store::thread::lock(&mut tx, sending.thread).await?;
    store::message::found(&mut tx, sending.id, external).await?;
    place(app, &mut tx, sending, (channel, external), now).await?;
    Ok(tx.commit().await?)
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
                let id: MessageId = new_id();
                let nonce = Uuid::now_v7();
                store::message::insert(conn, id, sending.thread, subject, nonce, now).await?;
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
pub(super) fn elsewhere(thread: &Thread, requester: &str) -> Option<Placement> {
    // Direct messages with the requester are the last place there is.
    let last = thread.role == ThreadRole::Direct || thread.account.is_some();
    (!last).then(|| Placement {
        installation: thread.installation,
        spot: Spot::Direct {
            account: requester.to_owned(),
        },
    })
}
