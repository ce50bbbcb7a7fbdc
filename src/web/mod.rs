//! Routes and sockets: deliveries in, pages out.

pub mod api;
pub mod discord;
pub mod git;
pub mod github;
pub mod health;
pub mod login;
pub mod metrics;
pub mod slack;

use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, Utc};

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
    /// Discord, where interactions come over HTTP.
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
