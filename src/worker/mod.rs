//! Queue jobs, the sender of messages and the tick: `app`, then the world, then `app`.
//!
//! Everything here may die at any moment: what is begun stands in the database before it begins, what ends is written
//! with what follows it, and another replica takes up the rest.

mod link;
pub mod people;
mod plan;
pub mod queue;
pub mod sender;
mod step;
pub mod teams;
pub mod tick;
mod twin;

pub use self::step::Patience;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clients::slack::Slack;
use crate::domain::id::InstallationId;
use crate::steps::Registry;

/// One installation, and the way to it.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Ours.
    pub installation: InstallationId,
    /// The platform's id of it.
    pub external: String,
    /// The client with its token.
    pub slack: Slack,
}

/// What workers work with.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The verbs.
    pub app: App,
    /// What steps can do.
    pub registry: Registry,
    /// The installations that this process serves.
    pub chats: Vec<Chat>,
    /// The organisation on GitHub, where there is one.
    pub hub: Option<teams::Hub>,
    /// How long steps are waited for.
    pub patience: Patience,
    /// Set when the process is to stop: nothing new begins, what is under way ends or is handed back.
    pub stop: CancellationToken,
}

/// Shared by all handlers of a queue.
type Shared = Arc<Bench>;

/// A part of the worker broke off: a bug, so the process ends and is started again.
#[derive(Debug, thiserror::Error)]
#[error("a part of the worker broke off: {0}")]
pub struct BrokeOff(tokio::task::JoinError);

/// Everything that a process with the role of a worker does, until the bench is told to stop.
pub async fn run(
    bench: Bench,
    factory: queue::Factory,
    concurrency: usize,
) -> Result<(), BrokeOff> {
    let mut all = JoinSet::new();
    for chat in &bench.chats {
        let (app, stop) = (bench.app.clone(), bench.stop.clone());
        let sender = sender::run(
            app.clone(),
            chat.slack.clone(),
            chat.installation,
            stop.clone(),
        );
        all.spawn(sender);
        all.spawn(people::run(app, chat.clone(), stop));
    }
    if let Some(hub) = &bench.hub {
        let (app, stop) = (bench.app.clone(), bench.stop.clone());
        all.spawn(teams::run(app, hub.clone(), stop));
    }
    all.spawn(tick::run(bench.app.clone(), bench.stop.clone()));
    all.spawn(queue::run(bench.clone(), factory, concurrency));
    let mut result = Ok(());
    while let Some(ended) = all.join_next().await {
        if let Err(error) = ended {
            result = Err(BrokeOff(error));
            bench.stop.cancel();
        }
    }
    result
}
