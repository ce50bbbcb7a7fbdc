//! Root cards of runs on their way: approved, about to begin, or at work.

use chrono::{DateTime, Utc};

use super::common::{place, unfinished};
use crate::cards::root::{Part, goes_on};
use crate::cards::{button, words};
use crate::domain::card::{Button, Text};
use crate::domain::run::StepState;
use crate::domain::slash::Slash;
use crate::domain::view::{RequestView, RunView, StepView};

/// How many finished steps are named; the rest are counted.
const DONE_SHOWN: usize = 5;

/// On a copy that is not kept up any more.
pub(in crate::cards::root) fn approved(
    view: &RequestView,
    run: &RunView,
    slash: &Slash,
    now: DateTime<Utc>,
) -> Part {
    Part {
        state: decided(run, now),
        say: "approved".to_owned(),
        lines: vec![goes_on(view, slash)],
        buttons: see_plan(view).collect(),
        ..Part::default()
    }
}

/// `*Approved* by Alex Ruiz 14:05`
fn decided(run: &RunView, now: DateTime<Utc>) -> Text {
    let state = Text::default().bold("Approved");
    match run.approved_by.last() {
        Some((who, at)) => state
            .and(format!(" by {} ", words::line(&who.name)))
            .with(words::when(*at, now)),
        None => state.and(format!(" by rule \"{}\"", words::line(&run.rule))),
    }
}

pub(super) fn queued(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
    let again = run.generation > 0;
    let state = match &run.acted_by {
        Some(who) if again => Text::default()
            .bold("Going on")
            .and(format!(", retry by {} ", words::line(&who.name)))
            .with(words::when(run.since, now)),
        None if again => Text::default().bold("Going on"),
        _ => decided(run, now),
    };
    Part {
        state: state.and(", starting"),
        say: if again {
            "going on, starting"
        } else {
            "approved, starting"
        }
        .to_owned(),
        lines: waits_to_start(run).into_iter().collect(),
        buttons: see_plan(view)
            .chain([button::cancel_run(view, run)])
            .collect(),
        ..Part::default()
    }
}

/// Why a run that could begin doesn't yet.
fn waits_to_start(run: &RunView) -> Option<Text> {
    let step = &run.steps[unfinished(run)?];
    let cause = step.cause.as_deref()?;
    Some(Text::plain(format!(
        "{} idp tries again by itself.",
        words::sentence(cause)
    )))
}

pub(super) fn running(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
    let at_work = unfinished(run);
    let place = place(run, at_work);
    Part {
        state: approved_by(
            Text::default().bold("Running").and(format!(", {place}")),
            run,
            now,
        ),
        say: match at_work.and_then(|at| run.steps.get(at)) {
            Some(step) => format!("running, {place}, {}", words::line(&step.title)),
            None => format!("running, {place}"),
        },
        lines: progress(run, now),
        buttons: see_plan(view)
            .chain([button::cancel_run(view, run)])
            .collect(),
        ..Part::default()
    }
}

/// Adds who let it run.
fn approved_by(state: Text, run: &RunView, now: DateTime<Utc>) -> Text {
    match run.approved_by.last() {
        Some((_, at)) => {
            let who: Vec<_> = run.approved_by.iter().map(|(p, _)| p.clone()).collect();
            state
                .and(format!(" · approved by {} ", words::people(&who)))
                .with(words::when(*at, now))
        }
        None => state.and(format!(
            " · approved by rule \"{}\"",
            words::line(&run.rule)
        )),
    }
}

/// Done, at work, next: a line a step, a long past and a long future counted.
fn progress(run: &RunView, now: DateTime<Utc>) -> Vec<Text> {
    let finished: Vec<&StepView> = run
        .steps
        .iter()
        .filter(|s| matches!(s.state, StepState::Done | StepState::Skipped))
        .collect();
    let hidden = finished.len().saturating_sub(DONE_SHOWN);
    let mut lines = Vec::new();
    if hidden > 0 {
        lines.push(Text::plain(format!(
            "Done: {} before",
            words::count(hidden, "step")
        )));
    }
    lines.extend(finished.into_iter().skip(hidden).map(done_line));
    let mut pending = run.steps.iter().filter(|s| s.state == StepState::Pending);
    lines.extend(
        run.steps
            .iter()
            .filter(|s| matches!(s.state, StepState::Running | StepState::Waiting))
            .map(|s| at_work_line(s, now)),
    );
    if let Some(next) = pending.next() {
        let more = match pending.count() {
            0 => String::new(),
            more => format!(", then {more} more"),
        };
        lines.push(Text::plain(format!(
            "Next: {}{more}",
            words::line(&next.title)
        )));
    }
    lines
}

fn done_line(step: &StepView) -> Text {
    let title = words::line(&step.title);
    match (step.state, step.took_ms) {
        (StepState::Skipped, _) => Text::plain(format!("Left out: {title} (not asked for)")),
        (_, Some(ms)) => Text::plain(format!("Done: {title} ({})", words::took(ms))),
        (_, None) => Text::plain(format!("Done: {title}")),
    }
}

fn at_work_line(step: &StepView, now: DateTime<Utc>) -> Text {
    let word = if step.state == StepState::Waiting {
        "Waiting"
    } else {
        "Running"
    };
    let mut line = Text::plain(format!("{word}: {}", words::line(&step.title)));
    if let Some(since) = step.started_at {
        line = line.and(", since ").with(words::when(since, now));
    }
    if step.tries > 1 {
        line = line.and(format!(", try {}", step.tries));
    }
    match &step.cause {
        Some(cause) if step.state == StepState::Waiting => {
            line.and(format!(", for {}", words::clause(cause)))
        }
        Some(cause) => line.and(format!(" ({})", words::clause(cause))),
        None => line,
    }
}

fn see_plan(view: &RequestView) -> impl Iterator<Item = Button> {
    view.plan.iter().map(button::see_plan)
}
