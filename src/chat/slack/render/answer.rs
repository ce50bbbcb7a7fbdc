//! A reply and the ways back into what is to be done: what the HTTP answer (or the socket's ack) carries, what is
//! called before it, what after.
//!
//! Opening a view is the one call before an answer: its trigger dies after three seconds. All else waits until Slack
//! has its answer.

use serde_json::{Map, Value, json};

use super::super::limits;
use super::super::parse::{AnswerRoute, RouteKind};
use super::form::{self, reading};
use super::input;
use super::message::{Rendered, message};
use crate::domain::card::{Block, Card, Text};
use crate::domain::form::{Choice, FieldError};
use crate::domain::reply::Reply;

/// What is to be done to answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// A view to open, before the answer leaves.
    pub before: Option<Call>,
    /// The answer's JSON; none: an empty 200.
    pub body: Option<Value>,
    /// Calls for after the answer, in order.
    pub after: Vec<Call>,
}

/// A call to Slack that answers somebody.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// `views.open`
    OpenView {
        /// Good for three seconds, once.
        trigger_id: String,
        /// The view.
        view: Value,
    },
    /// `views.update`
    UpdateView {
        /// Which.
        view_id: String,
        /// The state that it is meant for.
        hash: Option<String>,
        /// The view.
        view: Value,
    },
    /// A post to a `response_url`.
    Respond {
        /// The address, as delivered: the client checks its host.
        url: String,
        /// The message.
        body: Value,
    },
    /// `chat.postEphemeral`, or `chat.postMessage` in the bot's own conversation with a person.
    Say {
        /// Where.
        channel: String,
        /// For whose eyes only; none in a direct conversation.
        only: Option<String>,
        /// In which thread.
        thread: Option<String>,
        /// What.
        message: Box<Rendered>,
    },
}

/// How a reply leaves.
pub fn answer(reply: &Reply, route: &AnswerRoute) -> Answer {
    match (reply, route.kind) {
        (Reply::Done, RouteKind::ViewSubmission) => body(json!({ "response_action": "clear" })),
        (Reply::Choices { options: found }, RouteKind::Search) => body(options(found)),
        (_, RouteKind::Search) => body(options(&[])),
        (Reply::Done | Reply::Choices { .. }, _) => Answer::default(),
        (Reply::Errors { errors }, RouteKind::ViewSubmission) => {
            errors_body(errors, route).map_or_else(|| card(&errors_card(errors), route), body)
        }
        (Reply::Errors { errors }, _) => card(&errors_card(errors), route),
        (Reply::Card { card: content } | Reply::Once { card: content }, _) => card(content, route),
        (Reply::Confirm { button }, _) => {
            // Its own dialog asks, once it is pressed.
            let mut question = Card::question(button);
            question.blocks.push(Block::Buttons {
                buttons: vec![(**button).clone()],
                menu: Vec::new(),
            });
            card(&question, route)
        }
        (Reply::Form { form }, _) => view(form::form(form), route),
        (Reply::Page { title, blocks }, _) => view(reading(title, blocks), route),
        (Reply::AskReason { plan, title, hint }, _) => {
            view(form::reason(*plan, title, hint), route)
        }
    }
}

/// What the answer says while the work isn't done: the reply follows by [`late`].
pub fn still_working(card: &Card, route: &AnswerRoute) -> Option<Value> {
    match route.kind {
        RouteKind::Command => message(card, None).first().map(ephemeral),
        RouteKind::ViewSubmission => {
            Some(json!({ "response_action": "update", "view": note(card) }))
        }
        RouteKind::Search => Some(options(&[])),
        RouteKind::Press | RouteKind::ViewPress | RouteKind::Event => None,
    }
}

/// How a reply leaves once the answer has left without it.
pub fn late(reply: &Reply, route: &AnswerRoute) -> Vec<Call> {
    let route = AnswerRoute {
        kind: match route.kind {
            RouteKind::Command => RouteKind::Press,
            // The view shows "still working" by now, in another state than the one delivered.
            RouteKind::ViewSubmission => RouteKind::ViewPress,
            other => other,
        },
        view_hash: None,
        ..route.clone()
    };
    let done = Reply::Card {
        card: Card::lines(["Done."]),
    };
    // Somebody looks at "still working" and has to be told when nothing else is to be said.
    let reply = match reply {
        Reply::Done if route.kind == RouteKind::ViewPress => &done,
        other => other,
    };
    let Answer { before, after, .. } = answer(reply, &route);
    before.into_iter().chain(after).collect()
}

/// The answer to a search.
pub fn options(found: &[Choice]) -> Value {
    let options: Vec<Value> = found
        .iter()
        .filter_map(input::option)
        .take(limits::OPTIONS)
        .collect();
    json!({ "options": options })
}

/// Errors at the fields of the page that was sent; none for a page without fields. Slack refuses an error at a block
/// that isn't there, so what names another field stands at the last one.
pub fn errors_body(errors: &[FieldError], route: &AnswerRoute) -> Option<Value> {
    let (_, last) = route.fields.last()?;
    let mut shown = Map::new();
    for error in errors {
        let at = route.fields.iter().find(|(name, _)| *name == error.field);
        let (block, words) = match at {
            Some((_, block)) => (block, error.message.clone()),
            None => (last, format!("{}: {}", error.called(), error.message)),
        };
        let words = match shown.get(block).and_then(Value::as_str) {
            Some(before) => format!("{before} {words}"),
            None => words,
        };
        shown.insert(
            block.clone(),
            limits::shorten(&words, limits::INPUT_LABEL).into(),
        );
    }
    (!shown.is_empty()).then(|| json!({ "response_action": "errors", "errors": shown }))
}

fn body(json: Value) -> Answer {
    Answer {
        body: Some(json),
        ..Answer::default()
    }
}

fn after(calls: impl IntoIterator<Item = Call>) -> Answer {
    Answer {
        after: calls.into_iter().collect(),
        ..Answer::default()
    }
}

fn card(card: &Card, route: &AnswerRoute) -> Answer {
    let drawn = message(card, None);
    match (route.kind, &route.response_url, &route.spoken) {
        (RouteKind::Command, url, _) => Answer {
            before: None,
            body: drawn.first().map(ephemeral),
            after: respond(url.as_deref(), drawn.get(1..).unwrap_or_default()),
        },
        (RouteKind::Press, Some(url), _) => after(respond(Some(url), &drawn)),
        (RouteKind::Press, None, _) | (RouteKind::ViewSubmission | RouteKind::ViewPress, _, _) => {
            view(note(card), route)
        }
        (RouteKind::Event, _, Some(spoken)) => after(drawn.into_iter().map(|message| Call::Say {
            channel: spoken.channel.clone(),
            only: (!spoken.direct).then(|| spoken.user.clone()),
            thread: spoken.thread.clone(),
            message: Box::new(message),
        })),
        (RouteKind::Event | RouteKind::Search, _, _) => Answer::default(),
    }
}

fn respond(url: Option<&str>, messages: &[Rendered]) -> Vec<Call> {
    let Some(url) = url else {
        return Vec::new();
    };
    messages
        .iter()
        .map(|message| Call::Respond {
            url: url.to_owned(),
            body: ephemeral(message),
        })
        .collect()
}

fn view(view: Value, route: &AnswerRoute) -> Answer {
    match route.kind {
        RouteKind::ViewSubmission => body(json!({ "response_action": "update", "view": view })),
        RouteKind::ViewPress => after(route.view_id.clone().map(|view_id| Call::UpdateView {
            view_id,
            hash: route.view_hash.clone(),
            view,
        })),
        RouteKind::Command | RouteKind::Press => Answer {
            before: route
                .trigger_id
                .clone()
                .map(|trigger_id| Call::OpenView { trigger_id, view }),
            ..Answer::default()
        },
        RouteKind::Search | RouteKind::Event => Answer::default(),
    }
}

/// A message for the person alone; the card that was pressed stays.
fn ephemeral(message: &Rendered) -> Value {
    json!({
        "response_type": "ephemeral",
        "replace_original": false,
        "text": message.text,
        "blocks": message.blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// A card as a modal, for those who look at one.
fn note(card: &Card) -> Value {
    if card.blocks.is_empty() {
        return reading("idp", &Card::lines([card.fallback.as_str()]).blocks);
    }
    reading("idp", &card.blocks)
}

fn errors_card(errors: &[FieldError]) -> Card {
    Card::lines(errors.iter().map(|error| {
        Text::default()
            .bold(error.called())
            .and(format!(": {}", error.message))
    }))
}
