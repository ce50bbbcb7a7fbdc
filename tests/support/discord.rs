//! A small Discord of its own for the stories that speak raw HTTP: written from Discord's documentation, apart from the
//! bot, so that both can't share a mistake.
//!
//! It answers the REST calls that the bot makes, keeps what stands, and refuses what Discord refuses: a missing
//! introduction or token, messages that are empty, too long or have too many, doubled or nameless components, marks that
//! are too long, threads of messages that have one, and what the bot may not in the guild. It signs interactions with the
//! application's key.

mod answers;
mod gateway;
pub mod office;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use answers::Interaction;
use gateway::Gateway;

pub const BOT_TOKEN: &str = "discord-bot-token";
/// The token of another application's bot, which the gateway takes too.
pub const OTHER_TOKEN: &str = "another-discord-bot-token";
/// Where Discord delivers to, as its application says.
pub const ENDPOINT: &str = "https://idp.acme.example/discord/interactions";
pub const APPLICATION: &str = "400000000000000001";
pub const BOT: &str = "300000000000000001";
pub const GUILD: &str = "100000000000000001";
pub const PLATFORM: &str = "500000000000000001";
pub const PRIYA: &str = "200000000000000001";
pub const ALEX: &str = "200000000000000002";
pub const STRANGER: &str = "200000000000000003";
pub const SAM: &str = "200000000000000004";
/// A member who hasn't accepted the guild's rules.
pub const GUEST: &str = "200000000000000005";
const MEMBERS: [&str; 6] = [PRIYA, ALEX, STRANGER, SAM, GUEST, BOT];
/// A channel that Priya, Alex and the bot see and nobody else.
pub const PAYMENTS: &str = "500000000000000003";

/// The roles of the guild, by name.
pub const ROLES: [(&str, &str); 5] = [
    ("@everyone", GUILD),
    ("Engineers", "600000000000000001"),
    ("Platform", "600000000000000002"),
    ("Security", "600000000000000003"),
    ("Payments Leads", "600000000000000004"),
];

const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const CREATE_THREADS: u64 = 1 << 35;
const SEND_IN_THREADS: u64 = 1 << 38;
/// READ_MESSAGE_HISTORY.
pub const READS: u64 = 1 << 16;
/// VIEW_CHANNEL, SEND_MESSAGES: a message in a channel, and nothing else.
pub const POSTS: u64 = VIEW_CHANNEL | SEND_MESSAGES;
/// All that a card and its thread take.
pub const WRITES: u64 = POSTS | READS | CREATE_THREADS | SEND_IN_THREADS;
/// MENTION_EVERYONE: "Mention @everyone, @here, and All Roles".
pub const MENTIONS_ALL: u64 = 1 << 17;

/// An answer that goes wrong instead of the right one.
#[derive(Clone)]
pub struct Fault {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Value,
    /// Whether what was asked for is done all the same: only its answer is lost.
    pub done: bool,
}

#[derive(Clone)]
pub struct Fake {
    pub url: String,
    world: Arc<Mutex<World>>,
    pair: Arc<Ed25519KeyPair>,
}

#[derive(Default)]
struct World {
    last: u64,
    /// By channel or thread, in order.
    messages: BTreeMap<String, Vec<Value>>,
    threads: BTreeMap<String, String>,
    commands: Value,
    faults: BTreeMap<String, VecDeque<Fault>>,
    refused: Vec<String>,
    /// Accounts whose roles were taken away a moment ago.
    bare: Vec<String>,
    /// Accounts that left the guild, and roles that were given to some.
    left: BTreeSet<String>,
    given: Vec<(String, String)>,
    /// Accounts that take no direct messages.
    closed: BTreeSet<String>,
    /// What everybody may in the guild, as bits, and the names of the roles that anyone may mention.
    permitted: u64,
    mentionable: Vec<String>,
    /// What nobody may in `#platform` all the same, and what everybody may there besides.
    denied: u64,
    allowed: u64,
    /// Members besides those who are named here: engineers, with ids that grow.
    crowd: u64,
    /// The application's flags, and where Discord delivers to.
    flags: u64,
    endpoint: Option<String>,
    /// What it signs for, in hex.
    key: String,
    /// The guilds that the bot is in: ids and names.
    guilds: Vec<(String, String)>,
    interactions: BTreeMap<String, Interaction>,
    /// Whether the tokens of interactions are over.
    over: bool,
    gateway: Gateway,
    gateway_url: String,
    /// Calls so far, by their shape.
    calls: BTreeMap<String, usize>,
    /// Whether the bot's token is refused.
    revoked: bool,
    /// So many calls to come meet a server that is down.
    down: u32,
}

/// The bit of the application's flags that grants the members' intent, for bots in few guilds.
const GRANTS_MEMBERS: u64 = 1 << 15;

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pair = Arc::new(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());
        let world = Arc::new(Mutex::new(World {
            key: hex::encode(pair.public_key()),
            last: 700_000_000_000_000_000,
            messages: [PLATFORM, PAYMENTS]
                .map(|channel| (channel.to_owned(), Vec::new()))
                .into(),
            commands: json!([]),
            permitted: WRITES,
            flags: GRANTS_MEMBERS,
            endpoint: Some(ENDPOINT.to_owned()),
            guilds: vec![(GUILD.to_owned(), "Acme".to_owned())],
            gateway_url: format!("ws://{address}/gateway"),
            ..World::default()
        }));
        let router = Router::new()
            .route("/gateway/", get(gateway::connect))
            .fallback(answer)
            .with_state(Arc::clone(&world));
        let url = format!("http://{address}/api/v10");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world, pair }
    }

    pub fn public_key(&self) -> String {
        hex::encode(self.pair.public_key())
    }

    /// Makes the next calls of this shape (`POST /channels/:id/messages`) go wrong, one each.
    pub fn fault(&self, shape: &str, fault: Fault) {
        let mut world = self.world.lock().unwrap();
        world
            .faults
            .entry(shape.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// What stands in a channel or thread.
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        let world = self.world.lock().unwrap();
        world.messages.get(channel).cloned().unwrap_or_default()
    }

    /// Somebody deletes a message, with its thread's place.
    pub fn delete(&self, channel: &str, id: &str) {
        let mut world = self.world.lock().unwrap();
        world
            .messages
            .get_mut(channel)
            .unwrap()
            .retain(|m| m["id"] != id);
        let told = json!({ "id": id, "channel_id": channel, "guild_id": GUILD });
        world.gateway.dispatch("MESSAGE_DELETE", &told);
    }

    /// Takes an account's roles away, so lately that only its own interactions tell.
    pub fn strip(&self, account: &str) {
        self.world.lock().unwrap().bare.push(account.to_owned());
    }

    /// No Interactions Endpoint URL: what happens is told over the gateway.
    pub fn without_endpoint(&self) {
        self.world.lock().unwrap().endpoint = None;
    }

    /// The Server Members intent is off.
    pub fn without_members(&self) {
        self.world.lock().unwrap().flags = 0;
    }

    /// Somebody leaves the guild; the gateway tells.
    pub fn removes(&self, account: &str) {
        let mut world = self.world.lock().unwrap();
        world.left.insert(account.to_owned());
        let told = json!({ "guild_id": GUILD, "user": world.member(account)["user"] });
        world.gateway.dispatch("GUILD_MEMBER_REMOVE", &told);
    }

    /// Somebody who left comes back; the gateway tells.
    pub fn returns(&self, account: &str) {
        let mut world = self.world.lock().unwrap();
        world.left.remove(account);
        let mut told = world.member(account);
        told["guild_id"] = GUILD.into();
        world.gateway.dispatch("GUILD_MEMBER_ADD", &told);
    }

    /// Somebody takes direct messages of the guild's members no more.
    pub fn closes_direct(&self, account: &str) {
        self.world.lock().unwrap().closed.insert(account.to_owned());
    }

    /// Somebody gets a role; the gateway tells.
    pub fn grants(&self, account: &str, role: &str) {
        let mut world = self.world.lock().unwrap();
        world.given.push((account.to_owned(), role.to_owned()));
        let mut told = world.member(account);
        told["guild_id"] = GUILD.into();
        world.gateway.dispatch("GUILD_MEMBER_UPDATE", &told);
    }

    /// Everybody may this in the guild, as bits, and nothing else.
    pub fn permits(&self, bits: u64) {
        self.world.lock().unwrap().permitted = bits;
    }

    /// Nobody may this in `#platform`, as bits.
    pub fn denies(&self, bits: u64) {
        self.world.lock().unwrap().denied = bits;
    }

    /// Everybody may this in `#platform` besides, as bits.
    pub fn allows(&self, bits: u64) {
        self.world.lock().unwrap().allowed = bits;
    }

    /// Anyone may mention these roles, by their names, and no others.
    pub fn mentionable(&self, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned());
        self.world.lock().unwrap().mentionable = roles.collect();
    }

    pub fn shows_members(&self) -> bool {
        self.world.lock().unwrap().flags & GRANTS_MEMBERS != 0
    }

    /// The bot is added to another guild, or taken out of one; the gateway tells.
    pub fn joins(&self, id: &str, name: &str) {
        let mut world = self.world.lock().unwrap();
        world.guilds.push((id.to_owned(), name.to_owned()));
        world
            .gateway
            .dispatch("GUILD_CREATE", &json!({ "id": id, "name": name }));
    }

    pub fn leaves(&self, id: &str) {
        let mut world = self.world.lock().unwrap();
        world.guilds.retain(|(guild, _)| guild != id);
        world.gateway.dispatch("GUILD_DELETE", &json!({ "id": id }));
    }

    /// Somebody deletes a thread.
    pub fn delete_thread(&self, id: &str) {
        let mut world = self.world.lock().unwrap();
        world.threads.remove(id);
        world.messages.remove(id);
        let told = json!({ "id": id, "guild_id": GUILD, "parent_id": PLATFORM, "type": 11 });
        world.gateway.dispatch("THREAD_DELETE", &told);
    }

    /// What a thread is called.
    pub fn thread_name(&self, id: &str) -> Option<String> {
        self.world.lock().unwrap().threads.get(id).cloned()
    }

    /// How often a call of this shape was made.
    pub fn calls(&self, shape: &str) -> usize {
        let world = self.world.lock().unwrap();
        world.calls.get(shape).copied().unwrap_or_default()
    }

    /// So many more members come, all of them engineers; gives the id of the last one.
    pub fn crowd(&self, count: u64) -> String {
        self.world.lock().unwrap().crowd = count;
        crowded(count - 1)
    }

    /// A channel or a thread is deleted, with all that stands in it and under it.
    pub fn delete_channel(&self, channel: &str) {
        let mut world = self.world.lock().unwrap();
        let gone = world.messages.remove(channel).unwrap_or_default();
        // A thread has the id of the message that it was opened under.
        for thread in gone.iter().filter_map(|message| message["id"].as_str()) {
            world.threads.remove(thread);
            world.messages.remove(thread);
        }
    }

    /// The bot's token is refused from now on, or good again.
    pub fn revoke(&self, revoked: bool) {
        self.world.lock().unwrap().revoked = revoked;
    }

    /// So many calls to come meet a server that is down.
    pub fn down(&self, calls: u32) {
        self.world.lock().unwrap().down = calls;
    }

    /// The tokens of all interactions so far and to come are over.
    pub fn over(&self) {
        self.world.lock().unwrap().over = true;
    }

    /// What was said by the token of an interaction after its answer.
    pub fn said(&self, token: &str) -> Vec<Value> {
        let world = self.world.lock().unwrap();
        let mut by = world.interactions.values().filter(|i| i.token == token);
        by.next().map(|i| i.answers.clone()).unwrap_or_default()
    }

    pub fn commands(&self) -> Value {
        self.world.lock().unwrap().commands.clone()
    }

    /// What the bot sent that Discord would never take.
    pub fn refused(&self) -> Vec<String> {
        self.world.lock().unwrap().refused.clone()
    }

    /// Signs a body as Discord does; gives status and answer.
    pub async fn deliver(&self, bot: &str, payload: &Value) -> (u16, Value) {
        let body = payload.to_string();
        let at = chrono::Utc::now().timestamp();
        let signature = self.sign(at, &body);
        let interaction = payload["id"].as_str().unwrap_or_default();
        let kind = {
            let mut world = self.world.lock().unwrap();
            let found = world.interactions.get_mut(interaction);
            // More may follow while the answer is still on its way.
            found.map(|interaction| {
                interaction.answered = true;
                interaction.kind
            })
        };
        let (status, answer) = self.send(bot, body, &at.to_string(), &signature).await;
        let wrong = kind.and_then(|kind| answers::wrong_answer(kind, &answer));
        let mut world = self.world.lock().unwrap();
        world.refused.extend(wrong.filter(|_| status == 200));
        (status, answer)
    }

    /// Discord's signature of a body at a moment.
    pub fn sign(&self, at: i64, body: &str) -> String {
        hex::encode(self.pair.sign(format!("{at}{body}").as_bytes()))
    }

    pub async fn send(&self, bot: &str, body: String, at: &str, signature: &str) -> (u16, Value) {
        let answer = super::http()
            .post(format!("{bot}/discord/interactions"))
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", at)
            .timeout(Duration::from_secs(5))
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// An interaction of a member in `#platform`.
    pub fn interaction(&self, account: &str, kind: u64, data: &Value) -> Value {
        let mut world = self.world.lock().unwrap();
        let id = world.next();
        let mut member = world.member(account);
        if world.bare.iter().any(|bare| bare == account) {
            member["roles"] = json!([]);
        }
        let token = format!("token-{id}");
        let interaction = Interaction::new(token.clone(), kind);
        world.interactions.insert(id.clone(), interaction);
        json!({
            "id": id, "application_id": APPLICATION, "type": kind, "token": token, "version": 1,
            "guild_id": GUILD, "channel_id": PLATFORM, "channel": { "id": PLATFORM, "type": 0, "name": "platform" },
            "member": member, "data": data, "locale": "en-GB",
        })
    }
}

impl World {
    fn next(&mut self) -> String {
        self.last += 1;
        self.last.to_string()
    }

    fn member(&self, id: &str) -> Value {
        let mut member = member(id);
        let roles = member["roles"].as_array_mut().unwrap();
        let given = self.given.iter().filter(|(account, _)| account == id);
        roles.extend(given.map(|(_, role)| Value::from(role.as_str())));
        member
    }

    fn answer(&mut self, method: &Method, path: &[&str], asked: (&str, &Value)) -> (u16, Value) {
        let (query, body) = asked;
        match (method.as_str(), path) {
            ("GET", ["users", "@me"]) => {
                (200, json!({ "id": BOT, "username": "idp", "bot": true }))
            }
            ("GET", ["applications", "@me"]) => (
                200,
                json!({
                    "id": APPLICATION, "name": "idp", "flags": self.flags,
                    "interactions_endpoint_url": self.endpoint, "verify_key": self.key,
                }),
            ),
            ("GET", ["gateway", "bot"]) => (
                200,
                json!({
                    "url": self.gateway_url, "shards": 1,
                    "session_start_limit": { "total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1 },
                }),
            ),
            ("POST", ["interactions", id, token, "callback"]) => self.call_back(id, token, body),
            ("GET", ["users", "@me", "guilds"]) => {
                let guild = |(id, name): &(String, String)| json!({ "id": id, "name": name, "owner": false, "features": [] });
                (200, self.guilds.iter().map(guild).collect())
            }
            ("GET", ["guilds", guild, ..]) if self.guilds.iter().all(|(id, _)| id != guild) => {
                error(403, 50_001)
            }
            ("GET", ["guilds", guild]) => (200, json!({ "id": guild, "name": "Acme" })),
            ("GET", ["guilds", _, "members"]) if self.flags & GRANTS_MEMBERS == 0 => {
                error(403, 50_001)
            }
            ("GET", ["applications", APPLICATION, "commands"]) => (200, self.commands.clone()),
            ("PUT", ["applications", APPLICATION, "commands"]) => {
                self.commands = body.clone();
                (200, body.clone())
            }
            ("GET", ["guilds", _, "roles"]) => {
                let role = |(name, id): &(&str, &str)| {
                    json!({
                        "id": id, "name": name, "managed": false, "permissions": self.permitted.to_string(), "position": 1,
                        "mentionable": self.mentionable.iter().any(|own| own == name),
                    })
                };
                (200, ROLES.iter().map(role).collect())
            }
            ("GET", ["guilds", _, "members"]) => (200, self.page(query)),
            ("GET", ["guilds", _, "members", id])
                if self.members().any(|member| member == **id) =>
            {
                (200, self.member(id))
            }
            ("GET", ["guilds", _, "members", _]) => error(404, 10_007),
            ("GET", ["guilds", _, "channels"]) => (
                200,
                json!([
                { "id": PLATFORM, "type": 0, "name": "platform", "permission_overwrites": [
                    { "id": GUILD, "type": 0, "allow": self.allowed.to_string(), "deny": self.denied.to_string() }] },
                { "id": "500000000000000002", "type": 2, "name": "voice", "permission_overwrites": [] },
                { "id": PAYMENTS, "type": 0, "name": "payments", "permission_overwrites": kept_to(&[PRIYA, ALEX, BOT]) }]),
            ),
            ("POST", ["users", "@me", "channels"]) => {
                let id = format!("9{}", body["recipient_id"].as_str().unwrap());
                self.messages.entry(id.clone()).or_default();
                (200, json!({ "id": id, "type": 1 }))
            }
            // A bot that was taken out sees no channel, and has no server in common with anybody.
            ("POST", ["channels", channel, "messages"])
                if self.is_out() && channel.starts_with('9') =>
            {
                error(403, 50_278)
            }
            ("POST" | "PATCH" | "DELETE", ["channels", channel, ..])
                if self.is_out() && !channel.starts_with('9') =>
            {
                error(403, 50_001)
            }
            ("POST", ["channels", channel, "messages"]) => self.post(channel, body),
            ("PATCH", ["channels", channel, "messages", id]) => self.edit(channel, id, body),
            ("DELETE", ["channels", channel, "messages", id]) => {
                let Some(all) = self.messages.get_mut(*channel) else {
                    return error(404, 10_003);
                };
                all.retain(|m| m["id"] != *id);
                (204, Value::Null)
            }
            ("POST", ["channels", channel, "messages", id, "threads"]) => {
                self.thread(channel, id, body)
            }
            ("POST" | "PATCH", ["webhooks", APPLICATION, ..]) if self.over => error(401, 50_027),
            ("POST", ["webhooks", APPLICATION, token]) => self.follow_up(token, false, body),
            ("PATCH", ["webhooks", APPLICATION, token, "messages", "@original"]) => {
                self.follow_up(token, true, body)
            }
            _ => error(404, 0),
        }
    }

    /// The ids of all members, as they grow.
    fn members(&self) -> impl Iterator<Item = String> {
        let named = MEMBERS.into_iter().map(str::to_owned);
        let crowd = (0..self.crowd).map(crowded);
        let here = |id: &String| !self.left.contains(id);
        let all: BTreeSet<String> = named.chain(crowd).filter(here).collect();
        all.into_iter()
    }

    /// A page of the members: docs.discord.com/developers/resources/guild, "List Guild Members".
    fn page(&self, query: &str) -> Value {
        let word = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let limit = word("limit").and_then(|limit| limit.parse().ok());
        let after = word("after").unwrap_or_default();
        let page = self.members().filter(|id| **id > *after);
        let page = page.take(limit.unwrap_or(1).min(1_000));
        page.map(|id| self.member(&id)).collect()
    }

    /// Whether the bot isn't in the guild whose channels these are.
    fn is_out(&self) -> bool {
        self.guilds.iter().all(|(id, _)| id != GUILD)
    }

    fn post(&mut self, channel: &str, body: &Value) -> (u16, Value) {
        if let Some(wrong) = wrong(body, 1 << 2) {
            return self.refuse(wrong);
        }
        let id = self.next();
        if let Some(forbidden) = self.forbids(channel, body) {
            return forbidden;
        }
        let Some(all) = self.messages.get_mut(channel) else {
            return error(404, 10_003);
        };
        let nonce = &body["nonce"];
        if body["enforce_nonce"] == true
            && let Some(stands) = all.iter().find(|m| m["nonce"] == *nonce)
        {
            return (200, stands.clone());
        }
        let mut message = body.clone();
        message["id"] = id.into();
        message["channel_id"] = channel.into();
        all.push(message.clone());
        (200, message)
    }

    /// Why the bot may not post this there: by what everybody may in the guild, in direct messages by whose they are.
    fn forbids(&self, channel: &str, body: &Value) -> Option<(u16, Value)> {
        let writing = if self.threads.contains_key(channel) {
            SEND_IN_THREADS
        } else {
            SEND_MESSAGES
        };
        if let Some(account) = channel.strip_prefix('9') {
            return self.closed.contains(account).then(|| error(403, 50_007));
        }
        if !self.messages.contains_key(channel) {
            return None;
        }
        let may = match channel {
            PLATFORM => (self.permitted & !self.denied) | self.allowed,
            _ => self.permitted,
        };
        if may & writing == 0 {
            return Some(error(403, 50_013));
        }
        let answers = !body["message_reference"].is_null();
        (answers && may & READS == 0).then(|| error(403, 160_002))
    }

    fn edit(&mut self, channel: &str, id: &str, body: &Value) -> (u16, Value) {
        if let Some(wrong) = wrong(body, 1 << 2) {
            return self.refuse(wrong);
        }
        let Some(all) = self.messages.get_mut(channel) else {
            return error(404, 10_003);
        };
        let Some(message) = all.iter_mut().find(|m| m["id"] == id) else {
            return error(404, 10_008);
        };
        for (key, value) in body.as_object().unwrap() {
            message[key] = value.clone();
        }
        (200, message.clone())
    }

    fn thread(&mut self, channel: &str, id: &str, body: &Value) -> (u16, Value) {
        let name = body["name"].as_str().unwrap_or_default();
        if !(1..=100).contains(&name.chars().count()) {
            return self.refuse(format!("a thread's name: {name:?}"));
        }
        let there = self
            .messages
            .get(channel)
            .is_some_and(|all| all.iter().any(|m| m["id"] == id));
        if !there {
            return error(404, 10_008);
        }
        if self.permitted & READS == 0 {
            return error(403, 160_002);
        }
        if self.permitted & CREATE_THREADS == 0 {
            return error(403, 50_013);
        }
        if self
            .threads
            .insert(id.to_owned(), name.to_owned())
            .is_some()
        {
            return error(400, 160_004);
        }
        self.messages.entry(id.to_owned()).or_default();
        (
            201,
            json!({ "id": id, "type": 11, "parent_id": channel, "name": name }),
        )
    }

    fn refuse(&mut self, why: String) -> (u16, Value) {
        self.refused.push(why);
        error(400, 50_035)
    }
}

fn error(status: u16, code: u64) -> (u16, Value) {
    (status, json!({ "code": code, "message": "No." }))
}

/// What is wrong with a message that may have these flags: docs.discord.com/developers/resources/message, "Create Message", and the components
/// reference.
fn wrong(body: &Value, flags: u64) -> Option<String> {
    let content = body["content"].as_str().unwrap_or_default();
    if content.trim().is_empty() || content.chars().count() > 2_000 {
        return Some(format!("content of {} characters", content.chars().count()));
    }
    if body["nonce"].as_str().is_some_and(|nonce| nonce.len() > 25) {
        return Some(format!("a mark of {}", body["nonce"]));
    }
    if body["flags"].as_u64().unwrap_or_default() & !flags != 0 {
        return Some(format!("flags {}", body["flags"]));
    }
    let rows = body["components"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = Vec::new();
    for row in &rows {
        let buttons = row["components"].as_array().cloned().unwrap_or_default();
        if row["type"] != 1 || !(1..=5).contains(&buttons.len()) {
            return Some(format!("a row {row}"));
        }
        for button in buttons {
            let label = button["label"].as_str().unwrap_or_default();
            let named = match button["style"].as_u64() {
                Some(5) => button["url"].is_string() && button["custom_id"].is_null(),
                Some(1..=4) => button["custom_id"].is_string() && button["url"].is_null(),
                _ => false,
            };
            if !named || !(1..=80).contains(&label.chars().count()) {
                return Some(format!("a button {button}"));
            }
            ids.extend(button["custom_id"].as_str().map(str::to_owned));
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    let doubled = ids.len() < all || ids.iter().any(|id| id.chars().count() > 100);
    (rows.len() > 5 || doubled).then(|| format!("components {rows:?}"))
}

/// The id of a member of the crowd. It is as long as all ids here, so that words sort as numbers do.
fn crowded(number: u64) -> String {
    (210_000_000_000_000_000 + number).to_string()
}

/// A channel's exceptions that keep everybody out but these.
fn kept_to(accounts: &[&str]) -> Value {
    let may = |account: &&str| json!({ "id": account, "type": 1, "allow": VIEW_CHANNEL.to_string(), "deny": "0" });
    let nobody = json!({ "id": GUILD, "type": 0, "allow": "0", "deny": VIEW_CHANNEL.to_string() });
    std::iter::once(nobody)
        .chain(accounts.iter().map(may))
        .collect()
}

/// A member of the guild.
fn member(id: &str) -> Value {
    let role = |wanted: &str| ROLES.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let (name, roles) = match id {
        PRIYA => ("Priya Nair", vec![role("Engineers")]),
        ALEX => (
            "Alex Ruiz",
            ["Engineers", "Platform", "Security", "Payments Leads"]
                .map(role)
                .to_vec(),
        ),
        SAM => (
            "Sam Ito",
            ["Engineers", "Security", "Payments Leads"]
                .map(role)
                .to_vec(),
        ),
        BOT => ("idp", vec![]),
        GUEST => ("Gus Guest", vec![]),
        crowded if crowded.starts_with("21") => ("One Of Many", vec![role("Engineers")]),
        _ => ("Stray Cat", vec![]),
    };
    let user = json!({ "id": id, "username": name.to_lowercase().replace(' ', "."), "global_name": name,
        "bot": id == BOT, "discriminator": "0" });
    json!({ "user": user, "nick": null, "roles": roles, "pending": id == GUEST, "joined_at": "2026-01-01T00:00:00Z" })
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    let path = uri.path().strip_prefix("/api/v10/").unwrap_or_default();
    let path: Vec<&str> = path.split('/').collect();
    let query = uri.query().unwrap_or_default();
    let mut world = world.lock().unwrap();
    if !text("user-agent").starts_with("DiscordBot (") {
        world
            .refused
            .push("a call without an introduction".to_owned());
        return StatusCode::FORBIDDEN.into_response();
    }
    let by_interaction = matches!(path.first(), Some(&"webhooks" | &"interactions"));
    if world.down > 0 {
        world.down -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error").into_response();
    }
    if by_interaction != text("authorization").is_empty()
        || (!by_interaction && world.revoked)
        || (!by_interaction && text("authorization") != format!("Bot {BOT_TOKEN}"))
    {
        return (StatusCode::UNAUTHORIZED, Json(error(401, 0).1)).into_response();
    }
    let body: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap()
    };
    let is_id = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let shape: Vec<&str> = path
        .iter()
        .map(|w| match w {
            w if is_id(w) => ":id",
            w if w.starts_with("token-") => ":token",
            w => w,
        })
        .collect();
    let shape = format!("{method} /{}", shape.join("/"));
    *world.calls.entry(shape.clone()).or_default() += 1;
    let fault = world.faults.get_mut(&shape).and_then(VecDeque::pop_front);
    if let Some(fault) = fault {
        if fault.done {
            world.answer(&method, &path, (query, &body));
        }
        let status = StatusCode::from_u16(fault.status).unwrap();
        let mut answer = (status, Json(fault.body)).into_response();
        for (name, value) in fault.headers {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        return answer;
    }
    let (status, answer) = world.answer(&method, &path, (query, &body));
    let status = StatusCode::from_u16(status).unwrap();
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    (status, Json(answer)).into_response()
}
