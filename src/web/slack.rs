//! Slack's deliveries over HTTP: verified, read, acted on, answered.

mod act;
mod calls;
pub mod socket;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use super::health::Health;
use super::metrics::Metrics;
use super::{Clock, bounded};
use crate::app::App;
use crate::chat::slack::parse::{Parsed, parse};
use crate::chat::slack::verify::{Headers, MAX_BODY, verify};
use crate::clients::slack::Slack;

/// All that answering Slack takes.
pub struct Edge {
    /// Acts on deliveries.
    pub app: App,
    /// Opens views and posts answers.
    pub client: Slack,
    /// Signs deliveries over HTTP; none: they come by Socket Mode alone.
    pub signing_secret: Option<SecretString>,
    /// The clock that signatures are held against.
    pub clock: Clock,
    /// Where trouble is reported.
    pub health: Arc<Health>,
    /// Where deliveries are counted.
    pub metrics: Arc<Metrics>,
    /// Work that outlives its request; close it and wait to drain.
    pub tasks: TaskTracker,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Slack's routes. Which one a delivery comes to doesn't matter: it says itself what it is.
pub(super) fn router(edge: Arc<Edge>) -> Router {
    let routes = Router::new()
        .route("/slack/commands", post(deliver))
        .route("/slack/interactions", post(deliver))
        .route("/slack/events", post(deliver))
        .route("/slack/options", post(deliver));
    bounded(routes, MAX_BODY).with_state(edge)
}

async fn deliver(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(secret) = &edge.signing_secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Headers {
        signature: header("x-slack-signature"),
        timestamp: header("x-slack-request-timestamp"),
    };
    let verified = match verify(signed, body.into(), secret, (edge.clock)()) {
        Ok(verified) => verified,
        Err(reason) => {
            edge.metrics.delivered("slack", "rejected");
            tracing::warn!(%reason, "Refused a delivery that is not Slack's");
            return StatusCode::UNAUTHORIZED.into_response();
        }
    };
    match parse(verified) {
        Ok(Parsed::Challenge(challenge)) => challenge.into_response(),
        Ok(Parsed::Ping) => StatusCode::OK.into_response(),
        Ok(Parsed::Inbound(inbound)) => match edge.act(*inbound).await {
            act::Ack::Taken(None) => StatusCode::OK.into_response(),
            act::Ack::Taken(Some(body)) => Json(body).into_response(),
            act::Ack::DeliverAgain => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        Err(reason) => {
            edge.metrics.delivered("slack", "unreadable");
            tracing::warn!(%reason, "Could not read a delivery of Slack's");
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}
