//! The gateway's connection by itself: in this process, with times short enough to be waited for where a test is about one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use idp::app::gateway::{Session, forget, keep, kept};
use idp::app::lease::{Lease, RENEW};
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
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::discord::{
    APPLICATION, BOT, BOT_TOKEN, Fake, Fault, GUILD, OTHER_TOKEN, PLATFORM, PRIYA,
};
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

    fn connect(&self) -> JoinHandle<()> {
        self.connect_in(Times {
            first_wait: Duration::ZERO,
            ..Times::default()
        })
    }

    fn connect_in(&self, times: Times) -> JoinHandle<()> {
        self.connect_as(BOT_TOKEN, times)
    }

    fn connect_as(&self, token: &str, times: Times) -> JoinHandle<()> {
        tokio::spawn(gateway::run(
            Arc::clone(&self.edge),
            token.to_owned().into(),
            times,
            self.stop.clone(),
        ))
    }

    /// The process is told to stop, and says goodbye.
    async fn stops(&self) {
        self.stop.cancel();
        until("no goodbye", async || {
            (self.discord.connected() == 0).then_some(())
        })
        .await;
        until("the word is not free", async || {
            let held = sqlx::query_scalar::<_, i64>("select count(*) from lease");
            let held = held.fetch_one(&self.app.pool).await.ok()?;
            (held == 0).then_some(())
        })
        .await;
    }

    /// The process ends in the middle of it all; its word runs out at once.
    async fn crashes(&self, process: JoinHandle<()>) {
        process.abort();
        until("the line stays", async || {
            (self.discord.connected() == 0).then_some(())
        })
        .await;
        self.expires().await;
    }

    /// Nobody renews the word.
    async fn expires(&self) {
        let expire = sqlx::query("update lease set until = idp_now()");
        expire.execute(&self.app.pool).await.unwrap();
    }

    /// The same bot as the process after this one has it.
    fn next(self) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let before = &self.edge;
        let edge = Arc::new(Edge {
            app: before.app.clone(),
            client: before.client.clone(),
            key: None,
            clock: before.clock,
            greet: Arc::clone(&before.greet),
            health: Arc::clone(&before.health),
            metrics: Arc::clone(&before.metrics),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        Self {
            edge,
            tasks,
            stop,
            ..self
        }
    }

    /// What is kept of the session.
    async fn kept(&self) -> Option<(String, i64)> {
        let kept = sqlx::query_as("select session, sequence from gateway_session");
        kept.fetch_optional(&self.app.pool).await.unwrap()
    }

    /// Waits until an interaction has an answer.
    async fn answered(&self, payload: &Value) -> Value {
        let id = payload["id"].as_str().unwrap();
        until("no answer to an interaction", async || {
            self.discord.answers(id).into_iter().next()
        })
        .await
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
    line.stops().await;
    assert_eq!(line.discord.lines(), (1, 1));
    line.tasks.close();
    tokio::time::timeout(Duration::from_secs(10), line.tasks.wait())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_goes_on_in_the_next_process() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.discord.tells(&line.help()).await;
    line.stops().await;
    let heard = line.discord.newest_session();
    assert_eq!(line.kept().await.as_ref(), Some(&heard));
    let missed = line.help();
    line.discord.happens("INTERACTION_CREATE", &missed);

    let line = line.next();
    line.connect();
    let answer = line.answered(&missed).await;
    assert_eq!(answer["type"], 4, "{answer}");
    assert_eq!(line.discord.introductions().len(), 1);
    assert_eq!(line.discord.resumptions(), [heard]);
    assert_eq!(line.inbox().await, 2);
}

#[tokio::test]
async fn a_session_goes_on_after_a_crash_and_what_is_told_again_counts_once() {
    let line = Line::start().await;
    let process = line.connect();
    line.connected().await;
    let (session, before) = line.discord.newest_session();
    let heard = line.help();
    line.discord.tells(&heard).await;
    let whole = line.discord.newest_session();
    until("it isn't kept how far was heard", async || {
        (line.kept().await.as_ref() == Some(&whole)).then_some(())
    })
    .await;
    line.crashes(process).await;
    // As if it had crashed before it kept the last: that one is told again.
    let less = sqlx::query("update gateway_session set sequence = $1").bind(before);
    less.execute(&line.app.pool).await.unwrap();
    let missed = line.help();
    line.discord.happens("INTERACTION_CREATE", &missed);

    let line = line.next();
    line.connect();
    line.answered(&missed).await;
    until("it is not told again", async || {
        (line.discord.calls(ANSWER) == 3).then_some(())
    })
    .await;
    assert_eq!(line.discord.introductions().len(), 1);
    assert_eq!(line.discord.resumptions(), [(session, before)]);
    let answers = line.discord.answers(heard["id"].as_str().unwrap());
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(line.inbox().await, 2);
}

#[tokio::test]
async fn it_is_kept_that_something_was_heard_once_it_was_learned_from() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    let (_, before) = line.discord.newest_session();
    // Whoever learns from anything waits for this.
    let mut held = line.app.pool.begin().await.unwrap();
    sqlx::query("lock table inbox in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let told = json!({ "guild_id": GUILD, "role": { "id": "1", "name": "Engineers" } });
    line.discord.happens("GUILD_ROLE_UPDATE", &told);
    let whole = line.discord.newest_session();
    tokio::time::sleep(RENEW * 2).await;
    let (_, sequence) = until("nothing is kept", async || line.kept().await).await;
    assert!(sequence <= before, "{sequence} of {whole:?}");
    held.rollback().await.unwrap();
    until("it isn't kept once it was learned from", async || {
        (line.kept().await.as_ref() == Some(&whole)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_kept_session_that_discord_forgot_is_begun_anew() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.stops().await;
    line.discord.forgets_sessions();
    let line = line.next();
    line.connect();
    line.connected().await;
    line.discord.tells(&line.help()).await;
    assert_eq!(line.discord.introductions().len(), 2);
    assert_eq!(line.discord.resumptions().len(), 1, "it is tried once");
}

#[tokio::test]
async fn a_kept_session_of_another_application_is_begun_anew() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.stops().await;
    let (theirs, _) = line.kept().await.unwrap();
    // The database is given to another bot at once.
    let line = line.next();
    line.connect_as(
        OTHER_TOKEN,
        Times {
            first_wait: Duration::ZERO,
            ..Times::default()
        },
    );
    line.connected().await;
    line.discord.tells(&line.help()).await;
    assert_eq!(line.discord.introductions().len(), 2);
    assert_eq!(line.discord.resumptions().len(), 1, "it is tried once");
    until("its own session isn't kept", async || {
        let (session, _) = line.kept().await?;
        (session != theirs).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_session_that_discord_closes_for_good_is_begun_anew() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    // "Session timed out. Reconnect and start a new one."
    line.discord.closes(4_009);
    until("not begun anew", async || {
        (line.discord.introductions().len() == 2).then_some(())
    })
    .await;
    line.connected().await;
    assert!(line.discord.resumptions().is_empty());
}

#[tokio::test]
async fn a_session_that_asked_for_something_else_is_not_gone_on_with() {
    let line = Line::start().await;
    line.connect();
    line.connected().await;
    line.stops().await;
    assert!(line.kept().await.is_some());
    line.discord.without_members();
    let line = line.next();
    line.connect();
    line.connected().await;
    assert_eq!(line.discord.introductions().len(), 2);
    assert!(line.discord.resumptions().is_empty());
}

#[tokio::test]
async fn only_who_has_the_word_keeps_the_session_and_it_is_good_for_minutes() {
    let line = Line::start().await;
    let [one, other] = [(); 2].map(|()| Lease::new("gateway:0/1".to_owned()));
    let session = |id: &str| Session {
        id: id.to_owned(),
        sequence: 7,
        resume_url: None,
        intents: 1,
    };
    let app = &line.app;
    assert!(keep(app, &one, &session("first")).await.unwrap());
    assert!(!keep(app, &other, &session("second")).await.unwrap());
    forget(app, &other).await.unwrap();
    assert_eq!(kept(app, &other).await.unwrap(), Some(session("first")));
    line.expires().await;
    assert!(keep(app, &other, &session("second")).await.unwrap());
    assert!(!keep(app, &one, &session("first")).await.unwrap());
    forget(app, &one).await.unwrap();
    assert_eq!(kept(app, &one).await.unwrap(), Some(session("second")));
    let old = sqlx::query("update gateway_session set kept_at = kept_at - interval '6 minutes'");
    old.execute(&app.pool).await.unwrap();
    assert_eq!(kept(app, &other).await.unwrap(), None);
    assert!(keep(app, &other, &session("second")).await.unwrap());
    forget(app, &other).await.unwrap();
    assert_eq!(line.kept().await, None);
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
