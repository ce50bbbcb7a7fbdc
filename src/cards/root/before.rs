//! Root cards of requests that don't run: being planned, being decided, or ended before anything was made.

use chrono::{DateTime, Utc};

use super::{Part, goes_on};
use crate::cards::{button, facts, words};
use crate::domain::card::Text;
use crate::domain::slash::Slash;
use crate::domain::view::{EndView, PlanView, RequestView};

pub(super) fn planning(view: &RequestView, now: DateTime<Utc>) -> Part {
    let again = if view.plan.is_some() { " again" } else { "" };
    let mut part = Part {
        state: Text::default()
            .bold("Planning")
            .and(format!("{again} since "))
            .with(words::when(view.since, now))
            .and(". Nothing has been created."),
        say: format!("planning{again}, nothing has been created"),
        buttons: vec![button::cancel(view)],
        ..Part::default()
    };
    if view.plan.is_some() {
        let line = "The plan differs from the one that was decided on; votes on it don't count.";
        part.lines.push(line.into());
    }
    if let Some((cause, since)) = &view.hindrance {
        let cause = words::clause(cause);
        part.say = format!("planning{again}, held up: {cause}. It is tried again by itself");
        let line = Text::default().bold("Held up").and(" since ");
        let line = line.with(words::when(*since, now));
        part.lines
            .push(line.and(format!(": {cause}. It is tried again by itself.")));
    }
    part
}

/// On a copy of before: the request was decided, and its plan differs now.
pub(super) fn asked_anew(view: &RequestView, slash: &Slash) -> Part {
    let why = "its plan differs from the one that was decided on";
    Part {
        state: Text::default().bold("Asked anew").and(format!(": {why}.")),
        say: format!("asked anew, {why}"),
        lines: vec![goes_on(view, slash)],
        ..Part::default()
    }
}

pub(super) fn waiting(view: &RequestView, now: DateTime<Utc>) -> Part {
    let Some(plan) = &view.plan else {
        return planning(view, now);
    };
    let mut state = Text::default()
        .bold("Waiting for approval")
        .and(format!(": {}", words::quorums(&plan.lacking)));
    let mut say = format!(
        "waiting for {}",
        words::handles(&plan.lacking, words::all_of)
    );
    if let Some(until) = plan.expires_at {
        state = state.and(", until ").with(words::day(until));
        say = format!("{say} until {}", words::day_utc(until));
    }
    Part {
        state,
        say,
        lines: to_judge(view, plan, now),
        buttons: vec![
            button::approve(view, plan),
            button::deny(plan),
            button::see_plan(plan),
        ],
        menu: vec![button::cancel(view)],
        ..Part::default()
    }
}

/// All that an approver needs, top down: effect, choices, rule, who else.
fn to_judge(view: &RequestView, plan: &PlanView, now: DateTime<Utc>) -> Vec<Text> {
    let mut lines = facts::lines(&plan.facts, &view.subject);
    lines.extend(choices(view));
    lines.push(
        Text::default()
            .bold("Why")
            .and(format!(": rule \"{}\"", words::line(&plan.rule))),
    );
    if let Some(changed) = plan.replaced_at {
        lines.push(
            Text::default()
                .bold("New plan")
                .and(" since ")
                .with(words::when(changed, now))
                .and("; votes on the one before don't count"),
        );
    }
    if !plan.approvals.is_empty() {
        let mut line = Text::default().bold("Approved so far").and(": ");
        for (at, (person, when)) in plan.approvals.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            line = line
                .and(format!("{comma}{} ", words::line(&person.name)))
                .with(words::when(*when, now));
        }
        lines.push(line);
    }
    lines.push(Text::default().bold("Can decide").and(format!(
        ": {} · plan {}",
        words::deciders(plan),
        plan.digest.short()
    )));
    lines
}

/// What was chosen, on one line: `*Path* Node.js HTTP service · *Team* payments`.
fn choices(view: &RequestView) -> Option<Text> {
    let mut line = Text::default();
    for (at, (label, value)) in view.choices.iter().enumerate() {
        if at > 0 {
            line = line.and(" · ");
        }
        line = line
            .bold(words::line(label))
            .and(format!(" {}", words::clip(&words::line(value), 120)));
    }
    (!line.0.is_empty()).then_some(line)
}

/// Approved a moment ago; the run isn't there yet.
pub(super) fn approved(view: &RequestView) -> Part {
    Part {
        state: Text::default().bold("Approved").and(", starting"),
        say: "approved, starting".to_owned(),
        buttons: view.plan.iter().map(button::see_plan).collect(),
        ..Part::default()
    }
}

pub(super) fn refused(view: &RequestView) -> Part {
    let reason = reason(view).unwrap_or_else(|| "The plan found a reason against it.".to_owned());
    Part {
        state: Text::default()
            .bold("Can't be done")
            .and(format!(": {reason}")),
        say: format!("can't be done. {reason}"),
        lines: vec!["Nothing was created.".into()],
        buttons: vec![button::again(view, "Change and ask again")],
        ..Part::default()
    }
}

pub(super) fn denied(view: &RequestView, now: DateTime<Utc>) -> Part {
    let by = by(view);
    let mut state = Text::default().bold("Denied").and(format!("{by} "));
    if let Some(at) = at(view) {
        state = state.with(words::when(at, now));
    }
    let quoted = quoted(view);
    state = match &quoted {
        Some(reason) => state.and(format!(": {reason} Nothing was created.")),
        None => state.and(". Nothing was created."),
    };
    Part {
        state,
        say: match quoted {
            Some(reason) => format!("denied{by}: {reason} Nothing was created."),
            None => format!("denied{by}. Nothing was created."),
        },
        buttons: vec![button::again(view, "Change and ask again")],
        ..Part::default()
    }
}

pub(super) fn expired(view: &RequestView, now: DateTime<Utc>) -> Part {
    let plan = view.plan.as_ref();
    let groups = plan.map_or_else(
        || "those asked".to_owned(),
        |p| words::handles(&p.lacking, words::one_of),
    );
    let mut state = Text::default().bold("Expired").and(" ");
    if let Some(at) = at(view).or(plan.and_then(|p| p.expires_at)) {
        state = state.with(words::day(at));
    }
    state = state.and(format!(": nobody from {groups} decided"));
    if let Some(reminded) = plan.and_then(|p| p.reminded_at) {
        state = state
            .and(" (reminded ")
            .with(words::when(reminded, now))
            .and(")");
    }
    Part {
        state: state.and(". Nothing was created."),
        say: format!("expired, nobody from {groups} decided. Nothing was created."),
        buttons: vec![button::again(view, "Ask again")],
        ..Part::default()
    }
}

pub(super) fn cancelled(view: &RequestView, now: DateTime<Utc>) -> Part {
    let by = by(view);
    let mut state = Text::default().bold("Cancelled").and(format!("{by} "));
    if let Some(at) = at(view) {
        state = state.with(words::when(at, now));
    }
    let why = reason(view).map_or_else(String::new, |reason| format!(" {reason}"));
    // Without a person it was cancelled because of the one who asked, approved or not.
    let before = if by.is_empty() {
        "before the run"
    } else {
        "before approval"
    };
    Part {
        state: state.and(format!(", {before}.{why} Nothing was created.")),
        say: format!("cancelled{by}, {before}. Nothing was created."),
        buttons: vec![button::again(view, "Ask again")],
        ..Part::default()
    }
}

pub(super) fn plan_failed(view: &RequestView) -> Part {
    let reason = reason(view).map_or_else(
        || "something broke on our side".to_owned(),
        |r| words::clause(&r),
    );
    let reference = reference(view.end.as_ref());
    Part {
        state: Text::default()
            .bold("Couldn't plan")
            .and(format!(": {reason}. Nothing was created.{reference}")),
        say: format!("couldn't plan: {reason}. Nothing was created.{reference}"),
        buttons: vec![button::again(view, "Try again")],
        ..Part::default()
    }
}

fn at(view: &RequestView) -> Option<DateTime<Utc>> {
    view.end.as_ref().map(|end| end.at)
}

fn by(view: &RequestView) -> String {
    let person = view.end.as_ref().and_then(|end| end.by.as_ref());
    person.map_or_else(String::new, |p| format!(" by {}", words::line(&p.name)))
}

/// The reason as one of our sentences.
fn reason(view: &RequestView) -> Option<String> {
    let reason = view.end.as_ref()?.reason.as_deref()?;
    Some(words::sentence(reason)).filter(|r| !r.is_empty())
}

/// The reason as somebody's own words, in quotation marks.
fn quoted(view: &RequestView) -> Option<String> {
    let reason = words::line(view.end.as_ref()?.reason.as_deref()?);
    (!reason.is_empty()).then(|| format!("\"{reason}\""))
}

fn reference(end: Option<&EndView>) -> String {
    end.and_then(|e| e.reference.as_deref())
        .map_or_else(String::new, |r| format!(" Reference {r}"))
}
