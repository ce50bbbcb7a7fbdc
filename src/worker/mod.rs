//! Queue jobs, the sender of messages and the tick: `app`, then the world, then `app`.
//!
//! Everything here may die at any moment: what is begun stands in the database before it begins, what ends is written
//! with what follows it, and another replica takes up the rest.

pub mod people;
mod plan;
pub mod queue;
pub mod sender;
mod step;

use std::sync::Arc;

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
    /// Set when the process is to stop: nothing new begins, what is under way ends or is handed back.
    pub stop: CancellationToken,
}

/// Shared by all handlers of a queue.
type Shared = Arc<Bench>;
