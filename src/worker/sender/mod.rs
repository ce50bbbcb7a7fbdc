//! The sender: one process at a time sends for an installation, so that order and pace live in one place.
//!
//! Who holds the lease sends; the others wait for it to run out, seconds after its holder dies. A raised message wakes
//! the holder by a notification, which one connection hears for all senders of the process; a look each second is the net
//! under that.

mod ear;
mod pace;
mod send;

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::ear::Ear;
use self::ear::Raised;
use self::pace::Pace;
use crate::app::lease::RENEW;
use crate::app::sending::{self, Due, Lease, Waiting};
use crate::app::{App, people};
use crate::domain::id::{InstallationId, ThreadId};
use crate::worker::Way;
use crate::worker::way::Failure;

/// How often one without the lease looks whether it is free.
const TRY: Duration = Duration::from_secs(1);

/// The net under the notifications.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is tried again whether a refused token is good, or the bot is back.
const TOKEN: Duration = Duration::from_secs(30);

/// What was just moved mostly moves on at once (an approval, its run, the run's first step): after this moment one look
/// finds all of it, nothing is shown that is over already, and the run has had the processor to itself.
const SETTLE: Duration = Duration::from_millis(30);

/// A look takes the longer the more waits. It is followed by a rest as long, so that looking takes half of the time at most,
/// and by none longer than this.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// Sends at once, at most: each in another thread.
const AT_ONCE: usize = 8;

/// Sends for one installation, as [`serve`] does, with an ear of its own.
pub async fn run(
    app: App,
    way: impl Into<Way>,
    installation: InstallationId,
    stop: CancellationToken,
) {
    let ear = Ear::default();
    let serving = serve(app.clone(), way, installation, ear.clone(), stop.clone());
    tokio::join!(ear.listen(&app, &stop), serving);
}

/// Sends an installation's messages whenever it holds the lease, until told to stop; the ear tells that there are some.
pub async fn serve(
    app: App,
    way: impl Into<Way>,
    installation: InstallationId,
    ear: Ear,
    stop: CancellationToken,
) {
    let way = way.into();
    let lease = Lease {
        installation,
        holder: Uuid::now_v7().to_string(),
    };
    while !stop.is_cancelled() {
        match lease.hold(&app).await {
            Ok(true) => hold(&app, &way, &lease, (&ear, &stop)).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "The sender's lease can't be taken"),
        }
        tokio::select! {
            () = tokio::time::sleep(TRY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Sends while the lease holds, and gives it back on a stop.
async fn hold(app: &App, way: &Way, lease: &Lease, (ear, stop): (&Ear, &CancellationToken)) {
    tracing::info!(installation = %lease.installation, "Sending for the installation");
    tokio::select! {
        () = renew(app, lease) => {
            tracing::warn!(installation = %lease.installation, "Another process sends now");
        }
        () = work(app, way, lease, (ear.of(lease.installation), stop)) => {
            if let Err(error) = lease.free(app).await {
                tracing::warn!(%error, "The sender's lease runs out by itself");
            }
        }
    }
}

/// Renews the lease; ends when it is lost. While the database gives no answer nothing can be taken either.
async fn renew(app: &App, lease: &Lease) {
    loop {
        tokio::time::sleep(RENEW).await;
        match lease.hold(app).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "The sender's lease can't be renewed"),
        }
    }
}

async fn work(
    app: &App,
    way: &Way,
    lease: &Lease,
    (mut raised, stop): (Raised, &CancellationToken),
) {
    let mut hands = Hands {
        app,
        way,
        lease,
        pace: Pace::new(),
        busy: HashMap::new(),
        sends: JoinSet::new(),
        tried_at: None,
    };
    while !stop.is_cancelled() {
        let began = Instant::now();
        let next = hands.look().await;
        let rested = tokio::time::sleep(began.elapsed().min(LONGEST_REST));
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = raised.any() => tokio::time::sleep(SETTLE).await,
            () = hands.one_ended() => {}
            () = stop.cancelled() => {}
        }
        rested.await;
        hands.all_ended();
    }
    // What is under way ends, so that nobody has to look for it.
    while !hands.busy.is_empty() {
        hands.one_ended().await;
    }
}

/// The sends of one holder.
struct Hands<'a> {
    app: &'a App,
    way: &'a Way,
    lease: &'a Lease,
    pace: Pace,
    /// Threads with a send under way, by its task: one at a time in each.
    busy: HashMap<Id, ThreadId>,
    sends: JoinSet<()>,
    /// When a refused token was last tried.
    tried_at: Option<Instant>,
}

impl Hands<'_> {
    /// Looks at what is due and begins what may go; gives the moment of the next look.
    async fn look(&mut self) -> Instant {
        self.pace.forget();
        match sending::waiting(self.app, self.lease).await {
            Ok(waiting) if waiting.revoked => {
                let next = self.tried_at.map(|at| at + TOKEN);
                if let Some(next) = next.filter(|next| *next > Instant::now()) {
                    return next;
                }
                self.tried_at = Some(Instant::now());
                self.try_token().await
            }
            Ok(waiting) => Instant::now() + self.begin(&waiting),
            Err(error) => {
                tracing::warn!(%error, "Messages can't be looked at");
                Instant::now() + LOOK
            }
        }
    }

    fn begin(&mut self, waiting: &Waiting) -> Duration {
        let mut wait = LOOK;
        if let Some(next) = waiting.next {
            wait = wait.min((next - waiting.now).to_std().unwrap_or_default());
        }
        for due in &waiting.due {
            if self.busy.len() >= AT_ONCE {
                break; // the next one that ends looks again
            }
            if self.closed(waiting, due) || self.busy.values().any(|thread| *thread == due.thread) {
                continue;
            }
            match self.pace.may(due) {
                Ok(()) => self.send(due.clone()),
                Err(not_before) => wait = wait.min(not_before),
            }
        }
        wait
    }

    /// Whether the platform has closed the bucket that this message is sent through.
    fn closed(&self, waiting: &Waiting, due: &Due) -> bool {
        let bucket = self.way.bucket(due.edit);
        waiting.closed.iter().any(|(name, _)| name == bucket)
    }

    fn send(&mut self, due: Due) {
        let (app, way, lease) = (self.app.clone(), self.way.clone(), self.lease.clone());
        let thread = due.thread;
        let task = self
            .sends
            .spawn(async move { send::send(&app, &way, &lease, &due).await });
        self.busy.insert(task.id(), thread);
    }

    /// Waits for a send to end; for ever while none is under way.
    async fn one_ended(&mut self) {
        match self.sends.join_next_with_id().await {
            Some(ended) => self.ended(ended),
            None => std::future::pending().await,
        }
    }

    /// Sends that ended meanwhile.
    fn all_ended(&mut self) {
        while let Some(ended) = self.sends.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "A send broke off");
                error.id()
            }
        };
        self.busy.remove(&id);
    }

    /// A token that was refused may be good again. Gives the moment of the next look.
    async fn try_token(&self) -> Instant {
        match self.way.check().await {
            Ok(()) => {
                tracing::info!("{} takes our token again", self.way.platform());
                let installation = self.lease.installation;
                if let Err(error) = people::record_token(self.app, installation, true).await {
                    tracing::warn!(%error, "The good token can't be recorded");
                }
                Instant::now()
            }
            Err(error @ Failure::Out { .. }) => {
                tracing::warn!(%error, "Sending is paused until the bot is added again");
                Instant::now() + TOKEN
            }
            Err(error @ Failure::Revoked { .. }) => {
                let platform = self.way.platform();
                tracing::warn!(%error, "Sending is paused: {platform} refuses our token");
                Instant::now() + TOKEN
            }
            Err(error) => {
                tracing::warn!(%error, "Sending is paused, and nobody can tell whether it may go on");
                Instant::now() + TOKEN
            }
        }
    }
}
