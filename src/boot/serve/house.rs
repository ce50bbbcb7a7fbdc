//! What all parts share, and the parts as they serve together.

use std::sync::Arc;

use futures_util::FutureExt as _;
use prometheus_client::registry::Registry as Metered;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{after, answer};
use super::forge::forge;
use super::github::{hub, webhook};
use super::introduce::introduce;
use super::role::Role;
use super::work::{Pools, work};
use super::{apart, chat, guilds, reload, settings};
use crate::app::App;
use crate::boot::config::Config;
use crate::boot::database::Database;
use crate::boot::problem::{OrFail as _, Problem};
use crate::boot::shutdown;
use crate::catalog::Library;
use crate::catalog::library::Watching;
use crate::clients::forge::local::LocalForge;
use crate::steps::Registry;
use crate::web::git::GitState;
use crate::web::{self, Web};
use crate::worker::teams::Hub;
use crate::worker::{self, Bench, Patience};

/// What all parts share.
pub(super) struct House {
    pub(super) app: App,
    /// The local forge; none where there is GitHub.
    local: Option<LocalForge>,
    registry: Registry,
    /// The organisation on GitHub, where there is one.
    hub: Option<Hub>,
    _watching: Vec<Watching>,
}

impl House {
    pub(super) fn build(config: &Config, pool: PgPool) -> Result<Self, Problem> {
        let (forge, local) = forge(config)?;
        let secrets = config.secrets.clone().into_iter().collect();
        let registry = Registry::with_secrets(forge, secrets);
        let actions = registry.specs();
        let known = settings::known(&config.organisation, settings::github(config), &actions);
        let library = Library::open(settings::sources(config), actions, known);
        for problem in library.current().problems() {
            tracing::error!(%problem, "A definition is broken; `idp check` says more");
        }
        let app = App::new(pool, Arc::new(library), settings::settings(config)?);
        let watching = [
            reload::definitions(&app)?,
            Some(reload::configuration(&app, &config.file)?),
        ];
        Ok(Self {
            app,
            local,
            registry,
            hub: hub(config)?,
            _watching: watching.into_iter().flatten().collect(),
        })
    }

    pub(super) async fn serve(
        &self,
        config: &Config,
        role: Role,
        database: &Database,
        stop: &CancellationToken,
    ) -> Result<(), Problem> {
        let health = Arc::new(web::health::Health::new(self.app.clone()));
        let metrics = Arc::new(web::metrics::Metrics::new(Metered::default()));
        let tasks = TaskTracker::new();
        let chat = chat::Chat::of(
            config,
            Arc::clone(&health),
            Arc::clone(&metrics),
            tasks.clone(),
        )?;
        let edge = chat
            .as_ref()
            .filter(|_| role.web())
            .map(|chat| chat.edge(&self.app));

        let guilds = guilds::Guilds::of(
            config,
            Arc::clone(&health),
            Arc::clone(&metrics),
            (tasks.clone(), stop.clone()),
        )?;
        if chat.is_none() && guilds.is_none() {
            tracing::warn!("No chat is configured; `docs/slack.md` and `docs/discord.md` say how");
        }
        let discord = guilds
            .as_ref()
            .filter(|_| role.web())
            .map(|guilds| guilds.edge(&self.app));

        let listener = TcpListener::bind(config.listen)
            .await
            .or_fail(format!("can't listen on {}", config.listen))?;
        let address = listener
            .local_addr()
            .or_fail("can't tell the own address")?;
        let github = role
            .web()
            .then(|| webhook(config, &self.app, &metrics))
            .flatten();
        let web = Web {
            health: Arc::clone(&health),
            metrics,
            slack: edge.clone(),
            discord: discord.clone(),
            github,
        };
        let mut router = web::router(web);
        if let Some(local) = &self.local {
            router = router
                .merge(web::git::router(self.git(local, config.is_open())))
                .merge(web::login::router(self.app.clone()));
        }
        if let Some(token) = &config.api_token {
            router = router.merge(web::api::router(self.app.clone(), token.clone()));
        }

        let (arrived, arrives) = mpsc::channel(16);
        let platforms = (chat.zip(Some(edge)), guilds.zip(Some(discord)));
        tasks.spawn(introduce(
            self.app.clone(),
            platforms,
            role.works().then_some(arrived),
            stop.clone(),
        ));
        let workers = TaskTracker::new();
        if role.works() {
            let pools = Pools::of(database);
            let bench = self.bench(&pools, stop);
            let working = apart::begin("worker", work(bench, arrives, pools.queue, stop.clone()))
                .or_fail("can't start a thread")?;
            workers.spawn(working);
        }
        tracing::info!(%address, ?role, "Serving");
        let serving = async {
            answer(listener, router, health, stop).await?;
            stop.cancel();
            tokio::join!(
                shutdown::drain("answers", &tasks),
                shutdown::drain("workers", &workers)
            );
            Ok::<_, Problem>(())
        };
        // One deadline over everything, from the stop on.
        tokio::select! {
            served = serving => served,
            () = after(stop, shutdown::PATIENCE) => {
                let (answers, workers) = (tasks.len(), workers.len());
                tracing::warn!(answers, workers, "Not everything ended in time");
                Ok(())
            }
        }
    }

    fn bench(&self, pools: &Pools, stop: &CancellationToken) -> Bench {
        Bench {
            app: App {
                pool: pools.jobs.clone(),
                ..self.app.clone()
            },
            registry: self.registry.clone(),
            chats: worker::Chats::default(),
            hub: self.hub.clone(),
            patience: Patience::default(),
            alone: worker::Alone::default(),
            stop: stop.clone(),
        }
    }

    /// The local forge's pages: `open` to this machine, closed to all others until they bring a token.
    fn git(&self, local: &LocalForge, open: bool) -> GitState {
        let app = self.app.clone();
        let verify: web::git::Verify = Arc::new(move |token: String| {
            let app = app.clone();
            async move {
                let person = crate::app::login::holder(&app, &token.into()).await?;
                Ok(person.map(|person| person.to_string()))
            }
            .boxed()
        });
        GitState::new(local.clone(), open, verify)
    }
}
