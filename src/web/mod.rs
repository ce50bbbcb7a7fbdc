//! Routes and sockets: deliveries in, pages out.

pub mod api;
mod backoff;
pub mod discord;
pub mod git;
pub mod github;
pub mod health;
pub mod login;
pub mod metrics;
pub mod slack;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// How long a delivery may take to arrive and be answered. Only a body that doesn't come gets here: the answer itself has a
/// budget of its own.
const DELIVERY: Duration = Duration::from_secs(10);

/// The clock of the process, handed in: signatures are judged by it, and nothing else.
pub type Clock = fn() -> DateTime<Utc>;

/// What all routes share.
#[derive(Debug, Clone)]
pub struct Web {
    /// What is wrong at the moment.
    pub health: Arc<health::Health>,
    /// What is counted.
    pub metrics: Arc<metrics::Metrics>,
    /// Slack, where deliveries come over HTTP.
    pub slack: Option<Arc<slack::Edge>>,
    /// Discord, which delivers over HTTP or over its gateway.
    pub discord: Option<Arc<discord::Edge>>,
    /// GitHub's webhook, where one is set up.
    pub github: Option<Arc<github::Edge>>,
}

/// All routes. The local forge's and others are merged by `boot`.
pub fn router(web: Web) -> Router {
    let mut router =
        health::router(Arc::clone(&web.health)).merge(metrics::router(web.metrics, web.health));
    if let Some(edge) = web.slack {
        router = router.merge(slack::router(edge));
    }
    if let Some(edge) = web.discord {
        router = router.merge(discord::router(edge));
    }
    if let Some(edge) = web.github {
        router = router.merge(github::router(edge));
    }
    router
}

/// Routes of a chat platform's deliveries, none of which may be longer, or take longer, than they ever are.
fn bounded<S: Clone + Send + Sync + 'static>(routes: Router<S>, longest: usize) -> Router<S> {
    routes
        .layer(RequestBodyLimitLayer::new(longest))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            DELIVERY,
        ))
}
