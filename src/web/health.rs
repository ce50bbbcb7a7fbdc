//! `/healthz`: the process answers. `/readyz`: it can do its work, and if not, why not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::app::App;

/// How long the database may take to say that it is there.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What keeps the process from its work at the moment, by part.
#[derive(Debug)]
pub struct Health {
    app: App,
    problems: Mutex<BTreeMap<&'static str, String>>,
}

impl Health {
    /// Nothing known to be wrong.
    pub fn new(app: App) -> Self {
        Self {
            app,
            problems: Mutex::default(),
        }
    }

    /// The verbs of this process.
    pub(super) const fn app(&self) -> &App {
        &self.app
    }

    /// A part can't work, and why.
    pub fn fails(&self, part: &'static str, why: impl Into<String>) {
        self.lock().insert(part, why.into());
    }

    /// A part works.
    pub fn works(&self, part: &'static str) {
        self.lock().remove(part);
    }

    /// A line per problem.
    async fn problems(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .lock()
            .iter()
            .map(|(part, why)| format!("{part}: {why}"))
            .collect();
        match tokio::time::timeout(PATIENCE, self.app.refused_tokens()).await {
            Ok(Ok(refused)) => lines.extend(refused.iter().map(|name| {
                format!("token: refused for {name}; sending is paused until it is good again")
            })),
            // The cause may name hosts: it goes to the log.
            Ok(Err(error)) => {
                tracing::warn!(%error, "The database does not answer");
                lines.push("database: does not answer".to_owned());
            }
            Err(_) => lines.push(format!(
                "database: no answer within {} s",
                PATIENCE.as_secs()
            )),
        }
        lines
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn router(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    let problems = health.problems().await;
    if problems.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }
}
