//! Root cards of runs that are being taken back, were, or couldn't be.

use chrono::{DateTime, Utc};

use super::common::{cause_line, insiders, remains};
use crate::cards::root::Part;
use crate::cards::{button, words};
use crate::domain::card::Text;
use crate::domain::run::StepState;
use crate::domain::step::TakenBack;
use crate::domain::view::{RequestView, RunView, StepView};

pub(super) fn undoing(run: &RunView) -> Part {
    let total = run.steps.iter().filter(|s| s.undo.is_some()).count();
    let done: Vec<&StepView> = run
        .steps
        .iter()
        .rev()
        .filter(|s| s.state == StepState::Undone && s.undo.is_some())
        .collect();
    let state = Text::default().bold("Undoing");
    let now_at = (done.len() + 1).min(total);
    let of = if total == 0 {
        String::new()
    } else {
        format!(", {now_at} of {total}")
    };
    let who = run.acted_by.as_ref().map_or_else(String::new, |p| {
        let what = if run.cancelled { "cancelled" } else { "undo" };
        format!(" · {what} by {}", words::line(&p.name))
    });
    let mut lines: Vec<Text> = done
        .iter()
        .filter_map(|s| s.undo.as_deref())
        .map(|words| Text::plain(format!("Done: {}", words::clause(words))))
        .collect();
    if let Some(next) = button::undo_words(run).first() {
        lines.push(Text::plain(format!("Next: {next}")));
    }
    Part {
        state: state.and(format!("{of}{who}")),
        say: format!("undoing{of}"),
        lines,
        ..Part::default()
    }
}

pub(super) fn undo_failed(view: &RequestView, run: &RunView) -> Part {
    let stuck = run
        .steps
        .iter()
        .rposition(|s| s.state == StepState::UndoFailed);
    let remains = remains(run);
    let what = if remains.is_empty() {
        stuck
            .and_then(|at| run.steps.get(at))
            .and_then(|s| s.undo.as_deref())
            .map_or_else(|| "a step".to_owned(), words::clause)
    } else {
        format!("{} still exists", words::all_of(&remains))
    };
    let mut lines = vec![cause_line(run, stuck)];
    if let Some(check) = stuck
        .and_then(|at| run.steps.get(at))
        .and_then(|s| s.check.as_deref())
    {
        lines.push(
            Text::default()
                .bold("Check")
                .and(format!(" {}", words::clause(check))),
        );
    }
    lines.push(Text::default().bold("Undo").and(" tries again"));
    lines.push(
        Text::default()
            .bold("Ask")
            .and(format!(": {}", words::one_of(&insiders(view, run)))),
    );
    Part {
        state: Text::default()
            .bold("Couldn't be undone")
            .and(format!(": {what}")),
        say: format!("couldn't be undone: {what}"),
        lines,
        buttons: vec![button::undo(view, run)],
        ..Part::default()
    }
}

pub(super) fn undone(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
    let word = if run.cancelled { "Cancelled" } else { "Undone" };
    let by = run.acted_by.as_ref().map_or_else(
        || " by itself".to_owned(),
        |p| format!(" by {}", words::line(&p.name)),
    );
    let during = match run
        .steps
        .iter()
        .rposition(|s| s.state != StepState::Pending)
    {
        Some(at) if run.cancelled => format!(", during step {}", at + 1),
        _ => String::new(),
    };
    let done: Vec<String> = run
        .steps
        .iter()
        .rev()
        .filter(|s| s.state == StepState::Undone)
        .filter_map(taken_back)
        .collect();
    let remains = remains(run);
    let rest = if remains.is_empty() {
        "Nothing remains.".to_owned()
    } else {
        format!("Still there: {}.", words::all_of(&remains))
    };
    let told: Vec<String> = done.into_iter().chain([rest]).collect();
    let told = told.join(" ");
    let label = if run.cancelled {
        "Ask again"
    } else {
        "Change and ask again"
    };
    Part {
        state: Text::default()
            .bold(word)
            .and(format!("{by} "))
            .with(words::when(run.since, now))
            .and(format!("{during}. {told}")),
        say: format!("{}{by}{during}. {told}", word.to_lowercase()),
        buttons: vec![button::again(view, label)],
        ..Part::default()
    }
}

/// What undoing a step came to; what is archived is told among what is still there.
fn taken_back(step: &StepView) -> Option<String> {
    let undo = step.undo.as_deref()?;
    match step.taken_back {
        Some(TakenBack::Archived) => None,
        Some(TakenBack::Nothing) => {
            let (_, thing) = undo.split_once(' ')?;
            Some(words::sentence(&format!(
                "{} was not there",
                words::clause(thing)
            )))
        }
        Some(TakenBack::Removed) | None => Some(past(undo)),
    }
}

/// `delete repository acme/x` once it is done: `Repository acme/x deleted.`
fn past(undo: &str) -> String {
    let undo = words::clause(undo);
    let verbs = [
        ("delete", "deleted"),
        ("remove", "removed"),
        ("revoke", "revoked"),
        ("close", "closed"),
        ("release", "released"),
        ("destroy", "destroyed"),
    ];
    let done = undo.split_once(' ').and_then(|(verb, what)| {
        let (_, past) = verbs.iter().find(|(v, _)| *v == verb)?;
        Some(format!("{what} {past}"))
    });
    words::sentence(&done.unwrap_or_else(|| format!("done: {undo}")))
}
