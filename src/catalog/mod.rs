//! `commands/` and `templates/` read into checked definitions; forms, expressions and rendering.
//!
//! Everything is checked while it is read, with file and line, so that whoever holds a [`Command`] or a [`Template`]
//! has nothing left to check. A [`Catalog`] is a snapshot that never changes; the [`Library`] swaps in a new one when
//! files change. Requests keep the bytes of the definitions they began with and read them again with `parse`.

pub mod command;
pub mod entity;
pub mod expression;
pub mod flow;
pub mod form;
pub mod library;
mod parallel;
pub mod parameters;
pub mod problem;
mod reader;
pub mod render;
pub mod rule;
mod schema;
pub mod step;
pub mod template;
mod yaml;

pub use command::Command;
pub use form::Inputs;
pub use library::{Catalog, Library, Sources};
pub use problem::Problem;
pub use schema::command_schema;
pub use template::Template;

use std::collections::{BTreeMap, BTreeSet};

/// What is known of the world outside the definitions, for their check. `None`: not known, so not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The handles of the groups that have members.
    pub groups: Option<BTreeSet<String>>,
    /// The organisations on GitHub whose teams can be groups; empty: there is no GitHub.
    pub organisations: Option<BTreeSet<String>>,
    /// The teams of `[teams]`.
    pub teams: Option<BTreeSet<String>>,
    /// Channels that the bot can post to, with their `#`.
    pub channels: Option<BTreeSet<String>>,
    /// Actions that this deployment hasn't, each with the sentence why.
    pub absent: BTreeMap<String, String>,
}
