//! Queue jobs, the sender of messages and the tick: `app`, then the world, then `app`.
//!
//! Everything here may die at any moment: what is begun stands in the database before it begins, what ends is written
//! with what follows it, and another replica takes up the rest.

mod alone;
mod link;
pub mod people;
mod plan;
pub mod queue;
pub mod sender;
mod step;
pub mod teams;
pub mod tick;
mod twin;
pub mod way;

pub use self::alone::Alone;
pub use self::step::Patience;
pub use self::way::{Guild, Way};

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::id::InstallationId;
use crate::steps::Registry;

/// One installation, and the way to it.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Ours.
    pub installation: InstallationId,
    /// The platform's id of it.
    pub external: String,
    /// How it is reached.
    pub way: Way,
}

/// The installations that this process serves: those that it was introduced to so far.
#[derive(Debug, Clone, Default)]
pub struct Chats(Arc<RwLock<Vec<Chat>>>);

impl From<Vec<Chat>> for Chats {
    fn from(chats: Vec<Chat>) -> Self {
        Self(Arc::new(RwLock::new(chats)))
    }
}

impl Chats {
    /// One of them.
    fn find(&self, installation: InstallationId) -> Option<Chat> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|c| c.installation == installation).cloned()
    }

    fn add(&self, chat: Chat) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(chat);
    }
}

/// What workers work with.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The verbs.
    pub app: App,
    /// What steps can do.
    pub registry: Registry,
    /// The installations that this process serves.
    pub chats: Chats,
    /// The organisation on GitHub, where there is one.
    pub hub: Option<teams::Hub>,
    /// How long steps are waited for.
    pub patience: Patience,
    /// The jobs of steps at work here.
    pub alone: Alone,
    /// Set when the process is to stop: nothing new begins, what is under way ends or is handed back.
    pub stop: CancellationToken,
}

/// Shared by all handlers of a queue.
type Shared = Arc<Bench>;

/// A part of the worker broke off: a bug, so the process ends and is started again.
#[derive(Debug, thiserror::Error)]
#[error("a part of the worker broke off: {0}")]
pub struct BrokeOff(tokio::task::JoinError);

/// Everything that a process with the role of a worker does, until the bench is told to stop. An installation is served
/// from when it `arrives`: a platform that is away holds up no other.
pub async fn run(
    bench: Bench,
    mut arrives: mpsc::Receiver<Chat>,
    factory: queue::Factory,
    concurrency: usize,
) -> Result<(), BrokeOff> {
    let mut all = JoinSet::new();
    if let Some(hub) = &bench.hub {
        let (app, stop) = (bench.app.clone(), bench.stop.clone());
        all.spawn(teams::run(app, hub.clone(), stop));
    }
    let ear = sender::Ear::default();
    let (hears, app, stop) = (ear.clone(), bench.app.clone(), bench.stop.clone());
    all.spawn(async move { hears.listen(&app, &stop).await });
    all.spawn(tick::run(bench.app.clone(), bench.stop.clone()));
    all.spawn(queue::run(bench.clone(), factory, concurrency));
    let mut result = Ok(());
    loop {
        tokio::select! {
            Some(chat) = arrives.recv() => serve(&mut all, &bench, &ear, chat),
            ended = all.join_next() => match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    result = Err(BrokeOff(error));
                    bench.stop.cancel();
                }
                None => return result,
            },
        }
    }
}

/// Sends for an installation and keeps its people known.
fn serve(all: &mut JoinSet<()>, bench: &Bench, ear: &sender::Ear, chat: Chat) {
    let (app, stop) = (bench.app.clone(), bench.stop.clone());
    all.spawn(sender::serve(
        app.clone(),
        chat.way.clone(),
        chat.installation,
        ear.clone(),
        stop.clone(),
    ));
    bench.chats.add(chat.clone());
    all.spawn(people::run(app, chat, stop));
}
