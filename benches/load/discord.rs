//! Discord's figures, and the least of Discord that they need: it answers calls, signs interactions, and greets on a
//! gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::bot::{Bot, Set, wait_for};
use crate::figures::{asked, count, database, percentile, race};
use crate::lean;
use crate::slack::{Slack, TEAM};

const APPLICATION: &str = "400000000000000001";
const BOT: &str = "300000000000000001";
const GUILD: &str = "100000000000000001";
const CHANNEL: &str = "500000000000000001";
/// Engineers, leads.
const ROLES: [(&str, &str); 3] = [
    (GUILD, "@everyone"),
    ("600000000000000001", "Engineers"),
    ("600000000000000002", "Leads"),
];
const PEOPLE: u64 = 520;

#[derive(Clone)]
struct Discord {
    url: String,
    pair: Arc<Ed25519KeyPair>,
    count: Arc<AtomicU64>,
    http: reqwest::Client,
}

impl Discord {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let discord = Self {
            url: format!("127.0.0.1:{}", listener.local_addr().unwrap().port()),
            pair: Arc::new(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()),
            count: Arc::new(AtomicU64::new(700_000_000_000_000_000)),
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(64)
                .build()
                .unwrap(),
        };
        let router = Router::new()
            .route("/gateway/", get(gateway))
            .fallback(call)
            .with_state(discord.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        discord
    }

    fn next(&self) -> String {
        self.count.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Adds Discord to a bot's environment, over HTTP or by the gateway.
    fn add(&self, command: &mut std::process::Command, gateway: bool) {
        command
            .env("DISCORD_API_URL", format!("http://{}/api/v10", self.url))
            .env("DISCORD_BOT_TOKEN", "bench")
            .env("DISCORD_PUBLIC_KEY", hex::encode(self.pair.public_key()))
            .env("DISCORD_GATEWAY", if gateway { "1" } else { "0" });
    }

    fn interaction(&self, person: u64, kind: u64, data: Value) -> String {
        let id = self.next();
        let payload = json!({
            "id": id, "application_id": APPLICATION, "type": kind, "token": format!("token-{id}"), "version": 1,
            "guild_id": GUILD, "channel_id": CHANNEL, "channel": { "id": CHANNEL, "type": 0, "name": "platform" },
            "member": member(person), "data": data, "locale": "en-GB",
        });
        payload.to_string()
    }

    /// A whole request with a signed body, ready to be sent.
    fn request(&self, body: &str) -> Vec<u8> {
        let (at, signature) = self.signed(body);
        let length = body.len();
        format!(
            "POST /discord/interactions HTTP/1.1\r\nhost: bot\r\ncontent-type: application/json\r\n\
             x-signature-timestamp: {at}\r\nx-signature-ed25519: {signature}\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The moment of now and Discord's signature of a body.
    fn signed(&self, body: &str) -> (String, String) {
        let now = std::time::SystemTime::now();
        let at = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let signature = self.pair.sign(format!("{at}{body}").as_bytes());
        (at.to_string(), hex::encode(signature))
    }

    /// Signs a body and sends it; gives the answer and how long it took.
    async fn deliver(&self, to: &str, body: String) -> (Value, Duration) {
        let (at, signature) = self.signed(&body);
        let begun = Instant::now();
        let answer = self
            .http
            .post(format!("{to}/discord/interactions"))
            .header("content-type", "application/json")
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", at)
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let answer = answer.json().await.unwrap();
        (answer, begun.elapsed())
    }

    /// Opens the form of a command; gives the body of its submission.
    async fn form(&self, to: &str, person: u64, name: &str) -> String {
        let options = json!([{ "type": 3, "name": "command", "value": "bench" }]);
        let run = json!({ "id": "1", "name": "idp", "type": 1, "options": [
            { "type": 1, "name": "run", "options": options }] });
        let (answer, _) = self.deliver(to, self.interaction(person, 2, run)).await;
        assert_eq!(answer["type"], 9, "a form, not {answer}");
        let modal = &answer["data"];
        let labels = modal["components"].as_array().unwrap();
        let inputs = labels.iter().filter(|label| label["component"].is_object());
        let filled: Value = inputs
            .map(|label| {
                let id = &label["component"]["custom_id"];
                json!({ "type": 18, "id": 1, "component": { "type": 4, "id": 2, "custom_id": id, "value": name } })
            })
            .collect();
        let sent = json!({ "custom_id": modal["custom_id"], "components": filled });
        self.interaction(person, 5, sent)
    }
}

/// Modal submission → durable request → answer at 200 a second, Ed25519 and all.
pub async fn submissions() {
    let many = 3000;
    let discord = Discord::start().await;
    let start = async |role: &str| {
        let set = Set {
            role,
            ..Set::default()
        };
        Bot::start_with(set, &database(), |command| discord.add(command, false)).await
    };
    let worker = start("worker").await;
    let bot = start("web").await;
    let mut bodies = Vec::with_capacity(many);
    for at in 0..many {
        let person = 10 + at as u64 % 500;
        bodies.push(discord.form(&bot.url, person, &format!("bench-{at}")).await);
    }
    let unknown = "select count(*) from account where kind = 'unknown'
        and external_id::bigint between 200000000000000010 and 200000000000000509";
    wait_for(
        "everybody to be looked up",
        Duration::from_secs(300),
        async || count(unknown).await == 0,
    )
    .await;
    drop(worker);
    let (warm, measured) = bodies.split_at(500);
    let before = count("select count(*) from request").await;
    send_at(&discord, &bot.url, warm.to_vec()).await;
    let cpu = bot.cpu();
    let times = send_at(&discord, &bot.url, measured.to_vec()).await;
    let each = (bot.cpu() - cpu) * 1000.0 / measured.len() as f64;
    assert_eq!(
        count("select count(*) from request").await - before,
        many as i64,
        "each submission is one durable request"
    );
    println!(
        "idp   : {each:.3} ms CPU a submission, p50 {:.1} ms, p99 {:.1} ms at 200/s",
        percentile(&times, 0.5),
        percentile(&times, 0.99)
    );
}

/// Sends bodies at 200 a second; gives the sorted times to answer.
async fn send_at(discord: &Discord, to: &str, bodies: Vec<String>) -> Vec<Duration> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / 200);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut under_way = tokio::task::JoinSet::new();
    for body in bodies {
        ticks.tick().await;
        let (discord, to) = (discord.clone(), to.to_owned());
        under_way.spawn(async move {
            let (answer, took) = discord.deliver(&to, body).await;
            assert_eq!(answer["type"], 4, "{answer}");
            took
        });
    }
    let mut times = under_way.join_all().await;
    times.sort();
    times
}

/// 10,000 presses racing on one request of Slack's, every second one by somebody of Discord who is one human with an account
/// there.
pub async fn presses() {
    let (many, people) = (10_000, 30);
    let (slack, discord) = (Slack::start(40).await, Discord::start().await);
    let human = |at| {
        let there = id_of(at);
        format!("[[people]]\naccounts = [\"slack:{TEAM}/U{at}\", \"discord:{GUILD}/{there}\"]\n")
    };
    let toml: String = (0..people).map(human).collect();
    let set = Set {
        toml: &toml,
        ..Set::default()
    };
    let bot = Bot::start_with(set, &database(), |command| {
        slack.add(command);
        discord.add(command, false);
    })
    .await;
    wait_for(
        "people to be linked",
        Duration::from_secs(120),
        async || count("select count(*) from tie where until is null").await == people as i64,
    )
    .await;
    let plan = asked(&slack, &bot, "race").await;
    let approvals = count("select count(*) from approval").await;
    let (answers, answered) = lean::count_posts().await;
    let requests = (0..many).map(|at| {
        let person = (at / 2) % people;
        if at % 2 == 0 {
            let body = slack.press(person as usize, "request.approve", &plan, &answers);
            return slack.request("/slack/interactions", &body);
        }
        // Confirmed in the private answer that asks once more.
        let id = format!("!request.approve {}", plan.value);
        let press = json!({ "component_type": 2, "custom_id": id });
        discord.request(&discord.interaction(person, 3, press))
    });
    let expected = many / 2 - 1; // those of Discord are answered in place
    race(&bot, requests.collect(), (approvals, &answered, expected)).await;
}

/// What Discord adds to the memory of an idle bot, over HTTP and by the gateway.
pub async fn memory() {
    let (slack, discord) = (Slack::start(20).await, Discord::start().await);
    drop(Bot::start(&slack, &database()).await);
    let idle = async |with: Option<bool>| {
        let database = database();
        let bot = Bot::start_with(Set::default(), &database, |command| {
            slack.add(command);
            if let Some(gateway) = with {
                discord.add(command, gateway);
            }
        });
        let bot = bot.await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        bot.memory()
    };
    let alone = idle(None).await;
    let (http, gateway) = (idle(Some(false)).await, idle(Some(true)).await);
    println!("idle memory: {alone:.1} MiB");
    println!(
        "with Discord: {:+.1} MiB over HTTP, {:+.1} MiB by the gateway",
        http - alone,
        gateway - alone
    );
}

fn id_of(person: u64) -> String {
    (200_000_000_000_000_000 + person).to_string()
}

fn member(person: u64) -> Value {
    let id = id_of(person);
    let mut roles = vec![ROLES[1].0];
    if person < 10 {
        roles.push(ROLES[2].0);
    }
    json!({
        "user": { "id": id, "username": format!("u{person}"), "global_name": format!("U {person}"), "discriminator": "0" },
        "nick": null, "roles": roles, "pending": false, "joined_at": "2026-01-01T00:00:00Z",
    })
}

async fn call(State(discord): State<Discord>, method: Method, uri: Uri, body: String) -> Response {
    let path = uri.path().trim_start_matches("/api/v10/");
    let path: Vec<&str> = path.split('/').collect();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let answer = match (method.as_str(), path.as_slice()) {
        ("GET", ["users", "@me"]) => json!({ "id": BOT, "username": "idp", "bot": true }),
        ("GET", ["applications", "@me"]) => {
            json!({ "id": APPLICATION, "name": "idp", "flags": 1 << 15 })
        }
        ("GET", ["users", "@me", "guilds"]) => json!([{ "id": GUILD, "name": "Bench" }]),
        ("GET", ["gateway", "bot"]) => {
            let limit = json!({ "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 });
            json!({ "url": format!("ws://{}/gateway", discord.url), "shards": 1, "session_start_limit": limit })
        }
        ("GET", ["applications", _, "commands"]) => json!([]),
        ("GET", ["guilds", _, "roles"]) => ROLES
            .iter()
            .map(|(id, name)| json!({ "id": id, "name": name, "managed": false, "permissions": u64::MAX.to_string() }))
            .collect(),
        ("GET", ["guilds", _, "members"]) => (0..PEOPLE).map(member).collect(),
        ("GET", ["guilds", _, "members", id]) => match id.parse::<u64>() {
            Ok(id) if *path[3] != *BOT => member(id - 200_000_000_000_000_000),
            _ => json!({ "user": { "id": BOT, "username": "idp", "bot": true }, "roles": [] }),
        },
        ("GET", ["guilds", _, "channels"]) => {
            json!([{ "id": CHANNEL, "type": 0, "name": "platform", "permission_overwrites": [] }])
        }
        ("POST" | "PATCH", ["channels", channel, ..]) => {
            json!({ "id": discord.next(), "channel_id": channel })
        }
        _ => body,
    };
    (StatusCode::OK, Json(answer)).into_response()
}

async fn gateway(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(greet)
}

async fn greet(mut socket: WebSocket) {
    let say = |said: Value| Message::text(said.to_string());
    let hello = json!({ "op": 10, "d": { "heartbeat_interval": 41_250 } });
    if socket.send(say(hello)).await.is_err() {
        return;
    }
    while let Some(Ok(Message::Text(said))) = socket.recv().await {
        let said: Value = serde_json::from_str(&said).unwrap();
        let answer = match said["op"].as_u64() {
            Some(2) => json!({ "op": 0, "s": 1, "t": "READY", "d": {
                "v": 10, "session_id": "bench", "resume_gateway_url": "ws://127.0.0.1", "guilds": [],
                "user": { "id": BOT }, "application": { "id": APPLICATION, "flags": 1 << 15 } } }),
            _ => json!({ "op": 11 }),
        };
        if socket.send(say(answer)).await.is_err() {
            return;
        }
    }
}
