//! A file per verb: every transaction, never the network.
//!
//! A verb opens one transaction, reads `now` once, asks `domain` what follows and writes it all: state, audit row, job
//! and messages commit together or not at all. What a person may not do is an answer ([`crate::domain::reply::Reply`])
//! and is committed like any other; what we broke is [`Broken`], which rolls back and shows people a reference only.

pub mod audit;
mod broken;
mod definition;
mod handle;
pub mod instead;
pub mod job;
pub mod message;
pub mod people;
pub mod plan;
pub mod run;
pub mod sending;
mod settings;
pub mod step;
pub mod view;
pub mod watched;

pub use broken::{Broken, Reference};
pub use definition::Definition;
pub use handle::handle;
pub use settings::{Channels, Limits, PLATFORM_GROUP, Settings, Team};

use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::Library;
use crate::store::Pool;

/// All that a verb needs: cheap to clone, the same in every task.
#[derive(Debug, Clone)]
pub struct App {
    /// The database.
    pub pool: Pool,
    /// Commands and templates as of now.
    pub library: Arc<Library>,
    /// What the operator configured.
    pub settings: Arc<Settings>,
}

/// A new id of a noun: ordered by the time of its making.
pub fn new_id<Id: From<Uuid>>() -> Id {
    Id::from(Uuid::now_v7())
}
