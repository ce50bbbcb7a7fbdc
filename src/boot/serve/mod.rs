//! `idp serve`: the parts put together, started in the order in which they need each other, and stopped in reverse.
//!
//! Readiness goes off first, so that no new work comes; then sockets and HTTP drain, workers finish or hand back what
//! they hold, pools close, and a managed Postgres goes last.

mod apart;
mod chat;
mod guilds;
mod meet;
mod reload;
pub(in crate::boot) mod settings;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt as _;
use graphile_worker::WorkerOptions;
use prometheus_client::registry::Registry as Metered;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::Config;
use super::database::Database;
use super::problem::{OrFail as _, Problem};
use super::{clock, postgres, schema, shutdown};
use crate::app::link::listed;
use crate::app::{App, audit, configured};
use crate::catalog::Library;
use crate::catalog::library::Watching;
use crate::clients::forge::Forge;
use crate::clients::forge::git::Git;
use crate::clients::forge::github::device::DeviceFlow;
use crate::clients::forge::github::directory::Directory;
use crate::clients::forge::github::{Credentials, GitHubForge};
use crate::clients::forge::local::{LocalForge, Place};
use crate::steps::Registry;
use crate::web::git::GitState;
use crate::web::{self, Web};
use crate::worker::teams::Hub;
use crate::worker::{self, Bench, Patience};

/// Connections for what people wait for, besides those kept at hand: each delivery holds one for a few milliseconds.
const WEB_CONNECTIONS: u32 = 10;
/// Jobs at work at a time in one process: steps mostly wait for the network.
const JOBS: usize = 8;
/// Connections of what works: one for each job and each of a sender's eight posts, and one each for the ear of all senders,
/// a lease, the tick and the sync of people. All of them hold one only for the length of a transaction (but for the
/// ear), so fewer do; who finds none waits.
const JOB_CONNECTIONS: u32 = 16;
/// The queue's own, apart from all others: signs of life must never wait for a connection (a worker without any is
/// taken for dead). One for each job that ends, and a few for fetching, sweeping and listening.
const QUEUE_CONNECTIONS: u32 = 12;
/// How long HTTP drains: what is asked for is answered in moments, and a connection that is only held open
/// isn't waited for.
const HTTP_PATIENCE: Duration = Duration::from_secs(10);
/// How long work waits for a connection: a busy database makes it late, never dead.
const WORK_PATIENCE: Duration = Duration::from_secs(30);

/// Which part of the work this process does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Deliveries and pages.
    Web,
    /// Jobs and messages.
    Worker,
}

impl Role {
    const fn web(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// Serves until `stop` is cancelled.
pub async fn run(
    config: &Config,
    role: Role,
    report: postgres::Report<'_>,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let database = Database::open(config, report).await?;
    let served = with_database(config, role, &database, stop).await;
    let closed = database.close().await;
    served.and(closed)
}

async fn with_database(
    config: &Config,
    role: Role,
    database: &Database,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let pool = database.pool(WEB_CONNECTIONS).await?;
    if database.is_managed() {
        schema::migrate(&pool).await?;
    } else {
        schema::check(&pool).await?;
    }
    let house = House::build(config, pool.clone())?;
    keyed(&house.app).await?;
    configured::started(&house.app)
        .await
        .or_fail("can't keep the configuration as evidence")?;
    listed::apply(&house.app)
        .await
        .or_fail("can't link the people of the configuration")?;
    let served = house.serve(config, role, database, &stop).await;
    stop.cancel();
    pool.close().await;
    served
}

/// Refuses a state key that isn't the database's: a machine without one makes its own, and two that differ would each
/// take the other's checkpoints for forged.
async fn keyed(app: &App) -> Result<(), Problem> {
    let ours = audit::key_is_ours(app)
        .await
        .or_fail("can't look at the state key")?;
    if ours {
        return Ok(());
    }
    Err(Problem::failed("the state key is not the one that this database was begun with").hint(format!(
        "set `IDP_STATE_KEY` to that one, or put back the file `{}` of the data folder: all replicas share one",
        settings::KEY_FILE
    )))
}

/// What all parts share.
struct House {
    app: App,
    /// The local forge; none where there is GitHub.
    local: Option<LocalForge>,
    registry: Registry,
    /// The organisation on GitHub, where there is one.
    hub: Option<Hub>,
    _watching: Vec<Watching>,
}

impl House {
    fn build(config: &Config, pool: PgPool) -> Result<Self, Problem> {
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

    async fn serve(
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
            let pools = Pools {
                jobs: database.lazy_pool(JOB_CONNECTIONS, WORK_PATIENCE),
                queue: database.lazy_pool(QUEUE_CONNECTIONS, WORK_PATIENCE),
            };
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

/// Answers over HTTP until told to stop; what was begun by then ends, as far as that takes no longer than it should.
async fn answer(
    listener: TcpListener,
    router: Router,
    health: Arc<web::health::Health>,
    stop: &CancellationToken,
) -> Result<(), Problem> {
    let draining = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            health.fails("process", "stopping");
        }
    };
    let routes = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(draining);
    tokio::select! {
        served = serving.into_future() => served.or_fail("the web server broke"),
        () = after(stop, HTTP_PATIENCE) => {
            tracing::warn!("HTTP connections didn't end within {HTTP_PATIENCE:?}");
            Ok(())
        }
    }
}

/// Resolves so long after the stop.
async fn after(stop: &CancellationToken, patience: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(patience).await;
}

/// Connections of the worker's parts.
struct Pools {
    jobs: PgPool,
    queue: PgPool,
}

/// The chat platforms, each with what answers its deliveries.
type Platforms = (
    Option<(chat::Chat, Option<Arc<web::slack::Edge>>)>,
    Option<(guilds::Guilds, Option<Arc<web::discord::Edge>>)>,
);

/// Makes the platforms known, and lets their deliveries in where this process takes them. Each is told to the worker, where
/// there is one, from when it answers.
async fn introduce(
    app: App,
    (slack, discord): Platforms,
    arrived: Option<mpsc::Sender<worker::Chat>>,
    stop: CancellationToken,
) {
    let slack = async {
        if let Some((chat, edge)) = slack
            && let Some(chat) = chat.meet(&app, edge, &stop).await
            && let Some(arrived) = &arrived
        {
            let _ = arrived.send(chat).await; // refused once the worker has ended
        }
    };
    let discord = async {
        if let Some((guilds, edge)) = discord {
            guilds.meet(&app, edge, arrived.clone(), &stop).await;
        }
    };
    tokio::join!(slack, discord);
}

/// Works until told to stop.
async fn work(
    bench: Bench,
    arrives: mpsc::Receiver<worker::Chat>,
    queue: PgPool,
    stop: CancellationToken,
) {
    // However this ends, also by a panic: half a process is worse than none.
    let _whole = stop.clone().drop_guard();
    let pool = queue.clone();
    let factory: worker::queue::Factory =
        Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
    let jobs = bench.app.pool.clone();
    if let Err(error) = worker::run(bench, arrives, factory, JOBS).await {
        // The process ends, and whoever supervises it starts a whole one.
        tracing::error!(%error, "Stopping");
        stop.cancel();
    }
    jobs.close().await;
    queue.close().await;
}

/// The verbs alone, for a command that asks and ends.
pub(in crate::boot) fn verbs(config: &Config, pool: PgPool) -> Result<App, Problem> {
    let actions = crate::steps::specs(settings::forge_kind(config));
    let known = settings::known(&config.organisation, settings::github(config), &actions);
    let library = Arc::new(Library::open(settings::sources(config), actions, known));
    Ok(App::new(pool, library, settings::settings(config)?))
}

/// GitHub's webhook, where it has a secret. An App's number comes with its deliveries, its client id does not.
fn webhook(
    config: &Config,
    app: &App,
    metrics: &Arc<web::metrics::Metrics>,
) -> Option<Arc<web::github::Edge>> {
    let github = config.github.as_ref()?;
    let secret = github.webhook_secret.clone()?;
    let app_id = app_id(&github.forge.credentials);
    let organisation = github.forge.organisation.clone();
    let edge = web::github::Edge::new(
        app.clone(),
        secret,
        organisation,
        app_id,
        Arc::clone(metrics),
    );
    Some(Arc::new(edge))
}

/// Our App's number, where we are one and it is known: an App may also be configured by its client id.
fn app_id(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::App { id, .. } => id.parse::<u64>().ok().map(|id| id.to_string()),
        Credentials::Token(_) => None,
    }
}

/// The organisation on GitHub, for whoever reads its people.
fn hub(config: &Config) -> Result<Option<Hub>, Problem> {
    let Some(github) = &config.github else {
        return Ok(None);
    };
    let directory =
        Directory::new(&github.forge, Arc::new(clock::now)).or_fail("can't reach for GitHub")?;
    let device = github.client_id.clone().map(|client_id| {
        DeviceFlow::new(&github.forge.git_url, &github.forge.api_url, client_id)
            .or_fail("can't reach for GitHub")
    });
    Ok(Some(Hub {
        directory: Arc::new(directory),
        device: device.transpose()?,
        app_id: app_id(&github.forge.credentials),
    }))
}

/// The forge that repositories stand on, and the local one if it is that.
fn forge(config: &Config) -> Result<(Arc<dyn Forge>, Option<LocalForge>), Problem> {
    if let Some(github) = &config.github {
        let forge = GitHubForge::new(github.forge.clone(), git(), Arc::new(clock::now))
            .or_fail("can't reach for GitHub")?;
        return Ok((Arc::new(forge), None));
    }
    let place = Place::open(config.data_dir.join("git")).or_fail("can't open the local forge")?;
    let url = match &config.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{}", config.listen),
    };
    let local = LocalForge::new(place, url, git());
    Ok((Arc::new(local.clone()), Some(local)))
}

/// Git as forges start it.
pub(in crate::boot) fn git() -> Git {
    Git::new(search_path())
}

/// Where programs are looked for.
fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
