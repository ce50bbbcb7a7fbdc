//! What steps do: a file per action, in the order input, plan, run, undo.
//!
//! An [`Action`] plans without side effects, runs by making sure (it looks first), and takes back what it did or says
//! why it can't. The [`Registry`] is the list of all actions; a new one is a file and a line there. Effects only:
//! what comes of them is written by `app`.

pub mod action;
pub mod input;
pub mod plan;
pub mod registry;

pub mod catalog_register;
pub mod debug_log;
pub mod debug_wait;
pub mod fetch_template;
mod forge;
pub mod github_comment;
pub mod github_commit_status;
pub mod publish;
pub mod scaffold;
pub mod template_run;

#[cfg(test)]
mod testing;

pub use self::action::{Action, Blobs, PlanContext, RunContext, StepKey};
pub use self::plan::{Order, Planned};
pub use self::publish::{Publisher, Secrets};
pub use self::registry::{Registry, specs};
