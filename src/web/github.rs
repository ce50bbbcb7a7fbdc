//! GitHub's deliveries: verified, read, acted on. GitHub waits ten seconds for an answer, and delivers nothing again by
//! itself; an operator can, from the webhook's page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::SecretString;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::metrics::Metrics;
use crate::app::people::{self, InstallationFacts};
use crate::app::{self, App};
use crate::chat::github::parse::{Headers, Parsed, parse};
use crate::chat::github::verify::{MAX_BODY, verify};
use crate::domain::event::{Delivery, Event};
use crate::domain::person::Platform;

/// How long a delivery may take to arrive and be answered: GitHub gives up after 10 s (docs.github.com/webhooks, "Best
/// practices for using webhooks").
const REQUEST: Duration = Duration::from_secs(9);

/// All that taking GitHub's deliveries needs.
pub struct Edge {
    app: App,
    secret: SecretString,
    organisation: String,
    app_id: Option<String>,
    metrics: Arc<Metrics>,
    /// Whether our organisation was written down since the start.
    known: AtomicBool,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("organisation", &self.organisation)
            .finish_non_exhaustive()
    }
}

impl Edge {
    /// For the webhook with this secret, of the organisation whose repositories we make. `app_id`: the App that we are
    /// there, if we are one; deliveries for another are not ours.
    pub fn new(
        app: App,
        secret: SecretString,
        organisation: String,
        app_id: Option<String>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            app,
            secret,
            organisation,
            app_id,
            metrics,
            known: AtomicBool::new(false),
        }
    }

    async fn act(&self, delivery: Delivery, login: String) -> StatusCode {
        let outcome = match self.take(delivery, login).await {
            Ok(()) => ("taken", StatusCode::ACCEPTED),
            Err(()) => ("broken", StatusCode::SERVICE_UNAVAILABLE),
        };
        self.metrics.delivered("github", outcome.0);
        outcome.1
    }

    /// What broke is in the log already.
    async fn take(&self, delivery: Delivery, login: String) -> Result<(), ()> {
        self.introduce(&delivery, login).await.map_err(|cause| {
            app::Broken::log("learning of the organisation", cause);
        })?;
        app::handle(&self.app, delivery).await.map_err(drop)?;
        Ok(())
    }

    /// The first delivery of our organisation tells its id, by which it is known from then on, whatever it is called.
    async fn introduce(&self, delivery: &Delivery, login: String) -> anyhow::Result<()> {
        let ours = login.eq_ignore_ascii_case(&self.organisation);
        let leaving = matches!(delivery.event, Event::Uninstalled);
        if !ours || leaving || self.known.load(Ordering::Relaxed) {
            return Ok(());
        }
        let facts = InstallationFacts {
            platform: Platform::Github,
            external: delivery.sender.installation.clone(),
            name: login,
            app: self.app_id.clone(),
            bot_account: None,
        };
        people::record_installation(&self.app, &facts).await?;
        self.known.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// GitHub's one route.
pub(super) fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/github/webhooks", post(deliver))
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST,
        ))
        .with_state(edge)
}

async fn deliver(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let verified = match verify(header("x-hub-signature-256"), body.into(), &edge.secret) {
        Ok(verified) => verified,
        Err(reason) => {
            edge.metrics.delivered("github", "rejected");
            tracing::warn!(%reason, "Refused a delivery that is not GitHub's");
            return StatusCode::UNAUTHORIZED;
        }
    };
    let told = Headers {
        event: header("x-github-event"),
        delivery: header("x-github-delivery"),
        target_type: header("x-github-hook-installation-target-type"),
        target: header("x-github-hook-installation-target-id"),
    };
    match parse(told, &verified) {
        Ok(Parsed::Ping) => StatusCode::OK,
        Ok(Parsed::Inbound { delivery, login }) => edge.act(*delivery, login).await,
        Err(reason) => {
            edge.metrics.delivered("github", "unreadable");
            tracing::warn!(%reason, "Could not read a delivery of GitHub's");
            StatusCode::BAD_REQUEST
        }
    }
}
