//! A file per verb: every transaction, never the network.
//!
//! A verb opens one transaction, reads `now` once, asks `domain` what follows and writes it all: state, audit row, job
//! and messages commit together or not at all. What a person may not do is an answer ([`crate::domain::reply::Reply`])
//! and is committed like any other; what we broke is [`Broken`], which rolls back and shows people a reference only.

mod actor;
mod again;
mod ask;
pub mod audit;
mod awaited;
mod bell;
mod broken;
mod cancel;
mod complete;
pub mod configured;
pub mod count;
mod decide;
mod definition;
pub mod due;
pub mod end;
mod forget;
pub mod gateway;
mod gathered;
mod group;
mod handle;
mod home;
pub mod instead;
pub mod job;
mod late;
pub mod lease;
mod limit;
pub mod link;
pub mod login;
pub mod message;
mod named;
mod open_form;
pub mod operator;
pub mod people;
mod place;
pub mod plan;
mod really;
mod remembered;
mod repository;
pub mod run;
mod seal;
pub mod sending;
mod settings;
mod show;
pub mod step;
mod submit;
pub mod teams;
mod tell;
mod twin;
pub mod view;
pub mod watched;

pub use bell::Bell;
pub use broken::{Broken, Reference};
pub use definition::Definition;
pub use handle::{handle, turn_away};
pub use late::Decided;
pub use settings::{Channels, Limits, Listed, Live, PLATFORM_GROUP, Settings, Team};
pub use submit::Spare;

use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::Library;
use crate::store::{Kept, Pool};

/// All that a verb needs: cheap to clone, the same in every task.
#[derive(Debug, Clone)]
pub struct App {
    /// The database.
    pub pool: Pool,
    /// Connections for what people wait for, where one statement does.
    pub kept: Arc<Kept>,
    /// Commands and templates as of now.
    pub library: Arc<Library>,
    /// What the operator configured, as of now.
    pub settings: Live,
    /// What presses on decided plans are told.
    pub decided: Arc<Decided>,
    /// What was said about people whom the operator named.
    pub listed: Arc<link::listed::Told>,
    /// Numbers of requests that were drawn and not used.
    pub spare: Arc<Spare>,
    /// Wakes whoever goes on with what was submitted.
    pub bell: Arc<Bell>,
}

impl App {
    /// All parts together.
    pub fn new(pool: Pool, library: Arc<Library>, settings: Settings) -> Self {
        Self {
            kept: Arc::new(Kept::of(pool.clone())),
            pool,
            library,
            settings: Live::new(settings),
            decided: Arc::default(),
            listed: Arc::default(),
            spare: Arc::default(),
            bell: Arc::default(),
        }
    }
}

/// A new id of a noun: ordered by the time of its making.
pub fn new_id<Id: From<Uuid>>() -> Id {
    Id::from(Uuid::now_v7())
}
