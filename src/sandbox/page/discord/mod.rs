//! The Discord server as one member sees it, beside the Slack workspace: drawn on the server and kept up to date by the
//! same script.

mod components;
mod frame;
mod hint;
mod markdown;
mod message;
mod modal;
mod scene;

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use self::scene::Scene;
use super::{
    behind,
    place::{Place, Server},
    respond,
};
use crate::sandbox::world::World;

/// The page.
pub(super) async fn page(State(world): State<Arc<World>>, Query(place): Query<Place>) -> Response {
    let Some(scene) = Scene::of(&world, &place) else {
        return (StatusCode::NOT_FOUND, "There is nobody on this server.").into_response();
    };
    let behind = match &place.behind {
        Some(id) => behind::of_discord(&world, &scene.me.id.to_string(), scene.watched(id)).await,
        None => None,
    };
    respond(&frame::page(&scene, behind.as_ref()))
}

/// A message's address as Discord has it: `/channels/GUILD/CHANNEL/MESSAGE`.
pub(super) async fn link(
    Path((_, channel, message)): Path<(String, String, String)>,
    Query(place): Query<Place>,
) -> Redirect {
    let to = Place {
        server: Server::Discord,
        channel: Some(channel),
        thread: None,
        thread_ts: None,
        behind: None,
        ..place
    };
    Redirect::to(&format!("{}#m-{message}", to.href()))
}
