//! A small Slack of its own for the stories that speak raw HTTP: written from Slack's documentation, apart from the
//! simulator in `src/sandbox`, so that the bot and the simulator can't share a mistake.
//!
//! It answers the Web API calls that the bot makes, keeps them, and refuses what Slack refuses: wrong blocks (by the
//! `slackblocks` crate), reads with a JSON body, unknown channels and messages, triggers that are used up. It delivers
//! signed requests and Socket Mode envelopes. What goes wrong next is said by [`Fake::fault`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc};

/// The secret that deliveries are signed with.
pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99edabcd6143";
/// The bot's token.
pub const BOT_TOKEN: &str = "xoxb-test";
/// The app's token for Socket Mode.
pub const APP_TOKEN: &str = "xapp-test";
/// The workspace.
pub const TEAM: &str = "T0ACME";
/// The app.
pub const APP: &str = "A0IDP";
/// The bot's account.
pub const BOT: &str = "U0BOT";

/// How long a test waits for something that is to happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What goes wrong with the next call of a method.
#[derive(Debug, Clone)]
pub enum Fault {
    /// `{"ok": false, "error": …}`
    Code(&'static str),
    /// 429 with `Retry-After`.
    Limited(u64),
    /// This status with a page of a proxy.
    Page(u16),
    /// The call is done, but its answer is cut off.
    LoseAnswer,
    /// No answer at all for so long.
    Hang(Duration),
}

/// A call that the bot made.
#[derive(Debug, Clone)]
pub struct Call {
    /// `chat.postMessage`, or `response_url`.
    pub method: String,
    /// Its arguments.
    pub args: Value,
}

/// The fake. Dropping it takes its listener away with the test's runtime.
#[derive(Clone)]
pub struct Fake {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct World {
    calls: Vec<Call>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    messages: BTreeMap<(String, String), Value>,
    triggers: BTreeSet<String>,
    views: BTreeMap<String, Value>,
    groups: Vec<Value>,
    users: BTreeMap<String, Value>,
    /// Each channel with those who are in it.
    channels: BTreeMap<String, Channel>,
    /// What the bot sent that Slack would never take.
    refused: Vec<String>,
    /// Whether the bot's token is refused.
    revoked: bool,
    /// So many calls to come meet a server that is down.
    down: u32,
    /// Granted scopes, where a test says which.
    scopes: Option<String>,
    /// Seconds that the fake's clock is off.
    clock_off: i64,
    /// Whether the bot left its channel.
    away: bool,
    /// The workspaces of an org-wide installation.
    teams: Vec<String>,
    sockets: Vec<mpsc::UnboundedSender<Message>>,
    /// Connections to come that are never greeted.
    ungreeted: usize,
    acks: Vec<Value>,
    pongs: usize,
    pings: usize,
    number: u64,
}

#[derive(Default)]
struct Channel {
    name: &'static str,
    private: bool,
    archived: bool,
    members: Vec<String>,
}

/// What our HTTP answer was.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, where it is JSON.
    pub json: Value,
    /// The body as it came.
    pub text: String,
    /// How long it took.
    pub took: Duration,
}

impl Fake {
    /// Starts it on a port of its own.
    pub async fn start() -> Self {
        idp::clients::install_crypto_provider();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            address: listener.local_addr().unwrap(),
            world: Arc::default(),
            changed: Arc::default(),
        };
        fake.with(|world| {
            for (id, name) in [("U0PRIYA", "Priya Nair"), ("U0ALEX", "Alex Ruiz"), ("U0SAM", "Sam Ito")] {
                let user = json!({ "id": id, "team_id": TEAM, "name": name.to_lowercase(), "deleted": false,
                    "is_bot": false, "is_restricted": false, "profile": { "display_name": name } });
                world.users.insert(id.to_owned(), user);
            }
            let everybody = world.users.keys().cloned().collect();
            world.channel("C0PLATFORM", "platform", everybody);
            let some = ["U0PRIYA", "U0ALEX"].map(str::to_owned).to_vec();
            world.channel("C0PAYMENTS", "payments", some);
            world.channels.get_mut("C0PAYMENTS").unwrap().private = true;
        });
        let router = Router::new()
            .route("/api/{method}", any(call))
            .route("/hooks/{id}", post(respond))
            .route("/socket", get(socket))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// What `SLACK_API_URL` is set to.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// A fresh address to answer to.
    pub fn response_url(&self) -> String {
        let number = self.number();
        format!("http://{}/hooks/{number}", self.address)
    }

    /// A trigger that opens one view.
    pub fn trigger(&self) -> String {
        let id = format!("{}.{}", self.number(), "5f0c");
        self.with(|world| world.triggers.insert(id.clone()));
        id
    }

    /// Takes a trigger away, as three seconds do.
    pub fn expire(&self, trigger: &str) {
        self.with(|world| world.triggers.remove(trigger));
    }

    /// Says what goes wrong with the next call of a method; several stand in a queue.
    pub fn fault(&self, method: &str, fault: Fault) {
        self.with(|world| {
            world
                .faults
                .entry(method.to_owned())
                .or_default()
                .push_back(fault);
        });
    }

    /// Sets the user groups: handle and members.
    pub fn groups(&self, groups: &[(&str, &[&str])]) {
        self.with(|world| {
            world.groups = groups
                .iter()
                .enumerate()
                .map(|(n, (handle, users))| {
                    json!({ "id": format!("S{n}"), "handle": handle, "name": handle, "users": users,
                        "is_external": false, "date_delete": 0 })
                })
                .collect();
        });
    }

    /// Makes the installation one of a whole organisation with these workspaces.
    pub fn organisation(&self, teams: &[&str]) {
        self.with(|world| world.teams = teams.iter().map(|&team| team.to_owned()).collect());
    }

    /// Changes what `users.info` says of somebody.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads better where it is called with `json!`"
    )]
    pub fn user(&self, id: &str, change: Value) {
        self.with(|world| {
            let user = world
                .users
                .entry(id.to_owned())
                .or_insert_with(|| json!({ "id": id, "team_id": TEAM }));
            for (name, value) in change.as_object().unwrap() {
                user[name] = value.clone();
            }
        });
    }

    /// Somebody deletes a message.
    pub fn delete(&self, channel: &str, ts: &str) {
        self.with(|world| {
            world
                .messages
                .remove(&(channel.to_owned(), ts.to_owned()))
                .unwrap()
        });
    }

    /// A channel is archived.
    pub fn archive(&self, channel: &str) {
        self.with(|world| world.channels.get_mut(channel).unwrap().archived = true);
    }

    /// The bot's token is refused from now on, or good again.
    pub fn revoke(&self, revoked: bool) {
        self.with(|world| world.revoked = revoked);
    }

    /// So many calls to come meet a server that is down.
    pub fn down(&self, calls: u32) {
        self.with(|world| world.down = calls);
    }

    /// What the bot sent that Slack would never take.
    pub fn refused(&self) -> Vec<String> {
        self.look(|world| world.refused.clone())
    }

    /// Notes something of the bot's that Slack would never take.
    pub fn refuse(&self, why: String) {
        self.with(|world| world.refused.push(why));
    }

    /// A view as it stands now.
    pub fn view(&self, id: &str) -> Option<Value> {
        self.look(|world| world.views.get(id).cloned())
    }

    /// The view that a trigger opened.
    pub fn opened_by(&self, trigger: &str) -> Option<Value> {
        let opened = |view: &&Value| view["opened_by"] == trigger;
        self.look(|world| world.views.values().find(opened).cloned())
    }

    /// Sets the granted scopes.
    pub fn scopes(&self, scopes: &str) {
        self.with(|world| world.scopes = Some(scopes.to_owned()));
    }

    /// Sets the clock ahead by so many seconds.
    pub fn clock_off(&self, seconds: i64) {
        self.with(|world| world.clock_off = seconds);
    }

    /// The bot leaves `#platform`.
    pub fn leaves(&self) {
        self.with(|world| world.away = true);
    }

    /// The calls of a method so far.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.look(|world| {
            let of = world.calls.iter().filter(|call| call.method == method);
            of.map(|call| call.args.clone()).collect()
        })
    }

    /// The messages that stand in a channel, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        self.look(|world| {
            let of = world.messages.iter().filter(|((at, _), _)| at == channel);
            of.map(|(_, message)| message.clone()).collect()
        })
    }

    /// Waits until this many calls of a method were made and gives them.
    pub async fn wait_for(&self, method: &str, count: usize) -> Vec<Value> {
        self.until(|fake| {
            let calls = fake.calls(method);
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    /// Waits until something holds. Looks again whenever something changed here.
    pub async fn until<T>(&self, holds: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = holds(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "it never happened");
            // Only from here on: the look itself counts as a change. What changed in between is seen a moment later.
            let changed = self.changed.notified();
            let _ = tokio::time::timeout(Duration::from_millis(50), changed).await;
        }
    }

    /// Sends an envelope over the latest connection.
    pub async fn envelope(&self, kind: &str, id: &str, payload: Value) {
        let envelope = json!({ "envelope_id": id, "type": kind, "payload": payload,
            "accepts_response_payload": kind != "events_api" });
        self.say(&envelope).await;
    }

    /// Says anything over the latest connection.
    pub async fn say(&self, word: &Value) {
        let socket = self
            .until(|fake| fake.look(|world| world.sockets.last().cloned()))
            .await;
        socket.send(Message::text(word.to_string())).unwrap();
    }

    /// Says it over the connection of this number, from 0.
    pub async fn say_on(&self, number: usize, word: &Value) {
        let socket = self
            .until(|fake| fake.look(|world| world.sockets.get(number).cloned()))
            .await;
        socket.send(Message::text(word.to_string())).unwrap();
    }

    /// How often the bot asked whether anybody is here.
    pub fn pings(&self) -> usize {
        self.with(|world| world.pings)
    }

    /// The next connection is never greeted.
    pub fn greets_nobody_once(&self) {
        self.with(|world| world.ungreeted += 1);
    }

    /// Whether the bot ended this connection.
    pub fn is_closed(&self, number: usize) -> bool {
        self.with(|world| world.sockets[number].is_closed())
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.look(|world| world.sockets.len())
    }

    /// The acknowledgement of an envelope.
    pub async fn ack(&self, id: &str) -> Value {
        self.until(|fake| {
            fake.look(|world| {
                let mut acks = world.acks.iter();
                acks.find(|ack| ack["envelope_id"] == id).cloned()
            })
        })
        .await
    }

    /// Whether an envelope was acknowledged so far.
    pub fn acked(&self, id: &str) -> bool {
        self.look(|world| world.acks.iter().any(|ack| ack["envelope_id"] == id))
    }

    /// Whether the bot has closed all its connections.
    pub fn all_closed(&self) -> bool {
        self.look(|world| world.sockets.iter().all(mpsc::UnboundedSender::is_closed))
    }

    fn number(&self) -> u64 {
        self.with(|world| {
            world.number += 1;
            world.number
        })
    }

    /// Looks.
    fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        at(&self.world.lock().unwrap())
    }

    /// Changes something, and wakes those who wait for it.
    fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let done = act(&mut self.world.lock().unwrap());
        self.changed.notify_waiters();
        done
    }
}

/// Delivers to the bot as Slack does: signed, now.
pub async fn deliver(bot: &str, path: &str, body: &str) -> Answer {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let timestamp = now.to_string();
    deliver_as(bot, path, body, &timestamp, &sign(&timestamp, body)).await
}

/// Delivers with headers of one's own.
pub async fn deliver_as(
    bot: &str,
    path: &str,
    body: &str,
    timestamp: &str,
    signature: &str,
) -> Answer {
    let began = Instant::now();
    let content_type = if body.starts_with('{') {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let response = super::http()
        .post(format!("{bot}{path}"))
        .header("content-type", content_type)
        .header("x-slack-request-timestamp", timestamp)
        .header("x-slack-signature", signature)
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    Answer {
        status,
        json: serde_json::from_str(&text).unwrap_or_default(),
        text,
        took: began.elapsed(),
    }
}

/// Slack's signature of a body.
pub fn sign(timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// The body of a slash command.
pub fn command(fake: &Fake, user: &str, text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("team_id", TEAM.into()),
        ("team_domain", "acme".into()),
        ("channel_id", "C0PLATFORM".into()),
        ("channel_name", "platform".into()),
        ("user_id", user.into()),
        ("user_name", user.to_lowercase()),
        ("command", "/idp".into()),
        ("text", text.into()),
        ("api_app_id", APP.into()),
        ("is_enterprise_install", "false".into()),
        ("response_url", fake.response_url()),
        ("trigger_id", fake.trigger()),
    ]
}

/// A form body.
pub fn form(pairs: &[(&str, String)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap()
}

/// The body of an interaction: who, and what else.
pub fn interaction(fake: &Fake, kind: &str, user: &str, more: Value) -> Value {
    let mut payload = json!({
        "type": kind, "token": "x", "api_app_id": APP, "trigger_id": fake.trigger(),
        "team": { "id": TEAM, "domain": "acme" }, "enterprise": null, "is_enterprise_install": false,
        "user": { "id": user, "username": user.to_lowercase(), "name": user.to_lowercase(), "team_id": TEAM },
    });
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    payload
}

/// A press of the button of this action id on a message that stands.
pub fn press(fake: &Fake, user: &str, channel: &str, message: &Value, action_id: &str) -> Value {
    let element = message["blocks"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|block| block["elements"].as_array().cloned().unwrap_or_default())
        .find(|element| element["action_id"] == action_id)
        .unwrap_or_else(|| panic!("no {action_id} on {message:#}"));
    let mut action = element;
    action["action_ts"] = "1.1".into();
    interaction(
        fake,
        "block_actions",
        user,
        json!({
            "channel": { "id": channel, "name": "platform" },
            "container": { "type": "message", "message_ts": message["ts"], "channel_id": channel,
                "is_ephemeral": false },
            "message": message, "response_url": fake.response_url(), "actions": [action],
        }),
    )
}

/// What somebody types into the view: field name to Slack's state of its element.
pub fn filled(view: &Value, typed: &[(&str, Value)]) -> Value {
    let mut values = Map::new();
    for block in view["blocks"].as_array().unwrap() {
        let (Some(id), element) = (block["block_id"].as_str(), &block["element"]) else {
            continue;
        };
        let Some(action) = element["action_id"].as_str() else {
            continue;
        };
        let name = id.rsplit(':').next().unwrap();
        let state = typed.iter().find(|(field, _)| *field == name).map_or_else(
            || {
                json!({ "type": element["type"], "value": element["initial_value"],
                    "selected_option": element["initial_option"], "selected_options": [] })
            },
            |(_, value)| {
                let kind = &element["type"];
                if kind == "plain_text_input" {
                    return json!({ "type": kind, "value": value });
                }
                let options = element["options"].as_array();
                let offered = options.is_none_or(|all| all.iter().any(|o| o["value"] == *value));
                assert!(offered, "{value} is not offered: {element}");
                json!({ "type": kind, "selected_option": { "value": value } })
            },
        );
        values.insert(id.to_owned(), json!({ action: state }));
    }
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    view
}

async fn call(
    State(fake): State<Fake>,
    Path(method): Path<String>,
    verb: Method,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let args = match verb {
        Method::GET => serde_json::to_value(&query).unwrap(),
        _ => serde_json::from_slice(&body).unwrap_or_else(|_| json!({})),
    };
    let fault = fake.with(|world| {
        world.calls.push(Call {
            method: method.clone(),
            args: args.clone(),
        });
        world.faults.get_mut(&method).and_then(VecDeque::pop_front)
    });
    match fault {
        Some(Fault::Code(code)) => return no(code),
        Some(Fault::Limited(after)) => {
            let answer = Json(json!({ "ok": false, "error": "ratelimited" }));
            let headers = [(header::RETRY_AFTER, after.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, answer).into_response();
        }
        Some(Fault::Page(status)) => {
            let page = axum::response::Html("<h1>Gateway</h1>");
            return (StatusCode::from_u16(status).unwrap(), page).into_response();
        }
        Some(Fault::Hang(time)) => {
            tokio::time::sleep(time).await;
            return no("request_timeout");
        }
        Some(Fault::LoseAnswer) => {
            let _ = fake.with(|world| world.answer(&method, &args));
            // Promised and never sent.
            let short = axum::body::Body::from_stream(futures_util::stream::once(async {
                Err::<Bytes, _>(std::io::Error::other("cut off"))
            }));
            return short.into_response();
        }
        None => {}
    }
    let down = fake.with(|world| {
        let down = world.down > 0;
        world.down = world.down.saturating_sub(1);
        down
    });
    if down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if fake.look(|world| world.revoked) {
        return no("token_revoked");
    }
    let wanted = if method == "apps.connections.open" {
        APP_TOKEN
    } else {
        BOT_TOKEN
    };
    let token = headers.get("authorization").and_then(|t| t.to_str().ok());
    if token != Some(&format!("Bearer {wanted}")) {
        return no("invalid_auth");
    }
    let reads = matches!(
        method.as_str(),
        "users.info"
            | "usergroups.list"
            | "auth.teams.list"
            | "conversations.info"
            | "conversations.list"
            | "conversations.members"
            | "conversations.history"
            | "conversations.replies"
            | "chat.getPermalink"
    );
    // Slack takes JSON for what writes and nothing else.
    if reads && verb != Method::GET || !reads && verb != Method::POST {
        fake.refuse(format!("{verb} {method}"));
        return no("invalid_arguments");
    }
    if method == "apps.connections.open" {
        let url = format!("ws://{}/socket", fake.address);
        return Json(json!({ "ok": true, "url": url })).into_response();
    }
    let answered = fake.with(|world| world.answer(&method, &args));
    match answered {
        Ok(answer) => {
            let scopes = fake.look(|world| world.scopes.clone());
            let scopes = scopes.unwrap_or_else(|| "commands,chat:write,users:read".to_owned());
            let off = chrono::TimeDelta::seconds(fake.look(|world| world.clock_off));
            let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()) + off;
            let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let headers = [("x-oauth-scopes", scopes), ("date", date)];
            (headers, Json(answer)).into_response()
        }
        Err(code) => {
            if MISTAKES.contains(&code) {
                fake.refuse(format!("{method}: {code}: {args}"));
            }
            no(code)
        }
    }
}

/// Codes for what a program that knows Slack never sends.
const MISTAKES: [&str; 5] = [
    "invalid_arguments",
    "invalid_blocks",
    "missing_argument",
    "msg_blocks_too_long",
    "unknown_method",
];

fn no(code: &str) -> Response {
    Json(json!({ "ok": false, "error": code })).into_response()
}

impl World {
    fn channel(&mut self, id: &str, name: &'static str, members: Vec<String>) {
        let channel = Channel {
            name,
            members,
            ..Channel::default()
        };
        self.channels.insert(id.to_owned(), channel);
    }

    /// A channel as Slack tells of it.
    fn told(&self, id: &str) -> Value {
        let known = self.channels.get(id);
        let private = known.is_some_and(|c| c.private);
        json!({ "id": id, "name": known.map_or("platform", |c| c.name), "is_channel": !private, "is_group": private,
            "is_private": private, "is_member": !self.away, "is_archived": known.is_some_and(|c| c.archived) })
    }

    fn answer(&mut self, method: &str, args: &Value) -> Result<Value, &'static str> {
        let arg = |name: &str| args[name].as_str().unwrap_or_default().to_owned();
        match method {
            "usergroups.list" | "conversations.list"
                if !self.teams.is_empty() && !self.teams.contains(&arg("team_id")) =>
            {
                Err("missing_argument")
            }
            "auth.teams.list" => {
                let teams = self.teams.iter().map(|id| json!({ "id": id, "name": id }));
                Ok(json!({ "ok": true, "teams": teams.collect::<Vec<_>>() }))
            }
            "auth.test" if !self.teams.is_empty() => Ok(
                json!({ "ok": true, "team_id": "E0ACME", "team": "Acme", "enterprise_id": "E0ACME", "user_id": BOT,
                    "bot_id": "B0", "user": "idp", "is_enterprise_install": true }),
            ),
            "auth.test" => Ok(
                json!({ "ok": true, "team_id": TEAM, "team": "Acme", "user_id": BOT, "bot_id": "B0", "user": "idp",
                    "url": "https://acme.slack.com/", "is_enterprise_install": false }),
            ),
            "chat.postMessage" => {
                self.check_channel(&arg("channel"))?;
                check_message(args)?;
                let thread = arg("thread_ts");
                if !thread.is_empty() && !self.messages.contains_key(&(arg("channel"), thread)) {
                    return Err("thread_not_found");
                }
                self.number += 1;
                let ts = format!("1700000000.{:06}", self.number);
                let mut message = args.clone();
                message["ts"] = ts.clone().into();
                self.messages.insert((arg("channel"), ts.clone()), message);
                Ok(json!({ "ok": true, "channel": arg("channel"), "ts": ts }))
            }
            "chat.postEphemeral" => {
                self.check_channel(&arg("channel"))?;
                check_message(args)?;
                Ok(json!({ "ok": true, "message_ts": "1.1" }))
            }
            "chat.update" => {
                check_message(args)?;
                let at = (arg("channel"), arg("ts"));
                let message = self.messages.get_mut(&at).ok_or("message_not_found")?;
                for name in ["text", "blocks", "metadata"] {
                    message[name] = args[name].clone();
                }
                Ok(json!({ "ok": true, "channel": at.0, "ts": at.1 }))
            }
            "chat.delete" => {
                let gone = self.messages.remove(&(arg("channel"), arg("ts")));
                gone.map(|_| json!({ "ok": true }))
                    .ok_or("message_not_found")
            }
            "chat.getPermalink" => Ok(
                json!({ "ok": true, "permalink": format!("https://acme.slack.com/archives/{}/p{}",
                    arg("channel"), arg("message_ts").replace('.', "")) }),
            ),
            "conversations.history" | "conversations.replies" => {
                let of = self.messages.iter().filter(|((channel, _), message)| {
                    *channel == arg("channel")
                        && (method.ends_with("history") || message["thread_ts"] == args["ts"])
                });
                let messages: Vec<Value> = of.map(|(_, message)| message.clone()).collect();
                Ok(json!({ "ok": true, "messages": messages }))
            }
            "conversations.open" => {
                Ok(json!({ "ok": true, "channel": { "id": arg("users").replace('U', "D") } }))
            }
            "conversations.info" => {
                self.check_channel(&arg("channel"))?;
                Ok(json!({ "ok": true, "channel": self.told(&arg("channel")) }))
            }
            "conversations.list" => {
                let channels: Vec<Value> = self.channels.keys().map(|id| self.told(id)).collect();
                Ok(json!({ "ok": true, "channels": channels }))
            }
            // Two pages, so that nobody can forget the second.
            "conversations.members" => {
                let known = self.channels.get(&arg("channel"));
                let members = known.map_or(&[][..], |channel| &channel.members);
                let (first, rest) = members.split_at(members.len().min(1));
                let (page, next) = match arg("cursor").as_str() {
                    "" => (first, "second"),
                    _ => (rest, ""),
                };
                Ok(
                    json!({ "ok": true, "members": page, "response_metadata": { "next_cursor": next } }),
                )
            }
            "users.info" => {
                let user = self.users.get(&arg("user")).ok_or("user_not_found")?;
                Ok(json!({ "ok": true, "user": user }))
            }
            "usergroups.list" => {
                let mut groups = self.groups.clone();
                if args["include_users"] != "true" {
                    groups
                        .iter_mut()
                        .for_each(|group| group["users"] = Value::Null);
                }
                Ok(json!({ "ok": true, "usergroups": groups }))
            }
            "views.open" => {
                check_view(&args["view"])?;
                if !self.triggers.remove(&arg("trigger_id")) {
                    return Err("expired_trigger_id");
                }
                self.number += 1;
                let id = format!("V{}", self.number);
                let shown = self.show(&id, &args["view"]);
                self.views.get_mut(&id).unwrap()["opened_by"] = arg("trigger_id").into();
                Ok(json!({ "ok": true, "view": shown }))
            }
            "views.update" => {
                check_view(&args["view"])?;
                let id = arg("view_id");
                let old = self.views.get(&id).ok_or("not_found")?;
                if args.get("hash").is_some_and(|hash| *hash != old["hash"]) {
                    return Err("hash_conflict");
                }
                Ok(json!({ "ok": true, "view": self.show(&id, &args["view"]) }))
            }
            _ => Err("unknown_method"),
        }
    }

    /// Shows a view in a new state.
    fn show(&mut self, id: &str, view: &Value) -> Value {
        self.number += 1;
        let mut view = view.clone();
        view["id"] = id.into();
        view["hash"] = format!("{}.hash", self.number).into();
        self.views.insert(id.to_owned(), view.clone());
        view
    }

    fn check_channel(&self, channel: &str) -> Result<(), &'static str> {
        let archived = |channel: &str| self.channels.get(channel).is_some_and(|c| c.archived);
        match channel {
            "C0ARCHIVED" => Err("is_archived"),
            _ if archived(channel) => Err("is_archived"),
            "C0OUTSIDE" => Err("not_in_channel"),
            _ if channel.starts_with(['C', 'D', 'G']) => Ok(()),
            _ => Err("channel_not_found"),
        }
    }
}

impl Fake {
    /// The view that was opened or updated last.
    pub fn last_view(&self) -> Value {
        self.look(|world| {
            let id = world
                .calls
                .iter()
                .rev()
                .find_map(|call| call.args["view_id"].as_str().map(str::to_owned))
                .or_else(|| world.views.keys().next_back().cloned());
            id.and_then(|id| world.views.get(&id).cloned())
                .unwrap_or_default()
        })
    }

    /// Shows a view in answer to a submission, as `response_action: update` does.
    pub fn show(&self, id: &str, view: &Value) -> Value {
        assert_eq!(check_view(view), Ok(()));
        self.with(|world| world.show(id, view))
    }
}

fn check_message(args: &Value) -> Result<(), &'static str> {
    let payload =
        json!({ "channel": args["channel"], "text": args["text"], "blocks": args["blocks"] });
    if serde_json::from_value::<slackblocks::MessagePayload>(payload).is_err() {
        return Err("invalid_blocks");
    }
    let chars = args["blocks"].to_string().chars().count();
    let unique = unique(&args["blocks"], "action_id");
    match (chars, unique) {
        (_, false) => Err("invalid_blocks"),
        (60_000.., _) => Err("msg_blocks_too_long"),
        _ => Ok(()),
    }
}

fn check_view(view: &Value) -> Result<(), &'static str> {
    let valid = serde_json::from_value::<slackblocks::ModalView>(view.clone()).is_ok();
    let unique = unique(&view["blocks"], "action_id");
    if valid && unique {
        Ok(())
    } else {
        Err("invalid_blocks")
    }
}

/// Whether no two elements of the actions blocks share an id.
fn unique(blocks: &Value, name: &str) -> bool {
    let mut seen = BTreeSet::new();
    blocks
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|block| block["elements"].as_array())
        .flatten()
        .filter_map(|element| element[name].as_str())
        .all(|id| seen.insert(id.to_owned()))
}

async fn respond(State(fake): State<Fake>, Path(id): Path<String>, body: Bytes) -> Response {
    let mut args: Value = serde_json::from_slice(&body).unwrap_or_default();
    if serde_json::from_value::<slackblocks::MessageResponse>(args.clone()).is_err() {
        fake.refuse(format!("response_url: {args}"));
    }
    args["id"] = id.into();
    fake.with(|world| {
        world.calls.push(Call {
            method: "response_url".into(),
            args,
        });
    });
    "ok".into_response()
}

async fn socket(State(fake): State<Fake>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| serve_socket(fake, socket))
}

async fn serve_socket(fake: Fake, mut socket: WebSocket) {
    let (say, mut said) = mpsc::unbounded_channel();
    let hello = json!({ "type": "hello", "num_connections": 1, "debug_info": {} });
    let mute = fake.with(|world| {
        let mute = world.ungreeted > 0;
        world.ungreeted = world.ungreeted.saturating_sub(1);
        mute
    });
    if mute {
        while let Some(Ok(_)) = socket.recv().await {}
        return;
    }
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    fake.with(|world| world.sockets.push(say));
    loop {
        tokio::select! {
            word = said.recv() => match word {
                Some(word) => if socket.send(word).await.is_err() { break },
                None => break,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let ack = serde_json::from_str(&text).unwrap();
                    fake.with(|world| world.acks.push(ack));
                }
                Some(Ok(Message::Pong(_))) => fake.with(|world| world.pongs += 1),
                Some(Ok(Message::Ping(_))) => fake.with(|world| world.pings += 1),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    drop(said);
    fake.with(|_| ());
}
