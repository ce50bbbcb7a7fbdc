//! The least of Slack that a load needs: answers calls, remembers views, cards and private answers, signs deliveries.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub const SECRET: &str = "bench-signing-secret";
pub const TEAM: &str = "T0BENCH";
pub const APP: &str = "A0BENCH";

/// What the bot called, as far as the figures need it.
#[derive(Default)]
pub struct Seen {
    /// Trigger id → view.
    pub views: HashMap<String, Value>,
    /// Every posted or updated message.
    pub messages: Vec<Value>,
    /// Private answers by `response_url`.
    pub answers: u64,
}

/// A posted card with a button, as a press names it.
#[derive(Debug, Clone)]
pub struct Card {
    /// The button's value.
    pub value: String,
    /// Where it stands.
    pub channel: String,
    /// Its id there.
    pub ts: String,
}

#[derive(Clone)]
pub struct Slack {
    pub seen: Arc<Mutex<Seen>>,
    pub url: String,
    people: usize,
    count: Arc<AtomicU64>,
    http: reqwest::Client,
}

impl Slack {
    /// Starts with so many people, all engineers; `U0` to `U9` are leads.
    pub async fn start(people: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let slack = Self {
            seen: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
            people,
            count: Arc::default(),
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(64)
                // Shorter than a peer's: none is used that the other side is about to close.
                .pool_idle_timeout(std::time::Duration::from_secs(2))
                .build()
                .unwrap(),
        };
        let router = Router::new()
            .route("/api/{method}", post(call).get(call))
            .route("/answer/{id}", post(answer))
            .with_state(slack.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        slack
    }

    pub fn api(&self) -> String {
        format!("{}/api", self.url)
    }

    /// Adds Slack to a bot's environment.
    pub fn add(&self, command: &mut std::process::Command) {
        command
            .env("SLACK_SIGNING_SECRET", SECRET)
            .env("SLACK_BOT_TOKEN", "xoxb-bench")
            .env("SLACK_API_URL", self.api());
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    pub fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends one signed form body; gives status, answer and how long it took.
    pub async fn deliver(
        &self,
        to: &str,
        path: &str,
        body: String,
    ) -> (u16, String, std::time::Duration) {
        let (at, signature) = signed(&body);
        let begun = std::time::Instant::now();
        let answer = self
            .http
            .post(format!("{to}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", at)
            .header("x-slack-signature", signature)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, text, begun.elapsed())
    }

    /// `/idp WORDS` by a person; gives the trigger id.
    pub async fn says(&self, bot: &str, person: usize, words: &str) -> String {
        let trigger = format!("trigger.{}", self.next());
        let body = serde_urlencoded::to_string([
            ("token", "x"),
            ("team_id", TEAM),
            ("team_domain", "bench"),
            ("channel_id", "C0PLATFORM"),
            ("channel_name", "platform"),
            ("user_id", &format!("U{person}")),
            ("user_name", "someone"),
            ("command", "/idp"),
            ("text", words),
            ("api_app_id", APP),
            ("is_enterprise_install", "false"),
            ("response_url", &format!("{}/answer/{trigger}", self.url)),
            ("trigger_id", &trigger),
        ])
        .unwrap();
        let (status, text, _) = self.deliver(bot, "/slack/commands", body).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.is_empty(), "a form, not {text}");
        trigger
    }

    /// The body of a sent form: the view as opened, its inputs filled with `value`.
    pub fn submission(&self, person: usize, view: &Value, value: &str) -> String {
        let mut values = serde_json::Map::new();
        for block in view["blocks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|b| b["type"] == "input")
        {
            let (id, element) = (block["block_id"].as_str().unwrap(), &block["element"]);
            let action = element["action_id"].as_str().unwrap();
            let state = match element["type"].as_str().unwrap() {
                "plain_text_input" => json!({"type": "plain_text_input", "value": value}),
                kind => json!({"type": kind, "selected_option": element["options"][0]}),
            };
            values.insert(id.into(), json!({ action: state }));
        }
        let view_id = format!("V{}", self.next());
        self.payload(json!({
            "type": "view_submission", "team": {"id": TEAM, "domain": "bench"}, "enterprise": null,
            "user": {"id": format!("U{person}"), "name": "someone", "team_id": TEAM}, "api_app_id": APP,
            "trigger_id": format!("trigger.{}", self.next()), "response_urls": [], "is_enterprise_install": false,
            "view": {"id": view_id, "team_id": TEAM, "type": "modal", "blocks": view["blocks"],
                "private_metadata": view["private_metadata"], "callback_id": view["callback_id"],
                "state": {"values": values}, "hash": "1.a", "root_view_id": view_id, "app_id": APP, "bot_id": "B0BENCH"},
        }))
    }

    /// A whole request with a signed body, ready to be sent.
    pub fn request(&self, path: &str, body: &str) -> Vec<u8> {
        let (at, signature) = signed(body);
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: bot\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             x-slack-request-timestamp: {at}\r\nx-slack-signature: {signature}\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The body of a press, whose private answer goes to `answers`.
    pub fn press(&self, person: usize, action: &str, card: &Card, answers: &str) -> String {
        let Card { value, channel, ts } = card;
        let trigger = format!("trigger.{}", self.next());
        self.payload(json!({
            "type": "block_actions", "team": {"id": TEAM, "domain": "bench"}, "enterprise": null,
            "user": {"id": format!("U{person}"), "name": "someone", "team_id": TEAM}, "api_app_id": APP,
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false},
            "trigger_id": trigger, "response_url": format!("http://{answers}/answer/{trigger}"), "is_enterprise_install": false,
            "channel": {"id": channel, "name": "platform"}, "message": {"type": "message", "ts": ts, "text": "x"},
            "state": {"values": {}},
            "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value,
                "text": {"type": "plain_text", "text": "x"}, "action_ts": "1.2",
                // Slack tells that its dialog was shown.
                "confirm": {"title": {"type": "plain_text", "text": "x"}, "text": {"type": "mrkdwn", "text": "x"}}}],
        }))
    }

    fn payload(&self, payload: Value) -> String {
        serde_urlencoded::to_string([("payload", payload.to_string())]).unwrap()
    }
}

/// The moment of now and Slack's signature of a body.
fn signed(body: &str) -> (String, String) {
    let now = std::time::SystemTime::now();
    let at = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    (at.to_string(), signature)
}

async fn answer(State(slack): State<Slack>, Path(_): Path<String>) -> &'static str {
    slack.seen.lock().await.answers += 1;
    "ok"
}

async fn call(
    State(slack): State<Slack>,
    Path(method): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    head: HeaderMap,
    body: String,
) -> Json<Value> {
    let json_body = head
        .get("content-type")
        .is_some_and(|t| t.to_str().unwrap_or("").contains("json"));
    let args: Value = if json_body {
        serde_json::from_str(&body).unwrap_or_default()
    } else if !query.is_empty() {
        json!(query)
    } else {
        let pairs: HashMap<String, String> = serde_urlencoded::from_str(&body).unwrap_or_default();
        json!(pairs)
    };
    let n = slack.next();
    let everybody: Vec<String> = (0..slack.people).map(|p| format!("U{p}")).collect();
    Json(match method.as_str() {
        "auth.test" => {
            json!({"ok": true, "url": "https://bench.slack.com/", "team": "bench", "user": "idp", "team_id": TEAM,
            "user_id": "U0BOT", "bot_id": "B0BENCH", "app_id": APP, "is_enterprise_install": false})
        }
        "users.info" => {
            json!({"ok": true, "user": {"id": args["user"], "team_id": TEAM, "name": args["user"], "deleted": false,
            "real_name": args["user"], "profile": {"real_name": args["user"], "display_name": args["user"]}, "is_bot": false,
            "is_restricted": false, "is_ultra_restricted": false, "updated": 1}})
        }
        "usergroups.list" => json!({"ok": true, "usergroups": [
            {"id": "S0ENG", "team_id": TEAM, "is_usergroup": true, "name": "Engineers", "handle": "engineers", "date_delete": 0, "users": everybody, "user_count": everybody.len()},
            {"id": "S0LEADS", "team_id": TEAM, "is_usergroup": true, "name": "Leads", "handle": "leads", "date_delete": 0,
             "users": everybody.iter().take(10).collect::<Vec<_>>(), "user_count": 10}]}),
        "views.open" => {
            let view = match &args["view"] {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                view => view.clone(),
            };
            let trigger = args["trigger_id"].as_str().unwrap_or_default().to_owned();
            slack.seen.lock().await.views.insert(trigger, view);
            json!({"ok": true, "view": {"id": format!("V{n}")}})
        }
        "chat.postMessage" | "chat.update" => {
            let ts = args["ts"]
                .as_str()
                .map_or_else(|| format!("17{n:08}.000100"), str::to_owned);
            let mut posted = args.clone();
            posted["ts"] = json!(ts);
            slack.seen.lock().await.messages.push(posted);
            json!({"ok": true, "channel": args["channel"], "ts": ts, "message": {"ts": ts}})
        }
        "conversations.info" => {
            json!({"ok": true, "channel": {"id": args["channel"], "name": "platform", "is_channel": true,
            "is_private": false, "is_member": true, "is_archived": false}})
        }
        "conversations.members" => {
            json!({"ok": true, "members": everybody, "response_metadata": {"next_cursor": ""}})
        }
        "conversations.open" => json!({"ok": true, "channel": {"id": format!("D{n}")}}),
        "chat.getPermalink" => {
            json!({"ok": true, "permalink": "https://bench.slack.com/archives/C0PLATFORM/p1"})
        }
        _ => json!({"ok": true, "messages": [], "members": [], "channels": []}),
    })
}
