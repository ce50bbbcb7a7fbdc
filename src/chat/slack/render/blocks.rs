//! A card's blocks into Slack's, for messages and modals alike.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::limits::{self, length, shorten};
use super::{mrkdwn, text};
use crate::domain::card::{Block, Button, ButtonStyle, Confirm};

/// A block of Slack's, with what splitting has to know of it.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    /// As it is sent.
    pub(super) json: Value,
    /// Characters that count towards a message's sum.
    pub(super) chars: usize,
    /// Buttons stay on the message that is kept up to date.
    pub(super) buttons: bool,
}

/// Draws blocks in order.
pub(super) fn draw(blocks: &[Block]) -> Vec<Drawn> {
    let mut ids = ActionIds::default();
    let mut drawn = Vec::new();
    for block in blocks {
        match block {
            Block::Heading { text } if length(text) <= limits::HEADER => {
                if !text.trim().is_empty() {
                    drawn.push(words(
                        json!({ "type": "header", "text": text::plain(text, limits::HEADER) }),
                    ));
                }
            }
            Block::Heading { text } => {
                sections(
                    &mut drawn,
                    text::objects(&[crate::domain::card::Text::default().bold(text)]),
                );
            }
            Block::Lines { lines } => sections(&mut drawn, text::objects(lines)),
            Block::Small { lines } => drawn.extend(
                text::objects(lines)
                    .into_iter()
                    .map(|object| words(json!({ "type": "context", "elements": [object] }))),
            ),
            Block::Code { text } => sections(&mut drawn, text::preformatted(text)),
            Block::Buttons { buttons, menu } => drawn.extend(rows(buttons, menu, &mut ids)),
            Block::Divider => drawn.push(words(json!({ "type": "divider" }))),
        }
    }
    drawn
}

/// Characters of a block that count towards a message's sum.
fn words(json: Value) -> Drawn {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) if name == "text" => length(text),
                    Value::String(_) => 0,
                    other => count(other),
                })
                .sum(),
            Value::Array(items) => items.iter().map(count).sum(),
            _ => 0,
        }
    }
    Drawn {
        chars: count(&json),
        json,
        buttons: false,
    }
}

fn sections(drawn: &mut Vec<Drawn>, objects: Vec<Value>) {
    drawn.extend(
        objects
            .into_iter()
            .map(|object| words(json!({ "type": "section", "text": object }))),
    );
}

/// Action ids that are unique in one message: the second `form.open` is `form.open#2`.
#[derive(Default)]
struct ActionIds(HashMap<&'static str, usize>);

impl ActionIds {
    fn next(&mut self, id: &'static str) -> String {
        let count = self.0.entry(id).or_default();
        *count += 1;
        match *count {
            1 => id.to_owned(),
            n => format!("{id}#{n}"),
        }
    }
}

fn rows(buttons: &[Button], menu: &[Button], ids: &mut ActionIds) -> Vec<Drawn> {
    // One menu has one dialog for all its options, so options with differing dialogs stand as buttons.
    let shared = menu.first().map(|button| &button.confirm);
    let one_menu = menu
        .iter()
        .all(|button| Some(&button.confirm) == shared && option(button).is_some());
    let (beside, behind) = if one_menu {
        (&[][..], menu)
    } else {
        (menu, &[][..])
    };

    let mut elements: Vec<Value> = buttons
        .iter()
        .chain(beside)
        .filter_map(|button| element(button, ids))
        .collect();
    for options in behind.chunks(limits::MENU) {
        let mut overflow = Map::new();
        overflow.insert("type".into(), "overflow".into());
        overflow.insert("action_id".into(), ids.next("menu").into());
        overflow.insert(
            "options".into(),
            options.iter().filter_map(option).collect(),
        );
        if let Some(confirm) = options.first().and_then(|first| first.confirm.as_ref()) {
            overflow.insert("confirm".into(), dialog(confirm, ButtonStyle::Plain));
        }
        elements.push(Value::Object(overflow));
    }
    elements
        .chunks(limits::ACTIONS)
        .map(|row| Drawn {
            buttons: true,
            ..words(json!({ "type": "actions", "elements": row }))
        })
        .collect()
}

/// A button; none for one whose value or address can't be sent. Values are ids, so that is a mistake of ours.
fn element(button: &Button, ids: &mut ActionIds) -> Option<Value> {
    if length(&button.value) > limits::BUTTON_VALUE {
        return None;
    }
    let mut element = Map::new();
    element.insert("type".into(), "button".into());
    element.insert("text".into(), text::plain(&button.label, limits::LABEL));
    if let Some(url) = &button.url {
        mrkdwn::address(url)?;
        element.insert("url".into(), url.as_str().into());
    }
    element.insert("action_id".into(), ids.next(button.id.as_str()).into());
    if !button.value.is_empty() {
        element.insert("value".into(), button.value.as_str().into());
    }
    match button.style {
        ButtonStyle::Plain => None,
        ButtonStyle::Primary => element.insert("style".into(), "primary".into()),
        ButtonStyle::Danger => element.insert("style".into(), "danger".into()),
    };
    if let Some(confirm) = &button.confirm {
        element.insert("confirm".into(), dialog(confirm, button.style));
    }
    Some(Value::Object(element))
}

/// An option behind a menu: its value carries id and value in one.
fn option(button: &Button) -> Option<Value> {
    let value = format!("{} {}", button.id, button.value);
    (length(&value) <= limits::OPTION_VALUE && button.url.is_none()).then(
        || json!({ "text": text::plain(&button.label, limits::LABEL), "value": value.trim_end() }),
    )
}

fn dialog(confirm: &Confirm, style: ButtonStyle) -> Value {
    let mut dialog = json!({
        "title": text::plain(&confirm.title, limits::CONFIRM_TITLE),
        "text": text::plain(&confirm.text, limits::CONFIRM_TEXT),
        "confirm": text::plain(&confirm.yes, limits::CONFIRM_LABEL),
        "deny": text::plain(&confirm.no, limits::CONFIRM_LABEL),
    });
    if style == ButtonStyle::Danger {
        dialog["style"] = "danger".into();
    }
    dialog
}

/// A modal's frame around blocks.
pub(super) fn modal(title: &str, blocks: &[Value]) -> Value {
    json!({
        "type": "modal",
        "title": text::plain(&shorten(title, limits::VIEW_TITLE), limits::VIEW_TITLE),
        "close": text::plain("Close", limits::VIEW_TITLE),
        "blocks": blocks,
    })
}
