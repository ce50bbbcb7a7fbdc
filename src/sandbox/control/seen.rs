//! What people see, and what is recorded.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Done;
use crate::sandbox::{acts::ActError, world::World};

pub(super) async fn workspace(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({
        "team": world.team(),
        "app": world.app(),
        "people": world.people(),
        "groups": world.groups(),
        "settings": world.settings(),
        "connections": world.connections(),
    }))
}

#[derive(Deserialize)]
pub(super) struct Seen {
    person: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

pub(super) async fn sidebar(
    State(world): State<Arc<World>>,
    Query(seen): Query<Seen>,
) -> Json<Value> {
    Json(json!(world.sidebar(&seen.person)))
}

pub(super) async fn timeline(
    State(world): State<Arc<World>>,
    Query(seen): Query<Seen>,
) -> Done<Value> {
    Ok(Json(json!(world.timeline(&seen.person, &seen.channel)?)))
}

pub(super) async fn thread(
    State(world): State<Arc<World>>,
    Query(seen): Query<Seen>,
) -> Done<Value> {
    Ok(Json(json!(world.thread(
        &seen.person,
        &seen.channel,
        &seen.ts
    )?)))
}

pub(super) async fn view(State(world): State<Arc<World>>, Query(seen): Query<Seen>) -> Json<Value> {
    Json(json!(world.open_view(&seen.person)))
}

#[derive(Deserialize)]
pub(super) struct About {
    channel: String,
    ts: String,
}

pub(super) async fn behind(
    State(world): State<Arc<World>>,
    Query(about): Query<About>,
) -> Done<Value> {
    Ok(Json(json!(
        world
            .behind(&about.channel, &about.ts)
            .ok_or(ActError::NoMessage)?
    )))
}

pub(super) async fn log(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!(world.log()))
}
