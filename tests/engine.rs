//! The engine at work on a real database: runs and their undoing, crashes, the queue's nets, and the sender.

mod crashes;
mod kills;
mod nets;
mod restarts;
mod runs;
pub mod script;
mod sender;
pub mod world;

use std::time::Duration;

/// How long a test waits for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(20);
