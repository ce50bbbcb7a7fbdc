//! A reply and the way back into what is to be done: the answer to the interaction, and what follows it by its token.
//!
//! A modal can only be the answer itself, never follow one, and never answer a modal: there a button that opens it does.
//! (docs.discord.com/developers/interactions/receiving-and-responding, "Interaction Callback Type")

use serde_json::{Value, json};

use super::super::ids::{self, Modal, Part};
use super::super::limits::{self, shorten};
use super::super::parse::{AnswerRoute, RouteKind};
use super::message::{Rendered, message};
use super::{buttons, modal};
use crate::domain::card::{Block, Button, Card, Text};
use crate::domain::event::ButtonId;
use crate::domain::form::{Choice, FieldError, FormPage};
use crate::domain::reply::Reply;

/// What is to be done to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer to the interaction.
    pub body: Value,
    /// Messages that follow it, in order.
    pub after: Vec<Value>,
}

/// The answer to a ping.
pub fn pong() -> Value {
    json!({ "type": 1 })
}

/// How a reply leaves.
pub fn answer(reply: &Reply, route: &AnswerRoute) -> Answer {
    match (reply, route.kind) {
        // The card that was pressed changes by itself.
        (Reply::Done, RouteKind::Press) => only(json!({ "type": 6 })),
        (Reply::Done, _) => card(&Card::lines(["Done."]), route.kind),
        (Reply::Card { card: content } | Reply::Once { card: content }, kind) => {
            card(content, kind)
        }
        (Reply::Confirm { button }, kind) => messages(&question(button), kind),
        (Reply::Form { form }, RouteKind::Modal | RouteKind::Promised) => {
            messages(&[opens(form, route)], route.kind)
        }
        (Reply::Form { form }, _) => {
            let wanted = route.part.filter(|part| part.page == form.page);
            let wanted = wanted.map_or(0, |part| part.part);
            only(json!({ "type": 9, "data": modal::form(form, wanted) }))
        }
        (Reply::Errors { errors }, kind) => messages(&wrong(errors, route), kind),
        (
            Reply::AskReason { plan, title, hint },
            RouteKind::Command | RouteKind::Press | RouteKind::PrivatePress,
        ) => only(json!({ "type": 9, "data": modal::reason(*plan, title, hint) })),
        (Reply::AskReason { title, .. }, RouteKind::Modal | RouteKind::Promised) => {
            card(&Card::lines([title.as_str()]), route.kind)
        }
        (Reply::Page { title, blocks }, kind) => card(&page(title, blocks), kind),
        (Reply::Choices { options }, _) => only(choices(options)),
    }
}

/// What the answer says while the work isn't done: the reply follows by [`late`].
pub fn still_working(route: &AnswerRoute) -> Value {
    match route.kind {
        RouteKind::Command | RouteKind::Press | RouteKind::Modal => {
            json!({ "type": 5, "data": { "flags": 64 } })
        }
        RouteKind::PrivatePress | RouteKind::Promised => json!({ "type": 6 }),
    }
}

/// The messages of a reply once the answer has left without it: the first one stands in the place of what was promised.
pub fn late(reply: &Reply, route: &AnswerRoute) -> Vec<Value> {
    // No modal follows a promise, and what gives way to the reply is private already.
    let route = AnswerRoute {
        kind: RouteKind::Promised,
        ..route.clone()
    };
    let Answer { body, after } = answer(reply, &route);
    let first = body.get("data").cloned();
    first.into_iter().chain(after).collect()
}

/// The answer to a search.
pub fn choices(found: &[Choice]) -> Value {
    let short = |choice: &&Choice| limits::length(&choice.value) <= limits::OPTION;
    let offered: Vec<Value> = found
        .iter()
        .filter(short)
        .take(limits::OPTIONS)
        .map(|choice| json!({ "name": shorten(&choice.label, limits::OPTION), "value": choice.value }))
        .collect();
    json!({ "type": 8, "data": { "choices": offered } })
}

fn only(body: Value) -> Answer {
    Answer {
        body,
        after: Vec::new(),
    }
}

fn card(card: &Card, kind: RouteKind) -> Answer {
    messages(&message(card), kind)
}

/// Private messages: the first is the answer, or stands where the private answer stood that was pressed or promised.
fn messages(drawn: &[Rendered], kind: RouteKind) -> Answer {
    let gives_way = matches!(kind, RouteKind::PrivatePress | RouteKind::Promised);
    let nothing = Rendered {
        content: "–".to_owned(),
        ..Rendered::default()
    };
    let (first, rest) = drawn.split_first().unwrap_or((&nothing, &[]));
    let (kind, first) = if gives_way {
        (7, first.in_its_place())
    } else {
        (4, first.private())
    };
    Answer {
        body: json!({ "type": kind, "data": first }),
        after: rest.iter().map(Rendered::private).collect(),
    }
}

/// What a button would do, and the button that does it.
fn question(button: &Button) -> Vec<Rendered> {
    let mut drawn = message(&Card::question(button));
    if let Some(first) = drawn.first_mut() {
        first.rows.extend(buttons::confirmed(button));
    }
    drawn
}

/// A button that opens a page, or the next part of the one that was just filled.
fn opens(form: &FormPage, route: &AnswerRoute) -> Rendered {
    let same = route
        .part
        .filter(|part| part.page == form.page && !part.is_last());
    let part = modal::part(form, same.map_or(0, |part| part.part + 1));
    let mut lines = vec![Text::default().bold(form.heading.as_str())];
    if same.is_none() {
        lines.extend(form.intro.iter().cloned());
    }
    let blocks = vec![Block::Lines { lines }];
    let card = Card {
        fallback: form.heading.clone(),
        blocks,
    };
    let mut drawn = message(&card).into_iter().next().unwrap_or_default();
    let mut turns = vec![("Continue", Modal::Form(part).to_string())];
    if form.back {
        // A modal has no room for it.
        let here = format!("{}:{}", form.draft, form.page);
        turns.extend(ids::button(ButtonId::FormBack, &here, false).map(|id| ("Back", id)));
    }
    drawn.rows = vec![buttons::row(&turns)];
    drawn
}

/// What is wrong, and the way back into the page: what was typed stands in it.
fn wrong(errors: &[FieldError], route: &AnswerRoute) -> Vec<Rendered> {
    let lines = errors.iter().map(|error| {
        Text::default()
            .bold(error.called())
            .and(format!(": {}", error.message))
    });
    let mut drawn = message(&Card::lines(lines));
    if let (Some(part), Some(first)) = (route.part, drawn.first_mut()) {
        let again = Part { part: 0, ..part };
        first.rows = vec![buttons::row(&[(
            "Change it",
            Modal::Form(again).to_string(),
        )])];
    }
    drawn
}

fn page(title: &str, blocks: &[Block]) -> Card {
    let heading = Block::Heading {
        text: title.to_owned(),
    };
    Card {
        fallback: title.to_owned(),
        blocks: std::iter::once(heading)
            .chain(blocks.iter().cloned())
            .collect(),
    }
}
