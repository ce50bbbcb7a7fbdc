//! The Slack app of this deployment: its client, its ways in, and its introduction.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::meet;
use crate::app::App;
use crate::boot::clock;
use crate::boot::config::Config;
use crate::boot::problem::{OrFail as _, Problem};
use crate::clients::slack::Slack;
use crate::web::health::Health;
use crate::web::metrics::Metrics;
use crate::web::slack::{Edge, socket};
use crate::worker;

/// The part of `/readyz`.
const PART: &str = "slack";
/// It fails from the start on: before we know our own workspace, its people would be turned away as strangers.
const NOT_YET: &str = "not reached yet";
/// Waits between two tries to reach Slack at start: from the first, doubled up to the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(15));

/// What is needed to talk with Slack.
#[derive(Clone)]
pub(super) struct Chat {
    client: Slack,
    /// The worker's own: a connection lives in the runtime that opened it, and the worker has another one.
    ways: Slack,
    signing_secret: Option<SecretString>,
    app_token: Option<SecretString>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
}

impl Chat {
    /// The configured app, if there is one.
    pub(super) fn of(
        config: &Config,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        tasks: TaskTracker,
    ) -> Result<Option<Self>, Problem> {
        let Some(slack) = &config.slack else {
            return Ok(None);
        };
        let client = || {
            let api_url = slack.api_url.as_str().trim_end_matches('/');
            Slack::new(api_url, &slack.bot_token).or_fail("can't make a client for Slack")
        };
        health.fails(PART, NOT_YET);
        Ok(Some(Self {
            client: client()?,
            ways: client()?,
            signing_secret: slack.signing_secret.clone(),
            app_token: slack.app_token.clone(),
            health,
            metrics,
            tasks,
        }))
    }

    /// What answers its deliveries.
    pub(super) fn edge(&self, app: &App) -> Arc<Edge> {
        Arc::new(Edge {
            app: app.clone(),
            client: self.client.clone(),
            signing_secret: self.signing_secret.clone(),
            clock: clock::now,
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            tasks: self.tasks.clone(),
        })
    }

    /// Makes our workspace known, then opens Socket Mode where an app token says so and this process takes deliveries.
    /// `None` when told to stop first.
    pub(super) async fn meet(
        &self,
        app: &App,
        edge: Option<Arc<Edge>>,
        stop: &CancellationToken,
    ) -> Option<worker::Chat> {
        let introduced = self.introduce(app, stop).await?;
        if let (Some(edge), Some(token)) = (edge, &self.app_token) {
            self.tasks.spawn(socket::run(
                edge,
                token.clone(),
                socket::Times::default(),
                stop.clone(),
            ));
        }
        Some(introduced)
    }

    /// Asks Slack who we are until it says so; `None` when told to stop first.
    async fn introduce(&self, app: &App, stop: &CancellationToken) -> Option<worker::Chat> {
        let (mut chat, auth) = meet::until_met("Slack", WAITS, (&self.health, PART), stop, || {
            worker::people::introduce(app, &self.client)
        })
        .await?;
        tracing::info!(workspace = auth.name, "Introduced to Slack");
        chat.way = self.ways.clone().into();
        Some(chat)
    }
}
