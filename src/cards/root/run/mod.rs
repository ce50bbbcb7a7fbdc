//! Root cards of requests that run, ran, stopped or are being taken back.

mod common;
mod ended;
mod stopped;
mod under_way;
mod undo;

pub(in crate::cards) use common::insiders;
pub(super) use under_way::approved;

use chrono::{DateTime, Utc};

use self::ended::{succeeded, superseded};
use self::stopped::{blocked, failed};
use self::under_way::{queued, running};
use self::undo::{undo_failed, undoing, undone};
use super::Part;
use crate::domain::run::RunState;
use crate::domain::view::{RequestView, RunView};

pub(super) fn part(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
    match run.state {
        RunState::Queued => queued(view, run, now),
        RunState::Running => running(view, run, now),
        RunState::Succeeded => succeeded(run),
        RunState::Failed => failed(view, run, now),
        RunState::Blocked => blocked(view, run),
        RunState::Superseded => superseded(run, now),
        RunState::Cancelling | RunState::Undoing => undoing(run),
        RunState::UndoFailed => undo_failed(view, run),
        RunState::Undone => undone(view, run, now),
    }
}
