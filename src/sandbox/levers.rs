//! What the simulator may do to the world outside chat: handed in by whoever started both sides.
//!
//! Boxed closures rather than a trait: the sandbox imports nothing of the crate, and `boot` has exactly one way to
//! do each. A lever that is `None` is not shown.

use std::{future::Future, pin::Pin, time::Duration};

use url::Url;

/// A lever's work: `Err` carries a sentence for the person who pulled it.
pub type Pulled = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// What people may break from the page.
#[derive(Default)]
pub struct Levers {
    /// SIGKILL to the bot; whoever supervises it starts it again.
    pub kill_bot: Option<Box<dyn Fn() -> Pulled + Send + Sync>>,
    /// Takes the git forge away for so long.
    pub forge_away: Option<Box<dyn Fn(Duration) -> Pulled + Send + Sync>>,
    /// Where the bot shows requests and their audit rows, for "Behind the scenes".
    pub requests: Option<RequestsApi>,
}

/// The bot's own read API, with a token for it.
#[derive(Clone)]
pub struct RequestsApi {
    /// Base address; `/api/requests` is joined to it.
    pub base: Url,
    /// Bearer token.
    pub token: String,
}
