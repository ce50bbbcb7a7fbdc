//! The gateway: Discord's deliveries over a WebSocket that we open, for teams without a public address.
//!
//! Each shard is connected by one replica at a time, whose word for it is a lease, as the sender's is; the others stand by
//! and are there seconds after it dies. A delivery that two of them get all the same (a lease changed hands) is one to the
//! inbox, and Discord takes one answer. Answers go by HTTP, so work under way outlives its connection. A connection that
//! ends is resumed, by this process or by the next one that has the word, and Discord tells what happened meanwhile.

mod answer;
mod connection;
mod heard;
mod shard;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twilight_gateway::queue::InMemoryQueue;

use self::shard::Shard;
use self::standing::Standing;
use super::Edge;
use crate::clients::discord::Gateway;
use crate::web::backoff;

/// The part of `/readyz`.
const PART: &str = "discord gateway";

/// How long each thing about a connection may take, and how long we wait before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From connecting until Discord says that we are in.
    pub greeting: Duration,
    /// How long closing a connection may take at a stop.
    pub last_words: Duration,
    /// The wait before the next attempt, doubled with each that fails up to `longest_wait`. What happens meanwhile is told
    /// after it, and an interaction can be answered for three seconds.
    pub first_wait: Duration,
    /// The longest wait between attempts; at once after what only a person can mend. Discord takes a thousand new
    /// sessions a day.
    pub longest_wait: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(20),
            last_words: Duration::from_secs(2),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_mins(2),
        }
    }
}

impl Times {
    fn wait(self, failures: u32) -> Duration {
        backoff::wait((self.first_wait, self.longest_wait), failures)
    }
}

/// Keeps all shards connected until told to stop.
pub async fn run(edge: Arc<Edge>, token: SecretString, times: Times, stop: CancellationToken) {
    edge.health.fails(PART, "not connected yet");
    let mut failures = 0;
    while !stop.is_cancelled() {
        let asked = tokio::select! {
            asked = edge.client.gateway() => asked,
            () = stop.cancelled() => return,
        };
        match asked {
            Ok(gateway) => {
                failures = 1;
                serve(&edge, &token, times, (&gateway, &stop)).await;
            }
            Err(error) => {
                failures += 1;
                edge.health.fails(PART, error.to_string());
                tracing::warn!(%error, failures, "Could not ask for Discord's gateway");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(times.wait(failures)) => {}
        }
    }
}

/// Serves in as many shards as Discord wants; ends when it wants another number of them, or when told to stop.
async fn serve(
    edge: &Arc<Edge>,
    token: &SecretString,
    times: Times,
    (gateway, stop): (&Gateway, &CancellationToken),
) {
    let stop = stop.child_token();
    let standing = Arc::new(Standing::new(Arc::clone(&edge.health)));
    let queue = InMemoryQueue::new(
        gateway.at_once,
        gateway.starts_left,
        gateway.full_after,
        gateway.starts,
    );
    let mut shards = JoinSet::new();
    for number in 0..gateway.shards {
        let shard = Shard::new(Arc::clone(edge), token.clone(), (number, gateway.shards));
        shards.spawn(shard.run(times, queue.clone(), Arc::clone(&standing), stop.clone()));
    }
    while let Some(ended) = shards.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "A shard of the gateway broke off");
        }
        stop.cancel();
    }
}
