//! Queue jobs, the sender of messages and the tick: `app`, then the world, then `app`.
//!
//! Everything here may die at any moment: what is begun stands in the database before it begins, what ends is written
//! with what follows it, and another replica takes up the rest.

mod plan;
pub mod queue;
pub mod sender;
mod step;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::steps::Registry;

/// What workers work with.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The verbs.
    pub app: App,
    /// What steps can do.
    pub registry: Registry,
    /// Set when the process is to stop: nothing new begins, what is under way ends or is handed back.
    pub stop: CancellationToken,
}

/// Shared by all handlers of a queue.
type Shared = Arc<Bench>;
