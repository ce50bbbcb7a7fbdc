//! Elements that people press: buttons, menus, and inputs outside of an input block.

use maud::{Markup, html};
use serde_json::Value;

use super::{blocks::list, inputs, mrkdwn::Words};
use crate::sandbox::world::{View, text};

/// An element of an actions block, or beside a section.
pub(super) fn draw(element: &Value, block: &str, words: &Words<'_>, view: Option<&View>) -> Markup {
    match text(element, "type").as_str() {
        "button" => button(element, block),
        "overflow" => overflow(element, block),
        "image" => {
            html! { img.accessory src=(text(element, "image_url")) alt=(text(element, "alt_text")); }
        }
        _ => inputs::alone(element, block, words, view),
    }
}

fn button(element: &Value, block: &str) -> Markup {
    let label = text(&element["text"], "text");
    let style = text(element, "style");
    let url = text(element, "url");
    let value = element.get("value").and_then(Value::as_str);
    let action = text(element, "action_id");
    let described = element.get("accessibility_label").and_then(Value::as_str);
    let id = format!("{block}-{action}");
    html! {
        @if url.is_empty() {
            button.primary[style == "primary"].danger[style == "danger"] type="button" data-press=(action) data-block=(block)
                data-value=[value] data-confirm=[confirm(element)] aria-label=[described] data-key=(id) { (label) }
        } @else {
            a.button.primary[style == "primary"].danger[style == "danger"] href=(url) target="_blank" rel="noreferrer"
                data-press=(action) data-block=(block) data-value=[value] data-key=(id) { (label) }
        }
    }
}

fn overflow(element: &Value, block: &str) -> Markup {
    let action = text(element, "action_id");
    html! {
        details.menu.overflow data-key={ (block) "-" (action) } {
            summary aria-label="More" { "⋯" }
            ul {
                @for option in list(element, "options") {
                    li {
                        button type="button" data-press=(action) data-block=(block) data-choice=(text(option, "value"))
                            data-confirm=[confirm(element)] { (text(&option["text"], "text")) }
                    }
                }
            }
        }
    }
}

/// The dialog before the act, as data for the script.
pub(super) fn confirm(element: &Value) -> Option<String> {
    element.get("confirm").map(Value::to_string)
}

/// Everything that can be read in these blocks, as text.
pub(super) fn all_text(blocks: &[Value]) -> String {
    fn collect(value: &Value, into: &mut String) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(said) if name == "text" => {
                            into.push_str(said);
                            into.push('\n');
                        }
                        other => collect(other, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    let mut said = String::new();
    for block in blocks {
        collect(block, &mut said);
    }
    said
}
