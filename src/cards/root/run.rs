//! Root cards of requests that run, ran, stopped or are being taken back.

use chrono::{DateTime, Utc};

use super::{Part, goes_on};
use crate::cards::{button, words};
use crate::domain::card::{Button, Span, Text};
use crate::domain::run::{RunState, StepState};
use crate::domain::slash::Slash;
use crate::domain::step::TakenBack;
use crate::domain::view::{RequestView, RunView, StepView};

/// How many finished steps are named; the rest are counted.
const DONE_SHOWN: usize = 5;
/// The group that may always look after a run.
const KEEPERS: &str = "platform";

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

/// On a copy that is not kept up any more.
pub(super) fn approved(
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

fn queued(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
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

fn running(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
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

fn succeeded(run: &RunView) -> Part {
    let took = run
        .started_at
        .map(|from| words::took((run.since - from).num_milliseconds()));
    let state = Text::default().bold("Done").and(
        took.as_ref()
            .map_or_else(String::new, |t| format!(" in {t}")),
    );
    let who: Vec<_> = run.approved_by.iter().map(|(p, _)| p.clone()).collect();
    let state = if who.is_empty() {
        state.and(format!(
            " · approved by rule \"{}\"",
            words::line(&run.rule)
        ))
    } else {
        state.and(format!(" · approved by {}", words::people(&who)))
    };
    let links: Vec<&(String, String)> = run
        .links
        .iter()
        .filter(|(_, url)| words::opens(url))
        .collect();
    let mut line = Text::default();
    for (at, (title, url)) in links.iter().enumerate() {
        if at > 0 {
            line = line.and(" · ");
        }
        line = line.with(Span::Link {
            url: url.clone(),
            label: words::line(title),
        });
    }
    Part {
        state,
        say: took.map_or_else(|| "done".to_owned(), |t| format!("done in {t}")),
        lines: if links.is_empty() {
            Vec::new()
        } else {
            vec![line]
        },
        code: run.clone.clone().filter(|c| !c.is_empty()),
        buttons: links
            .first()
            .map(|(title, url)| button::link(title, url))
            .into_iter()
            .collect(),
        ..Part::default()
    }
}

fn failed(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
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

fn blocked(view: &RequestView, run: &RunView) -> Part {
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

fn superseded(run: &RunView, now: DateTime<Utc>) -> Part {
    Part {
        state: Text::default()
            .bold("Replaced")
            .and(" ")
            .with(words::when(run.since, now))
            .and(": it was asked again. This run does nothing more."),
        say: "replaced, it was asked again".to_owned(),
        ..Part::default()
    }
}

fn undoing(run: &RunView) -> Part {
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

fn undo_failed(view: &RequestView, run: &RunView) -> Part {
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

fn undone(view: &RequestView, run: &RunView, now: DateTime<Utc>) -> Part {
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

/// The first step that isn't finished.
fn unfinished(run: &RunView) -> Option<usize> {
    run.steps
        .iter()
        .position(|s| !matches!(s.state, StepState::Done | StepState::Skipped))
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

/// `step 2 of 3`
fn place(run: &RunView, at: Option<usize>) -> String {
    let total = run.steps.len();
    format!("step {} of {total}", at.map_or(total, |at| at + 1))
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

/// `The git server gave no answer for 60 s (4 tries). Reference E-8KQ2`
fn cause_line(run: &RunView, at: Option<usize>) -> Text {
    let step = at.and_then(|at| run.steps.get(at));
    let cause = step
        .and_then(|s| s.cause.as_deref())
        .map_or_else(|| "something broke on our side".to_owned(), words::clause);
    let tries = step
        .filter(|s| s.tries > 1)
        .map_or_else(String::new, |s| format!(" ({} tries)", s.tries));
    let reference = run
        .reference
        .as_deref()
        .map_or_else(String::new, |r| format!(" Reference {r}"));
    Text::plain(format!(
        "{}{reference}",
        words::sentence(&format!("{cause}{tries}"))
    ))
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

fn remains(run: &RunView) -> Vec<String> {
    run.steps
        .iter()
        .flat_map(|s| s.exists.iter().map(|e| words::line(e)))
        .collect()
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

/// Who may retry and undo: the requester, who approved, the platform team.
pub(in crate::cards) fn insiders(view: &RequestView, run: &RunView) -> Vec<String> {
    let mut names = vec![words::line(&view.requester.name)];
    for (person, _) in &run.approved_by {
        let name = words::line(&person.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.push(KEEPERS.to_owned());
    names
}

fn see_plan(view: &RequestView) -> impl Iterator<Item = Button> {
    view.plan.iter().map(button::see_plan)
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
