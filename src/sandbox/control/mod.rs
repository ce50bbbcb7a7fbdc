//! `/sim/…`: the acts and what people see, as JSON, for tests and tools that drive the simulator from outside.
//!
//! This is no part of Slack's surface: the app never calls it.

mod admin;
mod levers;
mod seen;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    acts::{ActError, FieldEntry, Outcome, Press, Surface},
    world::World,
};

pub(in crate::sandbox) type Done<T> = Result<Json<T>, Refused>;

/// An act that can't be done: 422 and a sentence.
pub(in crate::sandbox) struct Refused(ActError);

impl From<ActError> for Refused {
    fn from(error: ActError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.0.to_string() });
        (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
    }
}

/// The routes under `/sim`.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/say", post(say))
        .route("/press", post(press))
        .route("/fill", post(fill))
        .route("/submit", post(submit))
        .route("/close", post(close))
        .route("/options", post(options))
        .route("/admin", post(admin::admin))
        .route("/levers", post(levers::levers))
        .route("/redeliver", post(redeliver))
        .route("/workspace", get(seen::workspace))
        .route("/sidebar", get(seen::sidebar))
        .route("/timeline", get(seen::timeline))
        .route("/thread", get(seen::thread))
        .route("/view", get(seen::view))
        .route("/behind", get(seen::behind))
        .route("/log", get(seen::log))
}

#[derive(Deserialize)]
struct Say {
    person: String,
    channel: String,
    #[serde(default)]
    thread_ts: Option<String>,
    text: String,
}

async fn say(State(world): State<Arc<World>>, Json(act): Json<Say>) -> Done<Outcome> {
    Ok(Json(
        world
            .say(
                &act.person,
                &act.channel,
                act.thread_ts.as_deref(),
                &act.text,
            )
            .await?,
    ))
}

#[derive(Deserialize)]
struct PressBy {
    person: String,
    on: Surface,
    #[serde(default)]
    block_id: Option<String>,
    action_id: String,
    #[serde(default)]
    value: Value,
}

async fn press(State(world): State<Arc<World>>, Json(act): Json<PressBy>) -> Done<Outcome> {
    let PressBy {
        person,
        on: surface,
        block_id,
        action_id,
        value,
    } = act;
    Ok(Json(
        world
            .press(
                &person,
                &Press {
                    surface,
                    block_id,
                    action_id,
                    value,
                },
            )
            .await?,
    ))
}

#[derive(Deserialize)]
struct Form {
    person: String,
    /// By default the one on top.
    #[serde(default)]
    view: Option<String>,
    #[serde(default)]
    entries: Vec<FieldEntry>,
}

impl Form {
    fn view(&self, world: &World) -> Result<String, ActError> {
        let top = || world.open_view(&self.person).map(|view| view.id);
        self.view.clone().or_else(top).ok_or(ActError::NoView)
    }
}

async fn fill(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Value> {
    let view = world.fill(&act.person, &act.view(&world)?, &act.entries)?;
    Ok(Json(json!(view)))
}

async fn submit(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Outcome> {
    Ok(Json(
        world
            .submit(&act.person, &act.view(&world)?, &act.entries)
            .await?,
    ))
}

async fn close(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Outcome> {
    Ok(Json(world.close(&act.person, &act.view(&world)?).await?))
}

#[derive(Deserialize)]
struct Search {
    person: String,
    on: Surface,
    action_id: String,
    query: String,
}

async fn options(State(world): State<Arc<World>>, Json(act): Json<Search>) -> Done<Value> {
    Ok(Json(
        world
            .suggest(&act.person, &act.on, &act.action_id, &act.query)
            .await?,
    ))
}

#[derive(Deserialize)]
struct Redeliver {
    id: u64,
}

async fn redeliver(State(world): State<Arc<World>>, Json(act): Json<Redeliver>) -> Done<Value> {
    Ok(Json(json!({ "id": world.redeliver(act.id).await? })))
}
