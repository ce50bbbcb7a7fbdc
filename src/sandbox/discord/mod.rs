//! The other half of the simulator: one Discord server, with the same people.
//!
//! It speaks Discord's REST API, delivers signed interactions (or hands them out over its gateway), and holds apps to
//! Discord's rules: permissions, limits, rates, what may be answered to what and for how long. State, record, clock and
//! keeping are those of the [`world`](super::world); everything that Discord does otherwise than Slack stands here.
//!
//! - `state`, `live`: what outlives a restart and what doesn't; `seed`: how it begins
//! - `acts`: what people do; `interaction`, `deliver`, `endpoint`: what becomes of it
//! - `rest`, `gateway`: what the app calls and hears; `check`, `limits`, `permission`: what it may
//! - `messages`, `mentions`: what is written, by whomever, and whom it calls
//! - `seen`, `control`: what people see, as JSON for tests and tools

mod acts;
mod check;
mod control;
mod deliver;
mod endpoint;
mod error;
mod find;
mod gateway;
mod id;
mod interaction;
mod limits;
mod live;
mod mentions;
mod messages;
mod payload;
mod permission;
mod rest;
mod seed;
mod seen;
mod state;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};

pub(in crate::sandbox) use self::{
    acts::At,
    endpoint::{pair, public},
    id::Id,
    live::{Input, Live, OpenModal},
    seed::discord as seeded,
    seen::{Place, Room, Seen},
    state::{Discord, Member},
};
use super::world::World;

/// The REST API, the gateway, and the control address.
pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/discord/api/{version}/{*path}", any(rest::call))
        .route("/discord/gateway", get(gateway::connect))
        .route("/discord/gateway/", get(gateway::connect))
        .nest("/sim/discord", control::routes())
}

use self::gateway::gateway_url;
