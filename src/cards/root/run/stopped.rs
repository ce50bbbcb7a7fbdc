//! Root cards of runs that stopped: a step failed, or nobody knows how it ended. They say what exists, and what Retry and
//! Undo would do.

use chrono::{DateTime, Utc};

use super::common::{cause_line, insiders, place, remains, unfinished};
use crate::cards::root::Part;
use crate::cards::{button, words};
use crate::domain::card::Text;
use crate::domain::run::StepState;
use crate::domain::view::{RequestView, RunView, StepView};

pub(super) fn failed(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
    let (at, title) = stopped_at(run);
    let mut lines = vec![cause_line(run, at)];
    lines.push(exists_line(run));
    let retry = if run.retry_good {
        format!("goes on at {} with the same plan", place(run, at))
    } else if button::undo_words(run).is_empty() {
        "asks for approval again: this one is too old".to_owned()
    } else {
        "can't go on, the approval is too old; after Undo it can be asked again".to_owned()
    };
    lines.push(Text::default().bold("Retry").and(format!(" {retry}")));
    lines.push(
        Text::default()
            .bold("Undo")
            .and(format!(" {}", undo_effect(run))),
    );
    lines.push(waits_for(view, run, now));
    Part {
        state: Text::default()
            .bold("Stopped")
            .and(format!(" at {}, {title}", place(run, at))),
        say: format!(
            "stopped at {}, {title}. Retry or Undo on the card",
            place(run, at)
        ),
        lines,
        buttons: vec![button::retry(run), button::undo(view, run)],
        ..Part::default()
    }
}

pub(super) fn blocked(view: &RequestView, run: &RunView) -> Part {
    let (at, title) = stopped_at(run);
    let step = at.and_then(|at| run.steps.get(at));
    let check = step
        .and_then(|s| s.check.as_deref())
        .map_or_else(|| "whether the step took effect".to_owned(), words::clause);
    Part {
        state: Text::default()
            .bold("Needs a look")
            .and(format!(": unknown how {title} ended ({})", place(run, at))),
        say: format!("needs a look: unknown how {title} ended"),
        lines: vec![
            cause_line(run, at),
            Text::default().bold("Check").and(format!(" {check}")),
            exists_line(run),
            Text::default()
                .bold("Retry")
                .and(" looks first, then goes on"),
            Text::default()
                .bold("Undo")
                .and(format!(" {}", undo_effect(run))),
            Text::default()
                .bold("Can say")
                .and(format!(": {}", words::one_of(&insiders(view, run)))),
        ],
        buttons: vec![button::retry(run), button::undo(view, run)],
        ..Part::default()
    }
}

/// The step that stopped, and its title.
fn stopped_at(run: &RunView) -> (Option<usize>, String) {
    let at = run
        .steps
        .iter()
        .position(|s| matches!(s.state, StepState::Failed | StepState::Unknown))
        .or_else(|| unfinished(run));
    let title = at
        .and_then(|at| run.steps.get(at))
        .map_or_else(|| "the end".to_owned(), |s| words::line(&s.title));
    (at, title)
}

/// What exists outside idp at this moment, the unknown said as such.
fn exists_line(run: &RunView) -> Text {
    let mut known = remains(run);
    let unknown: Vec<String> = run.steps.iter().filter_map(unknown).collect();
    if known.is_empty() && unknown.is_empty() {
        known.push("nothing outside idp".to_owned());
    }
    let mut said = Vec::new();
    if !known.is_empty() {
        said.push(words::all_of(&known));
    }
    said.extend(unknown);
    Text::default()
        .bold("Exists now")
        .and(format!(": {}", said.join("; ")))
}

/// What nobody knows of a step that didn't come to its end.
fn unknown(step: &StepView) -> Option<String> {
    let things: Vec<String> = step.may_exist.iter().map(|t| words::line(t)).collect();
    let what = match (things.len(), step.state) {
        (0, StepState::Unknown) => format!("{} took effect", words::line(&step.title)),
        (0, _) => return None,
        (1, _) => format!("{} exists", words::all_of(&things)),
        (_, _) => format!("{} exist", words::all_of(&things)),
    };
    Some(format!("unknown whether {what}; Retry looks first"))
}

/// `would delete repository acme/payments-api`, or what else Undo does.
fn undo_effect(run: &RunView) -> String {
    match button::undo_words(run).as_slice() {
        [] => "ends the request; there is nothing to take back".to_owned(),
        undo => format!("would {}", undo.join(", then ")),
    }
}

/// Whom it waits for, until when, and what happens then.
fn waits_for(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Text {
    let who = words::one_of(&insiders(view, run));
    let line = Text::default().bold("Waits for").and(format!(" {who}"));
    match run.undo_at {
        Some(at) if at > now => line
            .and(" until ")
            .with(words::day(at))
            .and(", then undone"),
        _ => line,
    }
}
