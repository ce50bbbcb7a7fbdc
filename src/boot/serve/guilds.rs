//! The Discord application of this deployment: its client, its way in, and its introduction to the guilds it is in, now
//! and later. Where the configuration lists guilds, no others are served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::meet;
use crate::app::{self, App};
use crate::boot::clock;
use crate::boot::config::Config;
use crate::boot::problem::{OrFail as _, Problem};
use crate::chat::discord::commands;
use crate::chat::discord::verify::Key;
use crate::clients::discord::Discord;
use crate::domain::event::{Delivery, Event, Sender};
use crate::domain::person::Platform;
use crate::web::discord::{Edge, Greet, gateway};
use crate::web::health::Health;
use crate::web::metrics::Metrics;
use crate::worker::Chat;
use crate::worker::people::{self, Bot};

/// The part of `/readyz`.
const PART: &str = "discord";
/// Waits between two tries to reach Discord at start: from the first, doubled up to the longest. Tries that are refused
/// count towards a ban, so none come in quick succession.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// How often it is looked whether the bot is in another guild by now, where nothing told.
const LOOK: Duration = Duration::from_mins(1);
/// How long a guild that a look didn't find is believed not to be ours.
const BELIEVED: Duration = Duration::from_secs(5);

/// What is needed to talk with Discord.
#[derive(Clone)]
pub(super) struct Guilds {
    client: Discord,
    /// The worker's own, within the same rates: it works in a runtime of its own.
    ways: Discord,
    key: Option<Key>,
    /// The bot's token, where deliveries come over the gateway.
    gateway: Option<SecretString>,
    application: Option<String>,
    /// Those that are served; `None`: all.
    listed: Option<BTreeSet<String>>,
    known: Arc<Known>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Those that we were introduced to.
#[derive(Default)]
struct Known {
    ids: RwLock<BTreeSet<String>>,
    /// Those that are not to be served, and were told of.
    turned_away: RwLock<BTreeSet<String>>,
    /// Held while one looks for more.
    looking: Mutex<Looking>,
}

#[derive(Default)]
struct Looking {
    /// Who we are, once that was told.
    bot: Option<Bot>,
    /// Guilds that delivered and weren't found, and when.
    missed: BTreeMap<String, Instant>,
    /// Where guilds arrive that this process works for.
    arrived: Option<mpsc::Sender<Chat>>,
}

impl Known {
    fn has(&self, guild: &str) -> bool {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        ids.contains(guild)
    }

    fn add(&self, guild: &str) {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        ids.insert(guild.to_owned());
    }

    /// Notes a guild that is not to be served; false: it was before.
    fn turns_away(&self, guild: &str) -> bool {
        let all = self.turned_away.write();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        all.insert(guild.to_owned())
    }
}

impl Guilds {
    /// The configured application, if there is one.
    pub(super) fn of(
        config: &Config,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        (tasks, stop): (TaskTracker, CancellationToken),
    ) -> Result<Option<Self>, Problem> {
        let Some(discord) = &config.discord else {
            return Ok(None);
        };
        let cannot = "can't make a client for Discord";
        let client = Discord::new(discord.api_url.as_str(), &discord.bot_token).or_fail(cannot)?;
        health.fails(PART, "not reached yet");
        Ok(Some(Self {
            ways: client.apart().or_fail(cannot)?,
            client,
            key: discord.key.clone(),
            gateway: discord.gateway.then(|| discord.bot_token.clone()),
            application: discord.application.clone(),
            listed: discord.guilds.clone(),
            known: Arc::default(),
            health,
            metrics,
            tasks,
            stop,
        }))
    }

    /// What answers its interactions.
    pub(super) fn edge(&self, app: &App) -> Arc<Edge> {
        Arc::new(Edge {
            app: app.clone(),
            client: self.client.clone(),
            key: self.key.clone(),
            clock: clock::now,
            greet: self.greet(app),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        })
    }

    /// Makes a guild known that delivers and isn't yet, if it is to be served.
    fn greet(&self, app: &App) -> Greet {
        let (guilds, app) = (self.clone(), app.clone());
        Arc::new(move |guild| {
            if guilds.known.has(&guild) {
                return futures_util::future::ready(true).boxed();
            }
            let (guilds, app) = (guilds.clone(), app.clone());
            async move {
                if !guilds.serves(&guild) {
                    guilds.turn_away(&app, &guild).await;
                    return false;
                }
                if let Err(error) = guilds.look(&app, Some(&guild)).await {
                    let error = format!("{error:#}");
                    tracing::warn!(error, guild, "A guild that delivers can't be asked for");
                }
                true
            }
            .boxed()
        })
    }

    fn serves(&self, guild: &str) -> bool {
        self.listed.as_ref().is_none_or(|all| all.contains(guild))
    }

    /// Says once that a guild is not served. One that was before the list is as good as left: its roles decide nothing, and
    /// its people are nobody's.
    async fn turn_away(&self, app: &App, guild: &str) {
        if !self.known.turns_away(guild) {
            return;
        }
        tracing::warn!(
            guild,
            "The bot is in a guild that `[discord] guilds` doesn't list: it is not served"
        );
        let left = Delivery {
            key: format!("unlisted:{guild}:{}", clock::now().timestamp_micros()),
            sender: Sender {
                platform: Platform::Discord,
                installation: guild.to_owned(),
                app: None,
                account: String::new(),
                name: None,
                home: None,
                groups: None,
            },
            event: Event::Uninstalled,
        };
        if let Err(error) = app::handle(app, left).await {
            tracing::warn!(%error, guild, "A guild that is not served can't be marked as left");
        }
    }

    /// Makes the guilds known, registers the command, opens the gateway where one is wanted and this process takes
    /// deliveries, then keeps looking for guilds that the bot is added to. They arrive where this process works for them.
    pub(super) async fn meet(
        &self,
        app: &App,
        edge: Option<Arc<Edge>>,
        arrived: Option<mpsc::Sender<Chat>>,
        stop: &CancellationToken,
    ) {
        self.known.looking.lock().await.arrived = arrived;
        let met = meet::until_met("Discord", WAITS, (&self.health, PART), stop, || {
            self.introduce(app)
        });
        if met.await.is_none() {
            return;
        }
        if let Some((edge, token)) = edge.zip(self.gateway.clone()) {
            self.tasks.spawn(gateway::run(
                edge,
                token,
                gateway::Times::default(),
                stop.clone(),
            ));
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.look(app, None).await {
                tracing::debug!(%error, "Guilds can't be looked for");
            }
        }
    }

    async fn introduce(&self, app: &App) -> anyhow::Result<()> {
        let bot = people::introduce_bot(&self.client).await?;
        let application = &bot.application;
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
            registered,
            "Introduced to Discord"
        );
        if !application.reads_members {
            tracing::warn!(
                "The Server Members intent is off: who has a role is known only once they act; switch it on on the application's page Bot"
            );
        }
        if let (true, Some(there)) = (self.gateway.is_some(), &application.delivers_to) {
            tracing::error!(
                there,
                "The application has an Interactions Endpoint URL: Discord delivers there and nothing over the gateway"
            );
        }
        self.known.looking.lock().await.bot = Some(bot);
        self.look(app, None).await
    }

    /// Makes guilds known that aren't yet; where one is wanted, only if it isn't known and wasn't missed a moment ago.
    async fn look(&self, app: &App, wanted: Option<&str>) -> anyhow::Result<()> {
        let mut looking = self.known.looking.lock().await;
        looking.missed.retain(|_, at| at.elapsed() < BELIEVED);
        let missed = |guild: &str| looking.missed.contains_key(guild);
        if wanted.is_some_and(|guild| self.known.has(guild) || missed(guild)) {
            return Ok(());
        }
        let Some(bot) = &looking.bot else {
            return Ok(());
        };
        let found = self.client.guilds().await?;
        let ids = found.iter().map(|guild| guild.id.clone());
        self.health.in_guilds(ids.collect());
        for guild in found.iter().filter(|guild| !self.serves(&guild.id)) {
            self.turn_away(app, &guild.id).await;
        }
        for guild in found {
            if self.known.has(&guild.id) || !self.serves(&guild.id) {
                continue;
            }
            let chat = people::introduce_guild(app, &self.ways, bot, guild).await?;
            tracing::info!(guild = chat.external, "Introduced to a guild");
            self.known.add(&chat.external);
            if let Some(arrived) = &looking.arrived {
                let _ = arrived.send(chat).await; // refused once the worker has ended
            }
        }
        if let Some(guild) = wanted.filter(|guild| !self.known.has(guild)) {
            looking.missed.insert(guild.to_owned(), Instant::now());
        }
        Ok(())
    }
}
