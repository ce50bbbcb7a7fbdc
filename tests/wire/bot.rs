//! The bot's web side in this process: real routes, verbs and database; Slack is the fake.

use std::collections::BTreeMap;
use std::sync::Arc;

use idp::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts};
use idp::app::{App, Settings, Team};
use idp::catalog::library::Sources;
use idp::catalog::{Known, Library};
use idp::clients::forge::git::Git;
use idp::clients::forge::local::{LocalForge, Place};
use idp::clients::slack::Slack;
use idp::domain::event::PlaceKind;
use idp::domain::id::InstallationId;
use idp::domain::person::{AccountKind, Platform};
use idp::steps::Registry;
use idp::web::health::Health;
use idp::web::metrics::Metrics;
use idp::web::slack::{Edge, socket};
use idp::web::{Web, router};
use idp::worker::sender;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::postgres::Database;
use crate::support::slack::{self, APP, APP_TOKEN, BOT, BOT_TOKEN, Fake, SIGNING_SECRET, TEAM};

/// The secret of GitHub's webhook, and the App that it is of.
pub const WEBHOOK_SECRET: &str = "webhook-secret";
pub const GITHUB_APP: &str = "421337";

/// The token of `/api/requests`.
pub const API_TOKEN: &str = "operators-token";

/// A bot that answers.
pub struct Bot {
    /// Where its routes are.
    pub url: String,
    /// Its verbs.
    pub app: App,
    /// The Slack that it knows.
    pub fake: Fake,
    /// Work that outlives its request.
    pub tasks: TaskTracker,
    /// Ends its socket.
    pub stop: CancellationToken,
    edge: Arc<Edge>,
    installation: InstallationId,
    _folder: tempfile::TempDir,
    _database: Database,
}

impl Bot {
    /// Starts it, with Priya and Alex known as full members and `#platform` as a place to post.
    pub async fn start() -> Self {
        Self::with(Sources::default(), |_| ()).await
    }

    /// The same with other commands or templates, or other settings.
    pub async fn with(sources: Sources, change: impl FnOnce(&mut Settings)) -> Self {
        let fake = Fake::start().await;
        let database = Database::new().await;
        let folder = tempfile::tempdir().unwrap();
        let app = app(&database, folder.path(), sources, change).await;
        let installation = people::record_installation(
            &app,
            &InstallationFacts {
                platform: Platform::Slack,
                external: TEAM.into(),
                name: "Acme".into(),
                app: Some(APP.into()),
                bot_account: Some(BOT.into()),
            },
        )
        .await
        .unwrap();
        let health = Arc::new(Health::new(app.clone()));
        let metrics = Arc::new(Metrics::new(
            prometheus_client::registry::Registry::default(),
        ));
        let tasks = TaskTracker::new();
        let edge = Arc::new(Edge {
            app: app.clone(),
            client: Slack::new(&fake.api_url(), &BOT_TOKEN.to_owned().into()).unwrap(),
            signing_secret: Some(SIGNING_SECRET.to_owned().into()),
            clock: idp::boot::clock::now,
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            tasks: tasks.clone(),
        });
        let github = idp::web::github::Edge::new(
            app.clone(),
            WEBHOOK_SECRET.to_owned().into(),
            "acme".to_owned(),
            Some(GITHUB_APP.to_owned()),
            Arc::clone(&metrics),
        );
        let api = idp::web::api::router(app.clone(), API_TOKEN.to_owned().into());
        let routes = api.merge(router(Web {
            health,
            metrics,
            slack: Some(Arc::clone(&edge)),
            discord: None,
            github: Some(Arc::new(github)),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let bot = Self {
            url,
            app,
            fake,
            tasks,
            stop: CancellationToken::new(),
            edge,
            installation,
            _folder: folder,
            _database: database,
        };
        bot.know("U0PRIYA", AccountKind::Full).await;
        bot.know("U0ALEX", AccountKind::Full).await;
        bot.know_channel(&ChannelFacts {
            external: "C0PLATFORM".into(),
            name: Some("platform".into()),
            kind: PlaceKind::Public,
            usable: Some(true),
            members: Some(vec!["U0PRIYA".into(), "U0ALEX".into()]),
        })
        .await;
        bot
    }

    /// Starts its Socket Mode loop.
    pub fn connect(&self) {
        self.connect_in(socket::Times::default());
    }

    /// Starts its Socket Mode loop with these times.
    pub fn connect_in(&self, times: socket::Times) {
        let run = socket::run(
            Arc::clone(&self.edge),
            APP_TOKEN.to_owned().into(),
            times,
            self.stop.clone(),
        );
        self.tasks.spawn(run);
    }

    /// Starts its sender of messages.
    pub fn sends(&self) {
        let run = sender::run(
            self.app.clone(),
            self.edge.client.clone(),
            self.installation,
            self.stop.clone(),
        );
        self.tasks.spawn(run);
    }

    /// Tells it what a channel is.
    pub async fn know_channel(&self, facts: &ChannelFacts) {
        people::record_channel(&self.app, self.installation, facts)
            .await
            .unwrap();
    }

    /// Tells it what an account is.
    pub async fn know(&self, id: &str, kind: AccountKind) {
        let facts = AccountFacts {
            external: id.into(),
            name: id.trim_start_matches("U0").to_lowercase(),
            kind,
            active: true,
        };
        people::record_account(&self.app, self.installation, &facts)
            .await
            .unwrap();
    }

    /// Somebody types the slash command.
    pub async fn types(&self, user: &str, text: &str) -> slack::Answer {
        let body = slack::form(&slack::command(&self.fake, user, text));
        slack::deliver(&self.url, "/slack/commands", &body).await
    }

    /// Somebody presses or sends something.
    pub async fn interacts(&self, payload: &Value) -> slack::Answer {
        let body = slack::form(&[("payload", payload.to_string())]);
        slack::deliver(&self.url, "/slack/interactions", &body).await
    }

    /// Rows of a table, counted.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql)
            .fetch_one(&self.app.pool)
            .await
            .unwrap()
    }
}

async fn app(
    database: &Database,
    folder: &std::path::Path,
    sources: Sources,
    change: impl FnOnce(&mut Settings),
) -> App {
    let place = Place::open(folder.join("git")).unwrap();
    let forge = LocalForge::new(
        place,
        "http://127.0.0.1:1/git",
        Git::new(std::env::var_os("PATH").unwrap()),
    );
    let groups = [
        ("engineers", vec!["U0PRIYA", "U0ALEX"]),
        ("platform", vec!["U0ALEX"]),
        ("security", vec!["U0ALEX"]),
    ];
    let groups: BTreeMap<String, Vec<String>> = groups
        .into_iter()
        .map(|(handle, ids)| {
            (
                handle.to_owned(),
                ids.into_iter().map(str::to_owned).collect(),
            )
        })
        .collect();
    let payments = Team {
        title: "Payments".into(),
        members: vec!["U0PRIYA".into(), "U0ALEX".into()],
        leads: vec!["U0ALEX".into()],
    };
    let library = Library::open(
        sources,
        Registry::new(Arc::new(forge)).specs(),
        Known::default(),
    );
    assert_eq!(library.current().problems(), []);
    let mut settings = Settings {
        teams: BTreeMap::from([("payments".to_owned(), payments)]),
        groups,
        ..Settings::default()
    };
    change(&mut settings);
    App::new(database.pool(8).await, Arc::new(library), settings)
}
