//! The gateway half of the fake: it greets, takes one introduction or a resumption a connection, counts what it says in
//! each session and says again what was missed, tells only what the intents ask for, and closes on what Discord closes on
//! (docs.discord.com/developers/events/gateway; close codes in topics/opcodes-and-status-codes).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{APPLICATION, BOT, BOT_TOKEN, Fake, OTHER_TOKEN, World};
use crate::support::serve::until;

/// How often the bot is asked to say that it is there.
const HEARTBEAT: Duration = Duration::from_secs(41);

const GUILDS: u64 = 1;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_MESSAGES: u64 = 1 << 9;
/// The bit of the application's flags that grants the members' intent, for bots in few guilds.
const GRANTS_MEMBERS: u64 = 1 << 15;

/// What the gateway knows.
#[derive(Default)]
pub(super) struct Gateway {
    lines: Vec<Line>,
    sessions: Vec<Session>,
    /// What bots introduced themselves with.
    pub(super) introductions: Vec<Value>,
    /// What they wanted to resume with, and how often they could.
    resumptions: Vec<Value>,
    resumed: usize,
    /// The next connection is opened and hears nothing.
    mute: bool,
    heartbeat: Option<Duration>,
}

struct Line {
    out: mpsc::UnboundedSender<Out>,
    session: Option<usize>,
    open: bool,
    beats: usize,
}

struct Session {
    id: String,
    /// Whose it is: nobody else goes on with it.
    token: String,
    intents: u64,
    alive: bool,
    said: Vec<(String, Value)>,
}

enum Out {
    Say(Value),
    Close(u16),
    Cut,
}

impl Fake {
    /// Something happens: told to every session that asks for it.
    pub fn happens(&self, name: &str, data: &Value) {
        self.world.lock().unwrap().gateway.dispatch(name, data);
    }

    /// Somebody acts, and Discord tells the gateway; gives the bot's answer.
    pub async fn tells(&self, payload: &Value) -> Value {
        self.happens("INTERACTION_CREATE", payload);
        let id = payload["id"].as_str().unwrap();
        until("no answer to an interaction", async || {
            self.answers(id).into_iter().next()
        })
        .await
    }

    /// The answers that an interaction got by HTTP.
    pub fn answers(&self, interaction: &str) -> Vec<Value> {
        let world = self.world.lock().unwrap();
        let found = world.interactions.get(interaction);
        found.map(|i| i.answers.clone()).unwrap_or_default()
    }

    /// Introductions so far.
    pub fn introductions(&self) -> Vec<Value> {
        self.world.lock().unwrap().gateway.introductions.clone()
    }

    /// Resumptions so far.
    pub fn resumed(&self) -> usize {
        self.world.lock().unwrap().gateway.resumed
    }

    /// What bots wanted to resume with so far: the session, and the last number that they heard there.
    pub fn resumptions(&self) -> Vec<(String, i64)> {
        let world = self.world.lock().unwrap();
        let all = world.gateway.resumptions.iter();
        let told = |data: &Value| {
            let session = data["session_id"].as_str().unwrap_or_default();
            (session.to_owned(), data["seq"].as_i64().unwrap_or(-1))
        };
        all.map(told).collect()
    }

    /// The newest session, and the number of the last thing that was said in it.
    pub fn newest_session(&self) -> (String, i64) {
        let world = self.world.lock().unwrap();
        let session = world.gateway.sessions.last().unwrap();
        (
            session.id.clone(),
            i64::try_from(session.said.len()).unwrap(),
        )
    }

    /// Connections that are open and in a session.
    pub fn connected(&self) -> usize {
        let world = self.world.lock().unwrap();
        let lines = world.gateway.lines.iter();
        lines.filter(|l| l.open && l.session.is_some()).count()
    }

    /// Connections so far, and those of them that are over.
    pub fn lines(&self) -> (usize, usize) {
        let world = self.world.lock().unwrap();
        let lines = &world.gateway.lines;
        (lines.len(), lines.iter().filter(|line| !line.open).count())
    }

    /// How often bots said that they are there.
    pub fn beats(&self) -> usize {
        let world = self.world.lock().unwrap();
        world.gateway.lines.iter().map(|line| line.beats).sum()
    }

    /// Closes all connections with a code.
    pub fn closes(&self, code: u16) {
        self.world.lock().unwrap().gateway.out(|| Out::Close(code));
    }

    /// Lets all connections drop without a word.
    pub fn cuts(&self) {
        self.world.lock().unwrap().gateway.out(|| Out::Cut);
    }

    /// Asks bots to connect again.
    pub fn asks_to_reconnect(&self) {
        let mut world = self.world.lock().unwrap();
        world
            .gateway
            .out(|| Out::Say(json!({ "op": 7, "d": null })));
    }

    /// Forgets all sessions, so that none can be resumed.
    pub fn forgets_sessions(&self) {
        let mut world = self.world.lock().unwrap();
        for session in &mut world.gateway.sessions {
            session.alive = false;
        }
    }

    /// Opens the next connection and says nothing on it.
    pub fn greets_nobody_once(&self) {
        self.world.lock().unwrap().gateway.mute = true;
    }

    /// Wants to hear of bots as often as this.
    pub fn wants_beats(&self, every: Duration) {
        self.world.lock().unwrap().gateway.heartbeat = Some(every);
    }
}

impl Gateway {
    fn out(&mut self, out: impl Fn() -> Out) {
        for line in self.lines.iter().filter(|line| line.open) {
            let _ = line.out.send(out());
        }
    }

    pub(super) fn dispatch(&mut self, name: &str, data: &Value) {
        for at in 0..self.sessions.len() {
            let session = &mut self.sessions[at];
            if session.alive && wants(session.intents, name) {
                self.say(at, name, data.clone());
            }
        }
    }

    fn say(&mut self, at: usize, name: &str, data: Value) {
        let session = &mut self.sessions[at];
        let said = dispatched(session.said.len() + 1, name, &data);
        session.said.push((name.to_owned(), data));
        let lines = self.lines.iter();
        for line in lines.filter(|l| l.open && l.session == Some(at)) {
            let _ = line.out.send(Out::Say(said.clone()));
        }
    }

    /// What the other side said on a line: the code to close it with, where it may not.
    fn hear(&mut self, at: usize, said: &Value, world: &Told) -> Result<(), u16> {
        match said["op"].as_u64() {
            Some(1) => {
                let line = &mut self.lines[at];
                line.beats += 1;
                let _ = line.out.send(Out::Say(json!({ "op": 11 })));
                Ok(())
            }
            Some(2 | 6) if self.lines[at].session.is_some() => Err(4_005),
            Some(2) => self.introduce(at, &said["d"], world),
            Some(6) => self.resume(at, &said["d"]),
            Some(3 | 4 | 8) if self.lines[at].session.is_none() => Err(4_003),
            Some(3 | 4 | 8) => Ok(()),
            _ => Err(4_001),
        }
    }

    fn introduce(&mut self, at: usize, data: &Value, world: &Told) -> Result<(), u16> {
        self.introductions.push(data.clone());
        let token = authentic(data)?;
        let intents = data["intents"].as_u64().ok_or(4_013_u16)?;
        if intents >= 1 << 26 || !data["properties"].is_object() {
            return Err(4_013);
        }
        if intents & GUILD_MEMBERS != 0 && world.flags & GRANTS_MEMBERS == 0 {
            return Err(4_014);
        }
        if data["shard"] != json!([0, 1]) {
            return Err(4_010);
        }
        self.sessions.push(Session {
            id: format!("session-{}", self.sessions.len()),
            token: token.to_owned(),
            intents,
            alive: true,
            said: Vec::new(),
        });
        let session = self.sessions.len() - 1;
        self.lines[at].session = Some(session);
        let away = |(id, _): &(String, String)| json!({ "id": id, "unavailable": true });
        let ready = json!({
            "v": 10, "session_id": self.sessions[session].id, "resume_gateway_url": world.url, "shard": [0, 1],
            "user": { "id": BOT, "username": "idp", "discriminator": "0", "bot": true },
            "guilds": world.guilds.iter().map(away).collect::<Value>(),
            "application": { "id": APPLICATION, "flags": world.flags },
        });
        self.say(session, "READY", ready);
        for (id, name) in &world.guilds {
            let guild =
                json!({ "id": id, "name": name, "roles": [], "channels": [], "members": [] });
            self.say(session, "GUILD_CREATE", guild);
        }
        Ok(())
    }

    fn resume(&mut self, at: usize, data: &Value) -> Result<(), u16> {
        self.resumptions.push(data.clone());
        let token = authentic(data)?;
        let found = self
            .sessions
            .iter()
            .position(|s| s.alive && s.token == token && data["session_id"] == s.id.as_str());
        let Some(session) = found else {
            let _ = self.lines[at]
                .out
                .send(Out::Say(json!({ "op": 9, "d": false })));
            return Ok(());
        };
        let heard = usize::try_from(data["seq"].as_u64().ok_or(4_007_u16)?).unwrap();
        if heard > self.sessions[session].said.len() {
            return Err(4_007);
        }
        self.resumed += 1;
        // A session has one line: what is still open of it is closed, and its goodbye ends nothing.
        for line in &mut self.lines {
            if line.session == Some(session) {
                line.session = None;
                let _ = line.out.send(Out::Close(4_000));
            }
        }
        self.lines[at].session = Some(session);
        let said = &self.sessions[session].said;
        for (n, (name, data)) in said.iter().enumerate().skip(heard) {
            let again = dispatched(n + 1, name, data);
            let _ = self.lines[at].out.send(Out::Say(again));
        }
        self.say(session, "RESUMED", json!({}));
        Ok(())
    }
}

/// What the rest of the world tells the gateway.
struct Told {
    flags: u64,
    guilds: Vec<(String, String)>,
    url: String,
}

/// Whose token it is.
fn authentic(data: &Value) -> Result<&str, u16> {
    let token = data["token"].as_str().unwrap_or_default();
    let token = token.strip_prefix("Bot ").unwrap_or(token);
    if [BOT_TOKEN, OTHER_TOKEN].contains(&token) {
        Ok(token)
    } else {
        Err(4_004)
    }
}

fn dispatched(number: usize, name: &str, data: &Value) -> Value {
    json!({ "op": 0, "s": number, "t": name, "d": data })
}

/// Which intent an event takes ("List of Intents").
fn wants(intents: u64, name: &str) -> bool {
    let needed = match name {
        "INTERACTION_CREATE" => 0,
        _ if name.starts_with("GUILD_MEMBER_") => GUILD_MEMBERS,
        _ if name.starts_with("MESSAGE_") => GUILD_MESSAGES,
        _ => GUILDS,
    };
    intents & needed == needed
}

pub(super) async fn connect(
    State(world): State<Arc<Mutex<World>>>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let query = query.unwrap_or_default();
    let known = query.contains("v=10") && query.contains("encoding=json");
    if !known {
        let mut world = world.lock().unwrap();
        world.refused.push(format!("a connection with {query}"));
    }
    upgrade.on_upgrade(move |socket| line(world, socket))
}

async fn line(world: Arc<Mutex<World>>, mut socket: WebSocket) {
    let (out, mut queue) = mpsc::unbounded_channel();
    let (at, mute, heartbeat) = {
        let gateway = &mut world.lock().unwrap().gateway;
        gateway.lines.push(Line {
            out,
            session: None,
            open: true,
            beats: 0,
        });
        let mute = std::mem::take(&mut gateway.mute);
        let heartbeat = gateway.heartbeat.unwrap_or(HEARTBEAT);
        (gateway.lines.len() - 1, mute, heartbeat)
    };
    if !mute {
        let every = u64::try_from(heartbeat.as_millis()).unwrap();
        let hello = json!({ "op": 10, "d": { "heartbeat_interval": every } });
        let _ = socket.send(Message::text(hello.to_string())).await;
    }
    let goodbye = talk(&world, at, &mut socket, &mut queue).await;
    let gateway = &mut world.lock().unwrap().gateway;
    gateway.lines[at].open = false;
    // Whoever says goodbye comes back as somebody new.
    if let (Some(1_000 | 1_001), Some(session)) = (goodbye, gateway.lines[at].session) {
        gateway.sessions[session].alive = false;
    }
}

/// Talks until either side ends it; gives the code that the other side closed with.
async fn talk(
    world: &Arc<Mutex<World>>,
    at: usize,
    socket: &mut WebSocket,
    queue: &mut mpsc::UnboundedReceiver<Out>,
) -> Option<u16> {
    loop {
        tokio::select! {
            said = socket.recv() => match said {
                Some(Ok(Message::Text(said))) => {
                    let said: Value = serde_json::from_str(&said).unwrap();
                    let mut world = world.lock().unwrap();
                    let told = Told {
                        flags: world.flags,
                        guilds: world.guilds.clone(),
                        url: world.gateway_url.clone(),
                    };
                    if let Err(code) = world.gateway.hear(at, &said, &told) {
                        let _ = world.gateway.lines[at].out.send(Out::Close(code));
                    }
                }
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            },
            out = queue.recv() => match out {
                Some(Out::Say(said)) => {
                    let _ = socket.send(Message::text(said.to_string())).await;
                }
                Some(Out::Close(code)) => {
                    let reason = Utf8Bytes::from_static("");
                    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason }))).await;
                    return None;
                }
                Some(Out::Cut) | None => return None,
            },
        }
    }
}
