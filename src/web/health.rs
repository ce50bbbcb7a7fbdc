//! `/healthz`: the process answers. `/readyz`: it can do its work, and if not, why not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::app::App;
use crate::app::instead::Refusing;
use crate::domain::person::Platform;

/// How long the database may take to say that it is there.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What keeps the process from its work at the moment, by part.
#[derive(Debug)]
pub struct Health {
    app: App,
    problems: Mutex<BTreeMap<&'static str, String>>,
    /// The guilds on Discord that the bot is in, as was told last; none: nothing was yet.
    guilds: Mutex<Option<BTreeSet<String>>>,
}

impl Health {
    /// Nothing known to be wrong.
    pub fn new(app: App) -> Self {
        Self {
            app,
            problems: Mutex::default(),
            guilds: Mutex::default(),
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

    /// The bot is in these guilds on Discord.
    pub fn in_guilds(&self, all: BTreeSet<String>) {
        *self.guilds() = Some(all);
    }

    /// The bot was added to a guild, or taken out of one.
    pub(super) fn in_guild(&self, id: &str, is_in: bool) {
        let mut guilds = self.guilds();
        let Some(all) = guilds.as_mut() else {
            return;
        };
        if is_in {
            all.insert(id.to_owned());
        } else {
            all.remove(id);
        }
    }

    /// A line per problem.
    async fn problems(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .lock()
            .iter()
            .map(|(part, why)| format!("{part}: {why}"))
            .collect();
        match tokio::time::timeout(PATIENCE, self.app.refused_tokens()).await {
            Ok(Ok(all)) => lines.extend(all.iter().map(|refusing| self.paused(refusing))),
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

    /// Why nothing is sent to an installation. A guild that tells us nothing may have taken the bot out: which it is, is known
    /// once Discord was asked in which guilds we are.
    fn paused(&self, refusing: &Refusing) -> String {
        let name = &refusing.name;
        let refused = match refusing.platform {
            Platform::Discord if self.is_out(&refusing.external) => {
                return format!(
                    "discord: the bot isn't in {name} any more; add it again, and sending goes on"
                );
            }
            Platform::Discord => ", or the bot isn't in that server any more",
            Platform::Slack | Platform::Github | Platform::Operator => "",
        };
        format!("token: refused for {name}{refused}; sending is paused until it is good again")
    }

    fn is_out(&self, guild: &str) -> bool {
        let guilds = self.guilds();
        guilds.as_ref().is_some_and(|all| !all.contains(guild))
    }

    fn guilds(&self) -> std::sync::MutexGuard<'_, Option<BTreeSet<String>>> {
        self.guilds.lock().unwrap_or_else(PoisonError::into_inner)
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
