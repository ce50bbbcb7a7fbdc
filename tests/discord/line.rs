//! The gateway's connection by itself: in this process, with times short enough to be waited for where a test is about one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use idp::app::people::{self, InstallationFacts};
use idp::app::{App, Settings};
use idp::catalog::library::Sources;
use idp::catalog::{Known, Library};
use idp::clients::discord::Discord;
use idp::domain::person::Platform;
use idp::web::discord::Edge;
use idp::web::discord::gateway::{self, Times};
use idp::web::health::Health;
use idp::web::metrics::Metrics;
use idp::web::{Web, router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::discord::{APPLICATION, BOT, BOT_TOKEN, Fake, Fault, GUILD, PLATFORM, PRIYA};
use crate::support::postgres::Database;
use crate::support::serve::until;

const ANSWER: &str = "POST /interactions/:id/:token/callback";
const POST: &str = "POST /channels/:id/messages";
/// Short enough to be waited for.
const SOON: Duration = Duration::from_millis(200);

/// A bot that is reached over the gateway alone.
struct Line {
    url: String,
    app: App,
    discord: Fake,
    edge: Arc<Edge>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _database: Database,
}

impl Line {
    async fn start() -> Self {
        let database = Database::new().await;
        let discord = Fake::start().await;
        discord.without_endpoint();
        let library = Library::open(Sources::default(), Vec::new(), Known::default());
        let pool = database.pool(8).await;
        let app = App::new(pool, Arc::new(library), Settings::default());
        let facts = InstallationFacts {
            platform: Platform::Discord,
            external: GUILD.to_owned(),
            name: "Acme".to_owned(),
            app: Some(APPLICATION.to_owned()),
            bot_account: Some(BOT.to_owned()),
        };
        people::record_installation(&app, &facts).await.unwrap();
        let health = Arc::new(Health::new(app.clone()));
        let metrics = Arc::new(Metrics::new(
            prometheus_client::registry::Registry::default(),
        ));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let edge = Arc::new(Edge {
            app: app.clone(),
            client: Discord::new(&discord.url, &BOT_TOKEN.to_owned().into()).unwrap(),
            key: None,
            clock: idp::boot::clock::now,
            greet: Arc::new(|_| std::future::ready(true).boxed()),
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let routes = router(Web {
            health,
            metrics,
            slack: None,
            discord: Some(Arc::clone(&edge)),
            github: None,
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            url,
            app,
            discord,
            edge,
            tasks,
            stop,
            _database: database,
        }
    }

    fn connect(&self) {
        self.connect_in(Times {
            first_wait: Duration::ZERO,
            ..Times::default()
        });
    }

    fn connect_in(&self, times: Times) {
        self.connect_as(BOT_TOKEN, times);
    }

    fn connect_as(&self, token: &str, times: Times) {
        tokio::spawn(gateway::run(
            Arc::clone(&self.edge),
            token.to_owned().into(),
            times,
            self.stop.clone(),
        ));
    }

    async fn connected(&self) {
        until("never connected", async || {
            (self.discord.connected() == 1).then_some(())
        })
        .await;
    }

    fn help(&self) -> Value {
        let data = json!({ "id": "1", "name": "idp", "type": 1, "options": [{ "type": 1, "name": "help" }] });
        self.discord.interaction(PRIYA, 2, &data)
    }

    async fn inbox(&self) -> i64 {
        let query = sqlx::query_scalar("select count(*) from inbox where kind = 'asked'");
        query.fetch_one(&self.app.pool).await.unwrap()
    }

    async fn ready(&self) -> (u16, String) {
        let answer = reqwest::get(format!("{}/readyz", self.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Waits until `/readyz` says this.
    async fn tells(&self, words: &str) {
        until(words, async || {
            let (status, told) = self.ready().await;
            (status == 503 && told.contains(words)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_line_that_drops_is_resumed_and_hears_what_was_missed_once() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.discord.tells(&line.help()).await;
    line.discord.cuts();
    let missed = line.help();
    let answer = line.discord.tells(&missed).await;
    assert_eq!(answer["type"], 4, "{answer}");
    assert_eq!(line.discord.introductions().len(), 1);
    assert!(line.discord.resumed() >= 1);
    assert_eq!(line.inbox().await, 2);
}

#[tokio::test]
async fn a_line_that_is_to_reconnect_does_and_one_whose_session_is_forgotten_begins_anew() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.discord.asks_to_reconnect();
    until("not resumed", async || {
        (line.discord.resumed() == 1).then_some(())
    })
    .await;
    line.connected().await;
    line.discord.forgets_sessions();
    line.discord.closes(4_000);
    until("not begun anew", async || {
        (line.discord.introductions().len() == 2).then_some(())
    })
    .await;
    line.connected().await;
    line.discord.tells(&line.help()).await;
}

#[tokio::test]
async fn a_line_that_never_greets_is_given_up() {
    let line = Line::start().await;
    line.discord.greets_nobody_once();
    line.connect_in(Times {
        greeting: SOON,
        first_wait: Duration::ZERO,
        ..Times::default()
    });
    line.connected().await;
    until("the mute line stays", async || {
        (line.discord.lines() == (2, 1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_line_is_kept_alive() {
    let line = Line::start().await;
    line.discord.wants_beats(SOON / 10);
    line.connect();
    until("no signs of life", async || {
        (line.discord.beats() > 20).then_some(())
    })
    .await;
    assert_eq!(line.discord.lines(), (1, 0));
}

#[tokio::test]
async fn a_refused_token_is_told_and_not_tried_again_soon() {
    let line = Line::start().await;
    line.connect_as("another", Times::default());
    line.tells("discord gateway: Discord refuses the token (4004)")
        .await;
    assert_eq!(line.discord.introductions().len(), 1);
}

#[tokio::test]
async fn intents_that_are_not_granted_are_named() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    until("never ready", async || {
        (line.ready().await.0 == 200).then_some(())
    })
    .await;
    line.discord.closes(4_014);
    line.tells("discord gateway: Discord doesn't grant the intents (4014)")
        .await;
}

#[tokio::test]
async fn a_stop_says_goodbye_and_frees_the_word() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.discord.tells(&line.help()).await;
    line.stop.cancel();
    until("no goodbye", async || {
        (line.discord.lines() == (1, 1)).then_some(())
    })
    .await;
    line.tasks.close();
    tokio::time::timeout(Duration::from_secs(10), line.tasks.wait())
        .await
        .unwrap();
    until("the word is not free", async || {
        let held = sqlx::query_scalar::<_, i64>("select count(*) from lease");
        let held = held.fetch_one(&line.app.pool).await.ok()?;
        (held == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_sent_again_and_counts_once() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    for (done, calls) in [(false, 2), (true, 4)] {
        let fault = Fault {
            status: 502,
            headers: Vec::new(),
            body: Value::Null,
            done,
        };
        line.discord.fault(ANSWER, fault);
        let payload = line.help();
        line.discord.tells(&payload).await;
        until("not sent again", async || {
            (line.discord.calls(ANSWER) == calls).then_some(())
        })
        .await;
        let answers = line.discord.answers(payload["id"].as_str().unwrap());
        assert_eq!(answers.len(), 1, "{answers:#?}");
    }
}

#[tokio::test]
async fn what_comes_too_late_for_an_answer_goes_to_direct_messages() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    let gone = Fault {
        status: 404,
        headers: Vec::new(),
        body: json!({ "code": 10_062 }),
        done: false,
    };
    line.discord.fault(ANSWER, gone);
    line.discord.happens("INTERACTION_CREATE", &line.help());
    let told = until("nothing in direct messages", async || {
        let direct = line.discord.messages(&format!("9{PRIYA}"));
        direct.into_iter().next()
    })
    .await;
    assert!(told["content"].as_str().unwrap().contains("/idp"), "{told}");
    assert_eq!(line.discord.refused(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_waits_for_as_long_as_discord_asks() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    let limited = Fault {
        status: 429,
        headers: Vec::new(),
        body: json!({ "retry_after": 0.3 }),
        done: false,
    };
    line.discord.fault(ANSWER, limited);
    let began = std::time::Instant::now();
    let answer = line.discord.tells(&line.help()).await;
    assert_eq!(answer["type"], 4, "{answer}");
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(line.discord.calls(ANSWER), 2);
}

#[tokio::test]
async fn what_discord_does_not_take_as_an_answer_stands_once_in_direct_messages() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    let down = |done| Fault {
        status: 502,
        headers: Vec::new(),
        body: Value::Null,
        done,
    };
    for _ in 0..20 {
        line.discord.fault(ANSWER, down(false));
    }
    // It stands, and nobody hears of it.
    line.discord.fault(POST, down(true));
    line.discord.happens("INTERACTION_CREATE", &line.help());
    until("not posted again", async || {
        (line.discord.calls(POST) == 2).then_some(())
    })
    .await;
    let told = line.discord.messages(&format!("9{PRIYA}"));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].to_string().contains("/idp"), "{told:#?}");
}

#[tokio::test]
async fn odd_words_on_the_line_are_survived() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    let place = |more: Value| {
        let mut told = json!({ "guild_id": GUILD, "channel_id": PLATFORM });
        told.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        told
    };
    for (name, data) in [
        ("INTERACTION_CREATE", json!(7)),
        ("INTERACTION_CREATE", json!({ "type": "2" })),
        ("GUILD_CREATE", json!([])),
        ("MESSAGE_DELETE", place(json!({}))),
        (
            "MESSAGE_DELETE_BULK",
            place(json!({ "ids": [1, null, "9"] })),
        ),
        ("GUILD_MEMBER_UPDATE", place(json!({ "roles": "all" }))),
        (
            "THREAD_DELETE",
            place(json!({ "id": "1", "parent_id": "2" })),
        ),
        ("NOVELTY", place(json!({}))),
    ] {
        line.discord.happens(name, &data);
    }
    line.discord.tells(&line.help()).await;
    assert_eq!(line.discord.lines(), (1, 0));
}
