//! The root card of a request: where it stands, in the first two lines, then what it needs to be judged.

mod before;
mod run;

use chrono::{DateTime, Utc};

use super::words;
use crate::domain::card::{Block, Button, Card, Text};
use crate::domain::request::RequestState;
use crate::domain::slash::{Ask, Slash};
use crate::domain::view::RequestView;

/// Longest subject on line 1; the whole of it stands in See plan.
const SUBJECT: usize = 80;

pub(super) use run::insiders;

/// What one state adds to the frame that all root cards share.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Line 2: the state as a word, and what belongs to it.
    state: Text,
    /// The same in plain words, for the fallback: `waiting for payments-leads until Tue 14:05 UTC`.
    say: String,
    /// The lines below.
    lines: Vec<Text>,
    /// Something to copy.
    code: Option<String>,
    /// At most three.
    buttons: Vec<Button>,
    /// Behind the menu.
    menu: Vec<Button>,
}

/// The root card as of `now`.
pub fn root(view: &RequestView, now: DateTime<Utc>) -> Card {
    frame(view, part(view, now))
}

/// A copy of the card that is not kept up any more: it tells what stays true, and where the rest is to be seen by whoever
/// reads it.
pub fn closed(view: &RequestView, slash: &Slash, now: DateTime<Utc>) -> Card {
    let part = match (view.state, &view.run) {
        (RequestState::Approved, Some(run)) => run::approved(view, run, slash, now),
        (RequestState::Planning | RequestState::AwaitingApproval, _) => {
            before::asked_anew(view, slash)
        }
        _ => part(view, now),
    };
    frame(view, part)
}

fn frame(view: &RequestView, part: Part) -> Card {
    let mut blocks = vec![Block::Lines {
        lines: vec![title(view), part.state],
    }];
    if !part.lines.is_empty() {
        blocks.push(Block::Lines { lines: part.lines });
    }
    blocks.extend(part.code.map(|text| Block::Code { text }));
    if !(part.buttons.is_empty() && part.menu.is_empty()) {
        blocks.push(Block::Buttons {
            buttons: part.buttons,
            menu: part.menu,
        });
    }
    Card {
        fallback: format!("{}: {}", name(view), part.say),
        blocks,
    }
}

/// Line 1, always: `*payments-api* · new service · 142 · asked by Priya Nair`.
pub(super) fn title(view: &RequestView) -> Text {
    Text::default().bold(subject(view)).and(format!(
        " · {} · {} · asked by {}",
        words::line(&view.command_words),
        view.number,
        words::line(&view.requester.name)
    ))
}

/// Where whoever has only a copy sees the rest: "`/idp status 142` tells how it goes on."
fn goes_on(view: &RequestView, slash: &Slash) -> Text {
    let number = view.number.to_string();
    Text::default()
        .code(words::typed(slash, Ask::Status(Some(&number))))
        .and(" tells how it goes on.")
}

/// `142 payments-api`: how sentences name a request, and threads that have names.
pub fn name(view: &RequestView) -> String {
    format!("{} {}", view.number, subject(view))
}

/// What the request is about, on one line.
pub(super) fn subject(view: &RequestView) -> String {
    about(&view.subject)
}

/// A request's subject, on one line.
pub(super) fn about(subject: &str) -> String {
    words::clip(&words::line(subject), SUBJECT)
}

/// Line 2 and its plain words: what status and list say too.
pub(super) fn state(view: &RequestView, now: DateTime<Utc>) -> (Text, String) {
    let part = part(view, now);
    (part.state, part.say)
}

fn part(view: &RequestView, now: DateTime<Utc>) -> Part {
    match (view.state, &view.run) {
        (RequestState::Planning, _) => before::planning(view, now),
        (RequestState::AwaitingApproval, _) => before::waiting(view, now),
        (RequestState::Approved, Some(run)) => run::part(view, run, now),
        (RequestState::Approved, None) => before::approved(view),
        (RequestState::Refused, _) => before::refused(view),
        (RequestState::Denied, _) => before::denied(view, now),
        (RequestState::Expired, _) => before::expired(view, now),
        (RequestState::Cancelled, _) => before::cancelled(view, now),
        (RequestState::PlanFailed, _) => before::plan_failed(view),
    }
}
