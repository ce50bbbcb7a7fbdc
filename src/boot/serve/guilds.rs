//! The Discord application of this deployment: its client, its way in, and its introduction to the guilds it is in.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::meet;
use crate::app::App;
use crate::boot::clock;
use crate::boot::config::Config;
use crate::boot::problem::{OrFail as _, Problem};
use crate::chat::discord::commands;
use crate::chat::discord::verify::Key;
use crate::clients::discord::Discord;
use crate::web::discord::Edge;
use crate::web::health::Health;
use crate::web::metrics::Metrics;
use crate::worker;

/// The part of `/readyz`.
const PART: &str = "discord";
/// Waits between two tries to reach Discord at start: from the first, doubled up to the longest. Tries that are refused
/// count towards a ban, so none come in quick succession.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));

/// What is needed to talk with Discord.
#[derive(Clone)]
pub(super) struct Guilds {
    client: Discord,
    key: Key,
    application: Option<String>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
}

impl Guilds {
    /// The configured application, if there is one.
    pub(super) fn of(
        config: &Config,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        tasks: TaskTracker,
    ) -> Result<Option<Self>, Problem> {
        let Some(discord) = &config.discord else {
            return Ok(None);
        };
        let client = Discord::new(discord.api_url.as_str(), &discord.bot_token)
            .or_fail("can't make a client for Discord")?;
        health.fails(PART, "not reached yet");
        Ok(Some(Self {
            client,
            key: discord.key.clone(),
            application: discord.application.clone(),
            health,
            metrics,
            tasks,
        }))
    }

    /// What answers its interactions.
    pub(super) fn edge(&self, app: &App) -> Arc<Edge> {
        Arc::new(Edge {
            app: app.clone(),
            client: self.client.clone(),
            key: self.key.clone(),
            clock: clock::now,
            metrics: Arc::clone(&self.metrics),
            tasks: self.tasks.clone(),
        })
    }

    /// Makes the guilds known and registers the command; `None` when told to stop first.
    pub(super) async fn meet(
        &self,
        app: &App,
        stop: &CancellationToken,
    ) -> Option<Vec<worker::Chat>> {
        meet::until_met("Discord", WAITS, (&self.health, PART), stop, || {
            self.introduce(app)
        })
        .await
    }

    async fn introduce(&self, app: &App) -> anyhow::Result<Vec<worker::Chat>> {
        let (chats, application) = worker::people::introduce_guilds(app, &self.client).await?;
        if let Some(named) = &self.application {
            anyhow::ensure!(
                *named == application.id,
                "the token is of application {}, and `DISCORD_APPLICATION_ID` names {named}",
                application.id
            );
        }
        let registered = self
            .client
            .register(&application.id, &commands::all())
            .await?;
        tracing::info!(
            application = application.name,
            guilds = chats.len(),
            registered,
            "Introduced to Discord"
        );
        if !application.reads_members {
            tracing::error!(
                "The Server Members intent is off: nobody's roles can be read; switch it on on the application's page Bot"
            );
        }
        Ok(chats)
    }
}
