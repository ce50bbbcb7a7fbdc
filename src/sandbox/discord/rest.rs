//! Discord's REST API, as far as apps of this kind use it: `/discord/api/v10/…` with tokens, permissions, rate limits, and
//! refusals by Discord's codes (docs.discord.com/developers/reference).

mod answers;
mod call;
mod channels;
mod guild;
mod messages;
mod myself;

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::time::Instant;

use self::call::Call;
use super::{error::Refusal, id::Id};
use crate::sandbox::world::{CallRecord, Inner, MessageRef, World};

/// Versions that are served; they differ in nothing that is simulated.
const VERSIONS: [&str; 2] = ["v10", "v9"];

/// An answer that says yes.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    body: Value,
    touched: Option<MessageRef>,
}

type Done = Result<Reply, Refusal>;

impl Reply {
    fn ok(body: impl Into<Value>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            touched: None,
        }
    }

    /// 204.
    fn empty() -> Self {
        Self {
            status: 204,
            ..Self::ok(Value::Null)
        }
    }

    fn created(self) -> Self {
        Self {
            status: 201,
            ..self
        }
    }

    /// The message that was made or changed.
    fn touching(self, channel: Id, message: Id) -> Self {
        let touched = MessageRef {
            channel: channel.to_string(),
            ts: message.to_string(),
        };
        Self {
            touched: Some(touched),
            ..self
        }
    }
}

/// Any call.
pub(super) async fn call(
    State(world): State<Arc<World>>,
    Path((version, path)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let mut call = Call {
        method,
        path: path.split('/').map(ToOwned::to_owned).collect(),
        query,
        body: Value::Null,
    };
    let read = read(&body);
    if let Ok(body) = &read {
        call.body = body.clone();
    }
    let mut rates = Vec::new();
    let outcome = async {
        if !VERSIONS.contains(&version.as_str()) {
            return Err(Refusal::not_found());
        }
        world.with(|inner| {
            introduced(&headers)?;
            let open = call.by_interaction() || call.words() == ["gateway"];
            if !open {
                authorized(&world, inner, &headers)?;
            }
            rates = inner.rate(&call.route(), !call.by_interaction())?;
            Ok(())
        })?;
        read?;
        if call.method == Method::PATCH && call.words() == ["applications", "@me"] {
            return myself::change(&world, &call).await;
        }
        world.with(|inner| dispatch(&world, inner, &call))
    };
    let outcome = outcome.await;
    record(&world, &call, &outcome, started);
    respond(outcome, rates)
}

/// "Clients must provide a User-Agent"; without one Cloudflare refuses the call.
fn introduced(headers: &HeaderMap) -> Result<(), Refusal> {
    let agent = headers.get("user-agent").and_then(|own| own.to_str().ok());
    if agent.is_some_and(|own| own.starts_with("DiscordBot (")) {
        Ok(())
    } else {
        Err(Refusal::of(40_333))
    }
}

fn authorized(world: &World, inner: &Inner, headers: &HeaderMap) -> Result<(), Refusal> {
    let told = headers
        .get("authorization")
        .and_then(|own| own.to_str().ok());
    let token = told.and_then(|own| own.strip_prefix("Bot "));
    let good = token == Some(world.config().discord.bot_token.as_str());
    if good && !inner.discord.application.revoked {
        Ok(())
    } else {
        Err(Refusal::unauthorized())
    }
}

fn read(body: &Bytes) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::of(50_109))
}

fn dispatch(world: &World, inner: &mut Inner, call: &Call) -> Done {
    let words = call.words();
    match (call.method.as_str(), &words[..]) {
        ("GET", ["gateway"]) => Ok(myself::gateway(world)),
        ("GET", ["gateway", "bot"]) => Ok(myself::gateway_bot(world)),
        ("GET", ["users", "@me"]) => Ok(myself::user(inner)),
        ("GET", ["users", "@me", "guilds"]) => myself::guilds(inner, call),
        ("POST", ["users", "@me", "channels"]) => channels::open_direct(inner, call),
        ("GET", ["users", _]) => guild::user(inner, call),
        ("GET", ["applications" | "oauth2", "@me"] | ["oauth2", "applications", "@me"]) => {
            Ok(myself::application(world, inner))
        }
        ("GET", ["applications", _, "commands"]) => myself::commands(inner, call),
        ("PUT", ["applications", _, "commands"]) => myself::register(inner, call),
        ("GET", ["guilds", _, ..]) => guild::get(inner, call, &words[2..]),
        ("GET", ["channels", _]) => channels::get(inner, call),
        ("PATCH", ["channels", _]) => channels::change(inner, call),
        ("DELETE", ["channels", _]) => channels::delete(inner, call),
        ("POST", ["channels", _, "typing"]) => channels::typing(inner, call),
        ("GET", ["channels", _, "messages"]) => messages::list(inner, call),
        ("POST", ["channels", _, "messages"]) => messages::post(inner, call),
        ("GET", ["channels", _, "messages", _]) => messages::get(inner, call),
        ("PATCH", ["channels", _, "messages", _]) => messages::edit(inner, call),
        ("DELETE", ["channels", _, "messages", _]) => messages::delete(inner, call),
        ("POST", ["channels", _, "messages", _, "threads"]) => channels::open_thread(inner, call),
        ("POST", ["interactions", _, _, "callback"]) => answers::first(inner, call),
        ("POST", ["webhooks", _, _]) => answers::follow_up(inner, call),
        ("GET", ["webhooks", _, _, "messages", _]) => answers::get(inner, call),
        ("PATCH", ["webhooks", _, _, "messages", _]) => answers::edit(inner, call),
        ("DELETE", ["webhooks", _, _, "messages", _]) => answers::delete(inner, call),
        _ => Err(Refusal::not_found()),
    }
}

fn record(world: &World, call: &Call, outcome: &Done, started: Instant) {
    let (status, answer, touched) = match outcome {
        Ok(reply) => (reply.status, reply.body.clone(), reply.touched.clone()),
        Err(refusal) => (refusal.status, refusal.body(), None),
    };
    world.with(|inner| {
        let record = CallRecord {
            id: inner.log.next_id(),
            method: call.shown(),
            args: call.body.clone(),
            at: inner.now,
            status,
            answer,
            touched,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        inner.log_call(record);
    });
}

fn respond(outcome: Done, rates: Vec<(&'static str, String)>) -> Response {
    let (status, body, mut headers) = match outcome {
        Ok(reply) => (reply.status, reply.body, rates),
        Err(refusal) => {
            let mut headers = rates;
            headers.extend(refusal.headers.iter().cloned());
            (refusal.status, refusal.body(), headers)
        }
    };
    // "Via" tells Discord's own refusals from those of the network before it.
    headers.push(("via", "1.1 sandbox".to_owned()));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if status == StatusCode::NO_CONTENT {
        status.into_response()
    } else {
        (status, axum::Json(body)).into_response()
    };
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}
