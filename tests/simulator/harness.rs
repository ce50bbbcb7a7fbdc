//! A simulator on a free port with a clock that can be moved, and an app of a few lines behind real HTTP.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use idp::sandbox::{
    Delivery, Levers, Paths, Sandbox, SandboxConfig, serve,
    world::{Post, World},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// A running simulator.
pub struct Sim {
    pub world: Arc<World>,
    pub base: Url,
    moved: Arc<AtomicI64>,
    http: reqwest::Client,
    _sandbox: Sandbox,
}

impl Sim {
    /// With these changes to the ordinary configuration.
    pub async fn start(configure: impl FnOnce(&mut SandboxConfig)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let moved = Arc::new(AtomicI64::new(0));
        let offset = Arc::clone(&moved);
        let clock = move || now() + TimeDelta::seconds(offset.load(Ordering::Relaxed));
        let mut config = SandboxConfig::new(Arc::new(clock));
        configure(&mut config);
        let sandbox = serve(config, listener, Levers::default(), std::future::pending()).unwrap();
        Self {
            base: sandbox.world.base().clone(),
            world: Arc::clone(&sandbox.world),
            moved,
            http: reqwest::Client::new(),
            _sandbox: sandbox,
        }
    }

    /// Delivering to this app over HTTP.
    pub async fn with_app(app: &App) -> Self {
        Self::with_apps(&[app]).await
    }

    /// Delivering to these apps in turn.
    pub async fn with_apps(apps: &[&App]) -> Self {
        let targets = apps.iter().map(|app| app.url.clone()).collect();
        Self::start(|config| {
            config.delivery = Delivery::Http {
                targets,
                paths: Paths::default(),
            };
        })
        .await
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: i64) {
        self.moved.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A Web API call with the bot's token: HTTP status, `Retry-After`, answer.
    pub async fn call_raw(&self, method: &str, args: Value) -> (u16, Option<u64>, Value) {
        let token = if method.starts_with("apps.") {
            "xapp-sandbox-app"
        } else {
            "xoxb-sandbox-bot"
        };
        let url = self.base.join(&format!("api/{method}")).unwrap();
        let response = self
            .http
            .post(url)
            .bearer_auth(token)
            .json(&args)
            .send()
            .await
            .unwrap();
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().parse().unwrap());
        (
            response.status().as_u16(),
            retry_after,
            response.json().await.unwrap(),
        )
    }

    /// A Web API call that should work.
    pub async fn call(&self, method: &str, args: Value) -> Value {
        let (_, _, answer) = self.call_raw(method, args).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer
    }

    /// The error of a Web API call that shouldn't.
    pub async fn refused(&self, method: &str, args: Value) -> String {
        let (_, _, answer) = self.call_raw(method, args).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// Posts to a response URL: status and answer.
    pub async fn answer_url(&self, url: &str, body: Value) -> (u16, Value) {
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The id of a channel.
    pub fn channel(&self, name: &str) -> String {
        self.world.channel(name).unwrap().id
    }

    /// What a person sees in a channel.
    pub fn sees(&self, person: &str, channel: &str) -> Vec<Post> {
        self.world.timeline(person, channel).unwrap()
    }

    /// The texts that a person sees in a channel.
    pub fn texts(&self, person: &str, channel: &str) -> Vec<String> {
        self.sees(person, channel)
            .into_iter()
            .map(|post| post.message.text)
            .collect()
    }
}

/// What the app got.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    /// The payload inside: a form's fields, its `payload` opened, or JSON.
    pub fn payload(&self) -> Value {
        if self.headers["content-type"] == "application/json" {
            return serde_json::from_str(&self.body).unwrap();
        }
        let form: Vec<(String, String)> = url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect();
        match form.iter().find(|(name, _)| name == "payload") {
            Some((_, payload)) => serde_json::from_str(payload).unwrap(),
            None => form
                .into_iter()
                .map(|(name, value)| (name, json!(value)))
                .collect(),
        }
    }

    /// What is to be given back, when an address is verified.
    fn challenge(&self) -> Option<Value> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        (body["type"] == "url_verification").then(|| body["challenge"].clone())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What the app does with a delivery.
#[derive(Clone, Debug)]
pub enum Answer {
    Empty,
    Json(Value),
    Status(u16),
    StatusNoRetry(u16),
    Never,
}

type Script = Box<dyn Fn(&Received) -> Answer + Send + Sync>;

/// An app: writes down what it gets and answers as its script says.
pub struct App {
    pub url: Url,
    state: Arc<AppState>,
}

struct AppState {
    received: Mutex<Vec<Received>>,
    script: Script,
    /// Whether it gives back challenges.
    gives_back: AtomicBool,
}

impl App {
    pub async fn start(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::new(AppState {
            received: Mutex::default(),
            script: Box::new(script),
            gives_back: AtomicBool::new(true),
        });
        let router = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&state));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, state }
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Lets it give back challenges, or something else.
    pub fn gives_back(&self, challenges: bool) {
        self.state.gives_back.store(challenges, Ordering::Relaxed);
    }

    /// The only delivery so far.
    pub fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:#?}");
        received[0].clone()
    }
}

async fn receive(
    State(app): State<Arc<AppState>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let received = Received {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    if let Some(challenge) = received.challenge() {
        let given = app.gives_back.load(Ordering::Relaxed);
        return axum::Json(json!({ "challenge": given.then_some(challenge) })).into_response();
    }
    let answer = (app.script)(&received);
    app.received.lock().unwrap().push(received);
    match answer {
        Answer::Empty => StatusCode::OK.into_response(),
        Answer::Json(body) => axum::Json(body).into_response(),
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::StatusNoRetry(status) => (
            StatusCode::from_u16(status).unwrap(),
            [("x-slack-no-retry", "1")],
        )
            .into_response(),
        Answer::Never => std::future::pending().await,
    }
}

/// Waits until something holds, at most ten seconds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test hands this clock to the simulator"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
