//! The chat simulator and its page: a program of its own that speaks to the bot over the wire only.
//!
//! It speaks Slack's protocols (Web API, signed deliveries, Socket Mode, modals, response URLs) and enforces Slack's
//! rules, so that an app which works here works there. It imports nothing of the crate: bot and simulator can't share
//! a mistake. `boot` hands it the secrets both sides know and the levers people may pull.
//!
//! - [`world`]: the workspace: people, channels, messages, views, and the record of what went over the wire
//! - [`acts`]: what people do
//! - `wire`: the payloads Slack sends; `deliver`: how they reach the app
//! - `api`: the Web API that the app calls
//! - `page`: what people see in a browser
//! - `control`: `/sim/…`, the same acts as JSON for tests and tools

pub mod acts;
mod api;
mod config;
mod control;
mod deliver;
mod levers;
mod page;
mod server;
mod wire;
pub mod world;

pub use self::{
    config::{Clock, Delivery, Paths, RateLimits, SandboxConfig, SlashCommand},
    levers::{Levers, Pulled, RequestsApi},
    server::{Sandbox, SandboxError, router, serve},
};
