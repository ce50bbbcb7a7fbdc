//! Discord's interactions, over HTTP or over its gateway: verified, read, acted on, answered.

mod act;
pub mod gateway;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::act::Leaving;
use super::health::Health;
use super::metrics::Metrics;
use super::{Clock, bounded};
use crate::app::App;
use crate::chat::discord::parse::{Parsed, parse};
use crate::chat::discord::render;
use crate::chat::discord::verify::{Headers, Key, MAX_BODY, verify};
use crate::clients::discord::Discord;

/// How long the work may take before an answer leaves without it (Discord gives up after 3 s).
const WORK: Duration = Duration::from_millis(2_500);

/// Makes a guild known that isn't, by its id: the bot may have been added to it since the start. False: it is not to be
/// served.
pub type Greet = Arc<dyn Fn(String) -> BoxFuture<'static, bool> + Send + Sync>;

/// All that answering Discord takes.
pub struct Edge {
    /// Acts on deliveries.
    pub app: App,
    /// Says what follows an answer.
    pub client: Discord,
    /// The application's key, which deliveries over HTTP are signed with; none: they come by the gateway alone.
    pub key: Option<Key>,
    /// The clock that signatures are held against.
    pub clock: Clock,
    /// Makes guilds known.
    pub greet: Greet,
    /// Where trouble is reported.
    pub health: Arc<Health>,
    /// Where deliveries are counted.
    pub metrics: Arc<Metrics>,
    /// Work that outlives its request; close it and wait to drain.
    pub tasks: TaskTracker,
    /// Set when the process is to stop: nothing is tried again from then on.
    pub stop: CancellationToken,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Discord's route.
pub(super) fn router(edge: Arc<Edge>) -> Router {
    let routes = Router::new().route("/discord/interactions", post(deliver));
    bounded(routes, MAX_BODY).with_state(edge)
}

async fn deliver(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(key) = &edge.key else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Headers {
        signature: header("x-signature-ed25519"),
        timestamp: header("x-signature-timestamp"),
    };
    let verified = match verify(signed, body.into(), key, (edge.clock)()) {
        Ok(verified) => verified,
        Err(reason) => {
            edge.metrics.delivered("discord", "rejected");
            // Discord itself tries wrong signatures, so this is no alarm.
            tracing::info!(%reason, "Refused a delivery that is not Discord's");
            return StatusCode::UNAUTHORIZED.into_response();
        }
    };
    match parse(verified) {
        Ok(Parsed::Ping) => Json(render::pong()).into_response(),
        Ok(Parsed::Completing { typed, .. }) => {
            Json(render::choices(&edge.app.completions(&typed))).into_response()
        }
        Ok(Parsed::Inbound(inbound)) => {
            let Leaving { body, rest } = edge.act(*inbound, WORK).await;
            if let Some(rest) = rest {
                edge.tasks.spawn(rest);
            }
            Json(body).into_response()
        }
        // Only the gateway tells of these.
        Ok(Parsed::Happened(_)) => StatusCode::NO_CONTENT.into_response(),
        Err(reason) => {
            edge.unreadable(reason);
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}

impl Edge {
    /// Waits before another try; false: there is none, since the process stops.
    async fn pause(&self, wait: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// Tells of a delivery that is Discord's and that we don't understand at all.
    fn unreadable(&self, reason: impl std::fmt::Display) {
        self.metrics.delivered("discord", "unreadable");
        tracing::warn!(%reason, "Could not read a delivery of Discord's");
    }
}
