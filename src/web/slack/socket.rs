//! Socket Mode: Slack's deliveries over a WebSocket that we open, for teams without a public address.
//!
//! One connection at a time, and two for a moment: Slack says `disconnect` about once an hour, and then the new one
//! is opened while the old one is still read and answered until it ends. Each envelope is worked on by itself, so a
//! slow one holds up neither the others nor the pongs; its acknowledgement carries the answer. What isn't
//! acknowledged comes again, and the inbox knows it.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Edge;
use crate::web::backoff;
use connection::{Connection, Over};

/// The part of `/readyz`.
const PART: &str = "slack socket";

/// How long each thing about a connection may take, and how long we wait before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Connecting, and the first word.
    pub greeting: Duration,
    /// Between two questions whether the other side is there.
    pub ping: Duration,
    /// How long nothing may come before it isn't. Slack itself pings every few seconds.
    pub silence: Duration,
    /// How long a connection that is over is still read and answered.
    pub drain: Duration,
    /// How long work under way may take at a stop: an answer's budget, and a little.
    pub last_words: Duration,
    /// The wait before the second attempt, doubled with each up to `longest_wait`.
    pub first_wait: Duration,
    /// The longest wait between attempts.
    pub longest_wait: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(10),
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(35),
            drain: Duration::from_secs(30),
            last_words: Duration::from_secs(4),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Keeps a connection open until told to stop, then drains it.
pub async fn run(edge: Arc<Edge>, app_token: SecretString, times: Times, stop: CancellationToken) {
    edge.health.fails(PART, "not connected yet");
    let (over, mut overs) = mpsc::channel(4);
    let mut failures = 0;
    while !stop.is_cancelled() {
        match open(&edge, &app_token, times, &stop).await {
            Some(Ok(connection)) => {
                failures = 0;
                edge.health.works(PART);
                tracing::info!("Connected to Slack by Socket Mode");
                let over = over.clone();
                edge.tasks.spawn(connection.serve(over));
                // The old connection drains by itself once it has said that it is over.
                match overs.recv().await {
                    Some(Over::Refresh) => {}
                    Some(Over::Lost(why)) => {
                        edge.health.fails(PART, why.clone());
                        tracing::warn!(why, "Lost the Socket Mode connection");
                        failures = 1;
                    }
                    Some(Over::Stopped) | None => return,
                }
            }
            Some(Err(why)) => {
                failures += 1;
                edge.health.fails(PART, why.clone());
                tracing::warn!(why, failures, "Could not connect by Socket Mode");
            }
            None => return,
        }
        if failures > 0 {
            let wait = backoff::wait((times.first_wait, times.longest_wait), failures);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// Asks for an address and connects; nothing when told to stop meanwhile.
async fn open(
    edge: &Arc<Edge>,
    app_token: &SecretString,
    times: Times,
    stop: &CancellationToken,
) -> Option<Result<Connection, String>> {
    let opening = async {
        let address = edge
            .client
            .open_connection(app_token)
            .await
            .map_err(|error| error.to_string())?;
        Connection::open(Arc::clone(edge), &address, times, stop.clone()).await
    };
    tokio::select! {
        () = stop.cancelled() => None,
        opened = opening => Some(opened),
    }
}
