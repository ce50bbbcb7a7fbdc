//! What an open request waits for, since when, and who can unblock it: every one can say so.

use chrono::{DateTime, Utc};

use super::root::insiders;
use super::words;
use crate::domain::card::Text;
use crate::domain::request::RequestState;
use crate::domain::run::RunState;
use crate::domain::view::{PlanView, RequestView, RunView};

/// One line; none once nothing more is expected to happen.
pub(super) fn line(view: &RequestView, now: DateTime<Utc>) -> Option<Text> {
    let part = match (view.state, &view.plan, &view.run) {
        (RequestState::Planning, _, _) if view.hindrance.is_some() => {
            let (cause, since_when) = view.hindrance.as_ref()?;
            since("Is held up", *since_when, now).and(format!(
                ": {}. It is tried again by itself; the platform team can look if it takes minutes.",
                words::clause(cause)
            ))
        }
        (RequestState::Planning, _, _) => since("Waits for its plan", view.since, now)
            .and(". Nobody needs to act; the platform team can look if it takes minutes."),
        (RequestState::AwaitingApproval, Some(plan), _) => votes(view, plan, now),
        (RequestState::AwaitingApproval, None, _) => since("Waits for its plan", view.since, now),
        (RequestState::Approved, _, Some(run)) if !run.state.ended() => at_run(view, run, now),
        (RequestState::Approved, _, None) => since("Waits for a free worker", view.since, now),
        _ => return None,
    };
    Some(part)
}

fn votes(view: &RequestView, plan: &PlanView, now: DateTime<Utc>) -> Text {
    // What it waits for, and until when, is the state itself, which stands in the line above.
    since("Waits", view.since, now).and(format!(". Can decide: {}.", words::deciders(plan)))
}

fn at_run(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Text {
    let insiders = words::one_of(&insiders(view, run));
    match run.state {
        RunState::Queued => {
            since("Waits for a free worker", run.since, now).and(". Nobody needs to act.")
        }
        RunState::Failed => {
            let line = since("Waits for Retry or Undo", run.since, now);
            let line = match run.undo_at {
                Some(at) if at > now => line
                    .and(", until ")
                    .with(words::day(at))
                    .and(" (then undone)"),
                _ => line,
            };
            line.and(format!(". Can do it: {insiders}."))
        }
        RunState::Blocked => since("Waits for somebody to look", run.since, now)
            .and(format!(". Can do it: {insiders}.")),
        RunState::UndoFailed => {
            since("Waits for another Undo", run.since, now).and(format!(". Can do it: {insiders}."))
        }
        _ => since("Is at work", run.since, now).and(format!(". Can cancel: {insiders}.")),
    }
}

fn since(what: &str, at: DateTime<Utc>, now: DateTime<Utc>) -> Text {
    Text::plain(format!("{what} since ")).with(words::when(at, now))
}
