//! Rows of buttons (components reference, "Action Row" and "Button").

use serde_json::{Value, json};

use super::super::{ids, limits};
use super::markdown;
use crate::domain::card::{Button, ButtonStyle};

/// Buttons in a row: more are hard to tell apart on a phone.
const IN_A_ROW: usize = 3;

/// The rows of a card's buttons; those behind a menu stand in rows of their own, since Discord has no menu beside buttons.
pub(super) fn rows(buttons: &[Button], menu: &[Button]) -> Vec<Value> {
    [buttons, menu]
        .into_iter()
        .flat_map(|some| some.chunks(IN_A_ROW))
        .map(|some| some.iter().filter_map(button).collect::<Vec<Value>>())
        .filter(|row| !row.is_empty())
        .map(|row| json!({ "type": 1, "components": row }))
        .collect()
}

/// A button; none for one whose value or address can't be sent. One with a dialog asks first, in a private answer.
fn button(button: &Button) -> Option<Value> {
    let label = limits::shorten(&button.label, limits::BUTTON_LABEL);
    if let Some(url) = &button.url {
        let url = markdown::address(url)?;
        return Some(json!({ "type": 2, "style": 5, "label": label, "url": url }));
    }
    let id = ids::button(button.id, &button.value, false)?;
    let style = match button.style {
        ButtonStyle::Plain => 2,
        ButtonStyle::Primary => 1,
        ButtonStyle::Danger => 4,
    };
    Some(json!({ "type": 2, "style": style, "label": label, "custom_id": id }))
}

/// The button that goes on after its question was read; none for one whose value can't be sent.
pub(super) fn confirmed(button: &Button) -> Option<Value> {
    let yes = button.confirm.as_ref().map_or(&button.label, |c| &c.yes);
    let label = limits::shorten(yes, limits::BUTTON_LABEL);
    let id = ids::button(button.id, &button.value, true)?;
    let style = match button.style {
        ButtonStyle::Danger => 4,
        ButtonStyle::Plain | ButtonStyle::Primary => 1,
    };
    let button = json!({ "type": 2, "style": style, "label": label, "custom_id": id });
    Some(json!({ "type": 1, "components": [button] }))
}

/// Buttons of our own, whose custom ids are known; the first one goes on.
pub(super) fn row(buttons: &[(&str, String)]) -> Value {
    let drawn = buttons.iter().enumerate().map(|(at, (label, id))| {
        let style = if at == 0 { 1 } else { 2 };
        json!({ "type": 2, "style": style, "label": label, "custom_id": id })
    });
    json!({ "type": 1, "components": drawn.collect::<Vec<_>>() })
}
