//! One connection: hello, identify or resume, heartbeats, events, and the codes it closes with
//! (docs.discord.com/developers/topics/opcodes-and-status-codes, "Gateway").

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{intent, sessions::Order};
use crate::sandbox::{
    discord::wire,
    world::{Change, World},
};

/// How often the app is to show that it lives.
const HEARTBEAT: Duration = Duration::from_millis(41_250);

/// Opcodes.
const DISPATCH: u64 = 0;
const BEAT: u64 = 1;
const IDENTIFY: u64 = 2;
const RESUME: u64 = 6;
const RECONNECT: u64 = 7;
const INVALID: u64 = 9;
const HELLO: u64 = 10;
const BEAT_ACK: u64 = 11;
/// Presence, voice, members: taken and left.
const IGNORED: [u64; 4] = [3, 4, 8, 31];

/// Close codes with their words.
const UNKNOWN_OPCODE: Close = Close(4_001, "Unknown opcode.");
const DECODE: Close = Close(4_002, "Error while decoding payload.");
const NOT_AUTHENTICATED: Close = Close(4_003, "Not authenticated.");
const AUTHENTICATION: Close = Close(4_004, "Authentication failed.");
const ALREADY: Close = Close(4_005, "Already authenticated.");
const TIMED_OUT: Close = Close(4_009, "Session timed out.");
const SHARD: Close = Close(4_010, "Invalid shard.");
const INVALID_INTENTS: Close = Close(4_013, "Invalid intent(s).");
const DISALLOWED_INTENTS: Close = Close(4_014, "Disallowed intent(s).");
/// After opcode 7 the app is expected to come again; so are others that find the connection gone. Discord names no code for
/// a connection whose session went on over another one: it gets this one too.
const AGAIN: Close = Close(4_000, "Reconnect.");

#[derive(Clone, Copy, Debug)]
struct Close(u16, &'static str);

/// `GET /discord/gateway`.
pub(in crate::sandbox) async fn connect(
    State(world): State<Arc<World>>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let zlib = match query.get("compress").map(String::as_str) {
        None => None,
        Some("zlib-stream") => Some(Compress::new(Compression::fast(), true)),
        // zstd is left out: no client has to have it.
        Some(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    if query.get("encoding").is_some_and(|own| own != "json") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    upgrade.on_upgrade(move |socket| async move {
        let (orders, inbox) = mpsc::unbounded_channel();
        let mut connection = Connection {
            world,
            socket,
            zlib,
            session: None,
            orders,
        };
        connection.serve(inbox).await;
    })
}

struct Connection {
    world: Arc<World>,
    socket: WebSocket,
    zlib: Option<Compress>,
    session: Option<String>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Connection {
    async fn serve(&mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let every = u64::try_from(HEARTBEAT.as_millis()).unwrap_or_default();
        let hello = json!({ "op": HELLO, "d": { "heartbeat_interval": every, "_trace": ["[\"sandbox\"]"] }, "s": null, "t": null });
        if self.send(&hello.to_string()).await.is_err() {
            return;
        }
        let closed = self.talk(&mut inbox).await;
        if let Some(Close(code, reason)) = closed {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let _ = self.socket.send(Message::Close(Some(frame))).await;
        }
        if let Some(session) = self.session.take() {
            self.world.with(|inner| {
                let now = inner.now;
                inner.live.sessions.lose(&session, &self.orders, now);
                inner.changed(Change::Workspace);
            });
        }
    }

    /// Carries frames both ways until one side ends it.
    async fn talk(&mut self, inbox: &mut mpsc::UnboundedReceiver<Order>) -> Option<Close> {
        let mut silent_at = Instant::now() + HEARTBEAT * 2;
        loop {
            tokio::select! {
                order = inbox.recv() => match order? {
                    Order::Frame(frame) => self.send(&frame).await.ok()?,
                    Order::Reconnect => {
                        self.send(&plain(RECONNECT, &Value::Null)).await.ok()?;
                        return Some(AGAIN);
                    }
                    Order::Invalid(may_resume) => {
                        self.send(&plain(INVALID, &may_resume.into())).await.ok()?;
                    }
                    Order::Close => return Some(AGAIN),
                },
                frame = self.socket.recv() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        silent_at = Instant::now() + HEARTBEAT * 2;
                        if let Err(close) = self.take(text.as_str()).await {
                            return Some(close);
                        }
                    }
                    Some(Ok(Message::Binary(_))) => return Some(DECODE),
                    Some(Ok(Message::Close(frame))) => {
                        self.leave(frame.map(|own| own.code));
                        return None;
                    }
                    Some(Err(_)) | None => return None,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                },
                () = sleep_until(silent_at) => return Some(TIMED_OUT),
            }
        }
    }

    /// A client that closes with 1000 or 1001 ends its session.
    fn leave(&mut self, code: Option<u16>) {
        if matches!(code, Some(1_000 | 1_001))
            && let Some(session) = self.session.take()
        {
            self.world.with(|inner| {
                inner.live.sessions.end(&session, &self.orders);
                inner.changed(Change::Workspace);
            });
        }
    }

    async fn take(&mut self, text: &str) -> Result<(), Close> {
        let frame: Value = serde_json::from_str(text).map_err(|_| DECODE)?;
        let op = frame.get("op").and_then(Value::as_u64).ok_or(DECODE)?;
        let data = frame.get("d").cloned().unwrap_or_default();
        match op {
            BEAT => {
                // A send that fails shows at the next frame.
                let _ = self.send(&plain(BEAT_ACK, &Value::Null)).await;
                Ok(())
            }
            IDENTIFY | RESUME if self.session.is_some() => Err(ALREADY),
            IDENTIFY => self.identify(&data),
            RESUME => self.resume(&data).await,
            op if IGNORED.contains(&op) && self.session.is_none() => Err(NOT_AUTHENTICATED),
            op if IGNORED.contains(&op) => Ok(()),
            DISPATCH.. => Err(UNKNOWN_OPCODE),
        }
    }

    fn authentic(&self, data: &Value) -> Result<(), Close> {
        let token = data
            .get("token")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let token = token.trim_start_matches("Bot ");
        let revoked = self.world.with(|inner| inner.discord.application.revoked);
        if revoked || token != self.world.config().discord.bot_token {
            return Err(AUTHENTICATION);
        }
        Ok(())
    }

    fn identify(&mut self, data: &Value) -> Result<(), Close> {
        self.authentic(data)?;
        let intents = data.get("intents").and_then(Value::as_u64);
        let intents = intents.filter(|own| own & !intent::ALL == 0);
        let intents = intents.ok_or(INVALID_INTENTS)?;
        if data.get("shard").is_some_and(|own| *own != json!([0, 1])) {
            return Err(SHARD);
        }
        let id = hex::encode(rand::random::<[u8; 16]>());
        let url = gateway_url(&self.world);
        let orders = self.orders.clone();
        self.world.with(|inner| {
            let application = &inner.discord.application;
            let mut off = intent::GUILD_PRESENCES;
            off |= if application.members_intent { 0 } else { intent::GUILD_MEMBERS };
            off |= if application.content_intent { 0 } else { intent::MESSAGE_CONTENT };
            if intents & off != 0 {
                return Err(DISALLOWED_INTENTS);
            }
            let bot = inner.discord.members.iter().find(|own| own.id == application.bot);
            let here = bot.is_some_and(|own| !own.left);
            let guilds = here.then(|| json!({ "id": inner.discord.guild.id, "unavailable": true }));
            let ready = json!({
                "v": 10, "user": bot.map(wire::user), "guilds": guilds.into_iter().collect::<Vec<_>>(),
                "session_id": id, "resume_gateway_url": url, "shard": [0, 1], "session_type": "normal",
                "application": { "id": application.id, "flags": inner.discord.application_flags() },
                "private_channels": [], "relationships": [], "presences": [], "_trace": ["[\"sandbox\"]"],
            });
            let now = inner.now;
            inner.live.sessions.begin(&id, intents, orders, now);
            inner.emit_to(&id, "READY", &ready);
            if here && intents & intent::GUILDS != 0 {
                let guild = inner.discord.guild_event();
                inner.emit_to(&id, "GUILD_CREATE", &guild);
            }
            inner.changed(Change::Workspace);
            Ok(())
        })?;
        self.session = Some(id);
        Ok(())
    }

    async fn resume(&mut self, data: &Value) -> Result<(), Close> {
        self.authentic(data)?;
        let id = data.get("session_id").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let seq = data.get("seq").and_then(Value::as_u64).unwrap_or_default();
        let orders = self.orders.clone();
        let missed = self.world.with(|inner| {
            let now = inner.now;
            let missed = inner.live.sessions.resume(&id, seq, orders, now)?;
            inner.changed(Change::Workspace);
            Some(missed)
        });
        let Some(missed) = missed else {
            let _ = self.send(&plain(INVALID, &false.into())).await;
            return Ok(());
        };
        for frame in missed {
            let _ = self.send(&frame).await;
        }
        self.world
            .with(|inner| inner.emit_to(&id, "RESUMED", &json!({ "_trace": [] })));
        self.session = Some(id);
        Ok(())
    }

    async fn send(&mut self, frame: &str) -> Result<(), axum::Error> {
        let message = match &mut self.zlib {
            None => Message::text(frame.to_owned()),
            Some(zlib) => Message::Binary(squeezed(zlib, frame.as_bytes()).into()),
        };
        self.socket.send(message).await
    }
}

/// Where the gateway is.
pub(in crate::sandbox) fn gateway_url(world: &World) -> String {
    let base = world.base().as_str().replacen("http", "ws", 1);
    format!("{}/discord/gateway", base.trim_end_matches('/'))
}

fn plain(op: u64, data: &Value) -> String {
    json!({ "op": op, "d": data, "s": null, "t": null }).to_string()
}

/// One more piece of the connection's one compressed stream, ended by a sync flush
/// ("Transport Compression": the suffix `00 00 ff ff`).
fn squeezed(zlib: &mut Compress, frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len() / 2 + 64);
    let mut at = 0;
    loop {
        let before = zlib.total_in();
        let room = out.capacity() - out.len();
        if room < 64 {
            out.reserve(4_096);
        }
        let result = zlib.compress_vec(&frame[at..], &mut out, FlushCompress::Sync);
        let taken = usize::try_from(zlib.total_in() - before).unwrap_or_default();
        at += taken;
        let full = out.len() == out.capacity();
        if result.is_err() || (at >= frame.len() && !full) {
            return out;
        }
    }
}
