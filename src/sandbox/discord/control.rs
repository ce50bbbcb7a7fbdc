//! `/sim/discord/…`: the acts and what people see, as JSON, for tests, tools and the page.
//!
//! This is no part of Discord's surface: the app never calls it.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    acts::{Admin, At, Entry, Suggested},
    gateway::Order,
    id::Id,
};
use crate::sandbox::{
    acts::Outcome,
    config::{DiscordConfig, RateLimits},
    control::Done,
    world::{Change, World},
};

/// The routes under `/sim/discord`.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/say", post(say))
        .route("/complete", post(complete))
        .route("/press", post(press))
        .route("/fill", post(fill))
        .route("/submit", post(submit))
        .route("/close", post(close))
        .route("/dismiss", post(dismiss))
        .route("/admin", post(admin))
        .route("/levers", post(levers))
        .route("/guild", get(guild))
        .route("/sidebar", get(sidebar))
        .route("/timeline", get(timeline))
        .route("/modal", get(modal))
}

#[derive(Deserialize)]
struct Say {
    person: String,
    channel: String,
    /// The message that it answers.
    #[serde(default)]
    answers: Option<Id>,
    text: String,
}

async fn say(State(world): State<Arc<World>>, Json(act): Json<Say>) -> Done<Outcome> {
    let place = (act.person.as_str(), act.channel.as_str());
    let said = world
        .write_on_discord(place, act.answers, &act.text)
        .await?;
    Ok(Json(said))
}

/// What could follow on what was typed.
async fn complete(State(world): State<Arc<World>>, Json(act): Json<Say>) -> Done<Value> {
    let found = world.complete_command(&act.person, &act.channel, &act.text);
    let (found, ready): (Vec<Suggested>, bool) = found.await?;
    Ok(Json(json!({ "suggestions": found, "ready": ready })))
}

#[derive(Deserialize)]
struct Press {
    person: String,
    on: At,
    /// The custom id, or a button's label.
    #[serde(alias = "action_id")]
    component: String,
    /// What is chosen in a select.
    #[serde(default, alias = "value")]
    values: Option<Values>,
}

/// One value or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Some(Vec<String>),
}

async fn press(State(world): State<Arc<World>>, Json(act): Json<Press>) -> Done<Outcome> {
    let values = match act.values {
        Some(Values::One(value)) => vec![value],
        Some(Values::Some(values)) => values,
        None => Vec::new(),
    };
    let pressed = world.press_on_discord((&act.person, act.on), &act.component, &values);
    Ok(Json(pressed.await?))
}

#[derive(Deserialize)]
struct Form {
    person: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

async fn fill(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Value> {
    world.enter(&act.person, &act.entries)?;
    Ok(Json(json!({ "ok": true })))
}

async fn submit(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Outcome> {
    Ok(Json(world.send_modal(&act.person, &act.entries).await?))
}

async fn close(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Value> {
    world.close_modal(&act.person)?;
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
struct Dismiss {
    person: String,
    on: At,
}

async fn dismiss(State(world): State<Arc<World>>, Json(act): Json<Dismiss>) -> Done<Value> {
    world.dismiss(&act.person, act.on)?;
    Ok(Json(json!({ "ok": true })))
}

async fn admin(State(world): State<Arc<World>>, Json(act): Json<Admin>) -> Done<Value> {
    let id = world.administrate(act)?;
    Ok(Json(json!({ "ok": true, "id": id })))
}

/// What is broken or changed on purpose. Every member may be left out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pull {
    /// So many of the next deliveries are sent twice.
    deliver_twice: Option<u32>,
    /// Every bucket counts as empty for so long.
    refuse_for_s: Option<i64>,
    /// The global limit counts as passed for so long.
    refuse_all_for_s: Option<i64>,
    /// Holds or lifts the rates, on both platforms.
    limits: Option<RateLimits>,
    members_intent: Option<bool>,
    content_intent: Option<bool>,
    /// Whether anybody may add the bot to a server of theirs.
    bot_public: Option<bool>,
    /// Tells every gateway connection to come again.
    reconnect: bool,
    /// Ends every session: the next connection has to identify.
    invalidate: bool,
    /// Post interactions to these addresses from now on; an empty list means the gateway. An address without a path is a
    /// bot's of ours.
    deliver_to: Option<Vec<Url>>,
}

async fn levers(State(world): State<Arc<World>>, Json(pull): Json<Pull>) -> Done<Value> {
    let now = world.now();
    let until = |seconds: Option<i64>| seconds.map(|own| now + TimeDelta::seconds(own));
    world.with(|inner| {
        let settings = &mut inner.settings;
        settings.deliver_twice = pull.deliver_twice.unwrap_or(settings.deliver_twice);
        settings.limits = pull.limits.unwrap_or(settings.limits);
        let live = &mut inner.live;
        live.refuse_until = until(pull.refuse_for_s).or(live.refuse_until);
        live.refuse_all_until = until(pull.refuse_all_for_s).or(live.refuse_all_until);
        if pull.refuse_for_s.is_some() {
            // Whatever was left of them before no longer counts.
            live.buckets.clear();
        }
        if let Some(targets) = pull.deliver_to {
            live.endpoints = targets.iter().map(DiscordConfig::endpoint).collect();
        }
        let application = &mut inner.discord.application;
        application.members_intent = pull.members_intent.unwrap_or(application.members_intent);
        application.content_intent = pull.content_intent.unwrap_or(application.content_intent);
        application.public = pull.bot_public.unwrap_or(application.public);
        if pull.reconnect {
            inner.live.sessions.order(&Order::Reconnect);
        }
        if pull.invalidate {
            inner.live.sessions.order(&Order::Invalid(false));
        }
        inner.changed(Change::Workspace);
    });
    Ok(Json(json!({ "ok": true })))
}

async fn guild(State(world): State<Arc<World>>) -> Json<Value> {
    let (endpoints, connections) = world.with(|inner| {
        let live = &inner.live;
        (live.endpoints.clone(), live.sessions.connected())
    });
    let mut guild = json!(world.guild());
    guild["endpoints"] = json!(endpoints);
    guild["connections"] = connections.into();
    guild["public_key"] = world.discord_key().into();
    Json(guild)
}

#[derive(Deserialize)]
struct Look {
    person: String,
    #[serde(default)]
    channel: String,
}

async fn sidebar(State(world): State<Arc<World>>, Query(look): Query<Look>) -> Done<Value> {
    Ok(Json(json!(world.rooms(&look.person)?)))
}

async fn timeline(State(world): State<Arc<World>>, Query(look): Query<Look>) -> Done<Value> {
    Ok(Json(json!(world.messages(&look.person, &look.channel)?)))
}

async fn modal(State(world): State<Arc<World>>, Query(look): Query<Look>) -> Json<Value> {
    Json(json!(world.open_modal(&look.person)))
}
