//! Rows of buttons and selects under a message.

use maud::{Markup, html};
use serde_json::Value;

use super::super::blocks::list;
use crate::sandbox::world::text;

/// Rows, in order.
pub(super) fn rows(rows: &[Value]) -> Markup {
    html! {
        @for row in rows {
            div.actions { @for own in list(row, "components") { (one(own)) } }
        }
    }
}

fn one(own: &Value) -> Markup {
    match own.get("type").and_then(Value::as_u64) {
        Some(2) => button(own),
        Some(3) => select(own),
        other => {
            let kind = other.unwrap_or_default();
            html! { p.unknown { "This page can't draw a component of type " code { (kind) } "." } }
        }
    }
}

fn button(own: &Value) -> Markup {
    let style = match own.get("style").and_then(Value::as_u64) {
        Some(1) => "primary",
        Some(3) => "success",
        Some(4) => "danger solid",
        _ => "grey",
    };
    let label = text(own, "label");
    let id = text(own, "custom_id");
    let disabled = own.get("disabled").and_then(Value::as_bool) == Some(true);
    let emoji = own.pointer("/emoji/name").and_then(Value::as_str);
    html! {
        @if id.is_empty() {
            a.button.grey href=(text(own, "url")) target="_blank" rel="noreferrer" { (label) " ↗" }
        } @else {
            button class=(style) type="button" data-press=(id) data-key=(id) disabled[disabled] {
                @if let Some(emoji) = emoji { (emoji) " " } (label)
            }
        }
    }
}

/// A select that acts at once.
fn select(own: &Value) -> Markup {
    let id = text(own, "custom_id");
    let placeholder = text(own, "placeholder");
    let placeholder = if placeholder.is_empty() {
        "Make a selection"
    } else {
        &placeholder
    };
    let many = own.get("max_values").and_then(Value::as_u64).unwrap_or(1) > 1;
    html! {
        @if many {
            fieldset.alone data-input="multi_static_select" data-action=(id) data-dispatch {
                legend { (placeholder) }
                (choices(own, &id, &Value::Null))
            }
        } @else {
            div.alone data-input="static_select" data-action=(id) data-dispatch {
                select aria-label=(placeholder) {
                    option value="" selected { (placeholder) }
                    @for option in list(own, "options") {
                        option value=(text(option, "value")) { (text(option, "label")) }
                    }
                }
            }
        }
    }
}

/// Options that are seen whole, those of `chosen` checked.
pub(super) fn choices(own: &Value, id: &str, chosen: &Value) -> Markup {
    let is_chosen = |value: &str| {
        let mut all = chosen.as_array().into_iter().flatten();
        all.any(|own| own == value)
    };
    html! {
        div.options.long {
            @for (at, option) in list(own, "options").iter().enumerate() {
                @let value = text(option, "value");
                label.option {
                    input type="checkbox" name=(id) value=(value) checked[is_chosen(&value)] id={ "i-" (id) "-" (at) };
                    span { (text(option, "label")) small { (text(option, "description")) } }
                }
            }
        }
    }
}
