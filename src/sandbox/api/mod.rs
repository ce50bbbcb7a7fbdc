//! Slack's Web API, as far as the app uses it: `/api/METHOD` with forms or JSON, tokens, scopes, rate limits, and the
//! errors by the names that Slack gives them. Names and arguments: <https://docs.slack.dev/reference/methods>.

mod access;
mod args;
mod auth;
pub(in crate::sandbox) mod blocks;
mod chat;
mod conversations;
mod hooks;
mod methods;
mod page;
mod people;
mod reply;
mod views;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::{any, post},
};
use serde_json::{Map, Value};
use tokio::time::Instant;

use self::{
    args::Args,
    methods::{Method, Token},
    reply::{ApiError, respond},
};
use super::{
    acts::Told,
    world::{CallRecord, Inner, MessageRef, World},
};

/// The routes of the Web API and of response URLs.
pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/api/{method}", any(call)).route(
        "/hooks/{kind}/{team}/{number}/{secret}",
        post(hooks::respond),
    )
}

async fn call(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let (args, outcome) = match Args::read(query.as_deref(), &headers, &body) {
        Ok(args) => {
            let outcome = answer(&world, &name, &headers, &args);
            (args, outcome)
        }
        Err(error) => (Args::default(), Err(error)),
    };
    let (status, shown) = match &outcome {
        Ok(answer) => (200, Value::Object(answer.clone())),
        Err(error) => (error.status(), Value::Object(error.body())),
    };
    let scopes = world.settings().scopes.join(",");
    world.with(|inner| {
        let record = CallRecord {
            id: inner.log.next_id(),
            method: name.clone(),
            touched: touched(&name, &args, &shown),
            args: args.shown(),
            at: inner.now,
            status,
            answer: shown,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        inner.log_call(record);
    });
    if let Ok(answer) = &outcome {
        told(&world, &name, answer);
    }
    respond(outcome, &scopes)
}

/// An app that subscribed to messages also hears of its own.
fn told(world: &Arc<World>, method: &str, answer: &Map<String, Value>) {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let what = match method {
        "chat.postMessage" => Told::Posted,
        "chat.update" => Told::Edited,
        _ => return,
    };
    world.tell(&what, text("channel"), text("ts"));
}

fn answer(
    world: &Arc<World>,
    name: &str,
    headers: &HeaderMap,
    args: &Args,
) -> Result<Map<String, Value>, ApiError> {
    let method = methods::find(name)
        .ok_or_else(|| ApiError::new("unknown_method").with("req_method", name.into()))?;
    world.with(|inner| {
        authorized(world, inner, method, &args.token(headers))?;
        let channel = args.text("channel");
        let channel = channel.map(|name| {
            inner
                .visible(&name)
                .map_or(name.clone(), |own| own.id.clone())
        });
        inner
            .admit(name, method.tier, channel.as_deref())
            .map_err(ApiError::rate_limited)?;
        (method.run)(world, inner, args)
    })
}

/// The right kind of token, still good, with one of the scopes that the method asks for.
fn authorized(world: &World, inner: &Inner, method: &Method, token: &str) -> Result<(), ApiError> {
    if token.is_empty() {
        return Err(ApiError::new("not_authed"));
    }
    let config = world.config();
    match method.token {
        Token::App if token == config.app_token => Ok(()),
        Token::App if token == config.bot_token => Err(ApiError::new("not_allowed_token_type")),
        Token::Bot if token == config.app_token => Err(ApiError::new("not_allowed_token_type")),
        Token::Bot if token == config.bot_token && inner.workspace.app.revoked => {
            Err(ApiError::new("token_revoked"))
        }
        Token::Bot if token == config.bot_token => {
            let granted = &inner.settings.scopes;
            let enough = method.scopes.is_empty()
                || method
                    .scopes
                    .iter()
                    .any(|scope| granted.iter().any(|own| own == scope));
            if enough {
                Ok(())
            } else {
                Err(ApiError::missing_scope(method.scopes, granted))
            }
        }
        Token::App | Token::Bot => Err(ApiError::new("invalid_auth")),
    }
}

/// The message that a call made or changed.
fn touched(method: &str, args: &Args, answer: &Value) -> Option<MessageRef> {
    if !method.starts_with("chat.") {
        return None;
    }
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let channel = text(answer, "channel").or_else(|| args.text("channel"))?;
    let ts = text(answer, "ts")
        .or_else(|| text(answer, "message_ts"))
        .or_else(|| args.text("ts"))
        .or_else(|| args.text("message_ts"))?;
    Some(MessageRef { channel, ts })
}
