//! Discord's interactions over HTTP: verified, read, acted on, answered.

mod act;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio_util::task::TaskTracker;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::Clock;
use super::metrics::Metrics;
use crate::app::App;
use crate::chat::discord::parse::{Parsed, parse};
use crate::chat::discord::render;
use crate::chat::discord::verify::{Headers, Key, MAX_BODY, verify};
use crate::clients::discord::Discord;

/// How long a request may take to arrive and be answered.
const REQUEST: Duration = Duration::from_secs(10);

/// All that answering Discord takes.
pub struct Edge {
    /// Acts on deliveries.
    pub app: App,
    /// Says what follows an answer.
    pub client: Discord,
    /// The application's key, which deliveries are signed with.
    pub key: Key,
    /// The clock that signatures are held against.
    pub clock: Clock,
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

/// Discord's route.
pub(super) fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/discord/interactions", post(deliver))
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST,
        ))
        .with_state(edge)
}

async fn deliver(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Headers {
        signature: header("x-signature-ed25519"),
        timestamp: header("x-signature-timestamp"),
    };
    let verified = match verify(signed, body.into(), &edge.key, (edge.clock)()) {
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
        Ok(Parsed::Inbound(inbound)) => Json(edge.act(*inbound).await).into_response(),
        Err(reason) => {
            edge.metrics.delivered("discord", "unreadable");
            tracing::warn!(%reason, "Could not read a delivery of Discord's");
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}
