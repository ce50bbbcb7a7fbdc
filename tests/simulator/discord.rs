//! Discord's rules, each told as what happens to an app that breaks or keeps it.

mod answers;
mod commands;
mod gateway;
mod rest;

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use idp::sandbox::RateLimits;
use serde_json::{Value, json};
use serenity::interactions_endpoint::Verifier;
use tokio::net::TcpListener;

use super::harness::Sim;

const TOKEN: &str = "sandbox.discord.bot";
const APPLICATION: &str = "1312000000000000401";
const GUILD: &str = "1312000000000000001";
const PLATFORM: &str = "1312000000000000501";
const SECURITY_OPS: &str = "1312000000000000504";
const PRIYA: &str = "1312000000000000201";

/// An answer of the REST API.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Status and code of a refusal.
    fn refusal(&self) -> (u16, u64) {
        (self.status, self.body["code"].as_u64().unwrap_or_default())
    }
}

/// A simulator without rates, for stories about something else.
async fn calm() -> Sim {
    Sim::start(|config| config.limits = RateLimits::Off).await
}

impl Sim {
    /// A call with the bot's token.
    async fn rest(&self, method: &str, path: &str, body: Value) -> Answer {
        self.rest_as(Some(&format!("Bot {TOKEN}")), method, path, body)
            .await
    }

    async fn rest_as(&self, token: Option<&str>, method: &str, path: &str, body: Value) -> Answer {
        let url = format!("{}discord/api/v10/{path}", self.base);
        let mut call = reqwest::Client::new()
            .request(method.parse().unwrap(), url)
            .header("user-agent", "DiscordBot (https://idp.dev, 1)");
        if let Some(token) = token {
            call = call.header("authorization", token);
        }
        if !body.is_null() {
            call = call.json(&body);
        }
        let answer = call.send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.json().await.unwrap_or_default(),
        }
    }

    /// A call that should work.
    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.rest(method, path, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        answer.body
    }

    /// Status and code of one that shouldn't.
    async fn no(&self, method: &str, path: &str, body: Value) -> (u16, u64) {
        self.rest(method, path, body).await.refusal()
    }

    /// An act through the control address: status and answer.
    async fn act(&self, what: &str, act: Value) -> (u16, Value) {
        let url = format!("{}sim/discord/{what}", self.base);
        let answer = reqwest::Client::new()
            .post(url)
            .json(&act)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// An act that works.
    async fn acts(&self, what: &str, act: Value) -> Value {
        let (status, answer) = self.act(what, act).await;
        assert_eq!(status, 200, "{what}: {answer}");
        answer
    }

    async fn sees_on_discord(&self, person: &str, channel: &str) -> Vec<Value> {
        let url = format!(
            "{}sim/discord/timeline?person={person}&channel={channel}",
            self.base
        );
        let answer = reqwest::get(url.replace('#', "%23")).await.unwrap();
        answer.json().await.unwrap()
    }

    async fn reads(&self, person: &str, channel: &str) -> Vec<String> {
        let seen = self.sees_on_discord(person, channel).await;
        seen.iter()
            .map(|own| own["content"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// An app behind an endpoint: checks signatures, writes down what it gets, answers as its script says.
struct Bot {
    url: String,
    state: Arc<BotState>,
}

/// What an app answers; `None`: nothing.
type Script = dyn Fn(&Value) -> Option<Value> + Send + Sync;

struct BotState {
    key: Mutex<Option<Verifier>>,
    got: Mutex<Vec<Value>>,
    script: Box<Script>,
}

impl Bot {
    /// `None` of the script: no answer ever.
    async fn start(
        sim: &Sim,
        script: impl Fn(&Value) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        let guild: Value = reqwest::get(format!("{}sim/discord/guild", sim.base))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let key = guild["public_key"].as_str().unwrap();
        let state = Arc::new(BotState {
            key: Mutex::new(Some(Verifier::new(key))),
            got: Mutex::default(),
            script: Box::new(script),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/discord/interactions",
            listener.local_addr().unwrap()
        );
        let router = Router::new()
            .route("/discord/interactions", post(receive))
            .with_state(Arc::clone(&state));
        tokio::spawn(axum::serve(listener, router).into_future());
        let bot = Self { url, state };
        sim.acts("levers", json!({ "deliver_to": [bot.url] })).await;
        let command = json!([{ "name": "idp", "description": "Ask", "options": [
            { "type": 1, "name": "run", "description": "Ask for something", "options": [
                { "type": 3, "name": "command", "description": "What", "required": true, "autocomplete": true },
                { "type": 3, "name": "words", "description": "More" }] },
            { "type": 1, "name": "help", "description": "Help" }] }]);
        let path = format!("applications/{APPLICATION}/commands");
        sim.done("PUT", &path, command).await;
        bot
    }

    fn got(&self) -> Vec<Value> {
        self.state.got.lock().unwrap().clone()
    }

    fn last(&self) -> Value {
        self.got().pop().unwrap()
    }
}

async fn receive(State(bot): State<Arc<BotState>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| {
        headers
            .get(name)
            .and_then(|own| own.to_str().ok())
            .unwrap_or_default()
    };
    let good = bot.key.lock().unwrap().as_ref().is_none_or(|key| {
        let signed = (
            header("x-signature-ed25519"),
            header("x-signature-timestamp"),
        );
        key.verify(signed.0, signed.1, &body).is_ok()
    });
    if !good {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let payload: Value = serde_json::from_slice(&body).unwrap();
    if payload["type"] == 1 {
        return Json(json!({ "type": 1 })).into_response();
    }
    let answer = (bot.script)(&payload);
    bot.got.lock().unwrap().push(payload);
    match answer {
        Some(Value::Null) => StatusCode::ACCEPTED.into_response(),
        Some(answer) => Json(answer).into_response(),
        None => std::future::pending().await,
    }
}
