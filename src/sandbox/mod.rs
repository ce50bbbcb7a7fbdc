//! The chat simulators and their page: a program of its own that speaks to the bot over the wire only.
//!
//! It speaks Slack's protocols (Web API, signed deliveries, Socket Mode, modals, response URLs) and Discord's (REST API,
//! signed interactions, gateway), and enforces the rules of both, so that an app which works here works there. It imports
//! nothing of the crate: bot and simulator can't share a mistake. `boot` hands it the secrets both sides know and the
//! levers people may pull.
//!
//! - [`world`]: one state for both, its record of what went over the wire, and Slack's workspace
//! - `discord`: the Discord server and all that it speaks
//!
//! Of Slack:
//!
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
mod discord;
mod levers;
mod page;
mod server;
mod wire;
pub mod world;

pub use self::{
    config::{Clock, Delivery, DiscordConfig, Paths, RateLimits, SandboxConfig, SlashCommand},
    levers::{Levers, Pulled, RequestsApi},
    server::{Sandbox, SandboxError, router, serve},
};
