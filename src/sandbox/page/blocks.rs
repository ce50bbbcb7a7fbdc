//! Block Kit as HTML: what an app's message or view is made of.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    elements, inputs,
    mrkdwn::{Words, decoded, pre},
};
use crate::sandbox::world::{View, text};

/// Blocks, in order; `view` when they stand in a modal.
pub(super) fn draw(blocks: &[Value], words: &Words<'_>, view: Option<&View>) -> Markup {
    html! { @for block in blocks { (one(block, words, view)) } }
}

fn one(block: &Value, words: &Words<'_>, view: Option<&View>) -> Markup {
    let id = text(block, "block_id");
    let parts = list(block, "elements");
    match text(block, "type").as_str() {
        "section" => section(block, words, view),
        "header" => html! { h3.header { (text(&block["text"], "text")) } },
        "divider" => html! { hr; },
        "context" => html! {
            div.context { @for part in parts { (object(part, words)) " " } }
        },
        "actions" => html! {
            div.actions { @for part in parts { (elements::draw(part, &id, words, view)) } }
        },
        "input" => inputs::draw(block, words, view),
        "image" => image(block),
        "rich_text" => html! { @for part in parts { (rich(part, words)) } },
        "markdown" => html! { p.raw { (text(block, "text")) } },
        other => {
            html! { p.unknown { "This page can't draw a block of type " code { (other) } "." } }
        }
    }
}

fn section(block: &Value, words: &Words<'_>, view: Option<&View>) -> Markup {
    let id = text(block, "block_id");
    html! {
        div.section {
            div.words {
                @if let Some(text) = block.get("text") { div { (object(text, words)) } }
                @let fields = list(block, "fields");
                @if !fields.is_empty() {
                    div.fields { @for field in fields { div { (object(field, words)) } } }
                }
            }
            @if let Some(accessory) = block.get("accessory") { (elements::draw(accessory, &id, words, view)) }
        }
    }
}

/// A text object: `mrkdwn`, `plain_text`, or a picture of a context block.
pub(super) fn object(object: &Value, words: &Words<'_>) -> Markup {
    match text(object, "type").as_str() {
        "mrkdwn" => words.draw(&text(object, "text")),
        "image" => {
            html! { img.small src=(text(object, "image_url")) alt=(text(object, "alt_text")); }
        }
        _ => html! { span.plain { (text(object, "text")) } },
    }
}

fn image(block: &Value) -> Markup {
    html! {
        figure {
            @let title = text(&block["title"], "text");
            @if !title.is_empty() { figcaption { (title) } }
            img src=(text(block, "image_url")) alt=(text(block, "alt_text"));
        }
    }
}

/// A part of a `rich_text` block.
fn rich(part: &Value, words: &Words<'_>) -> Markup {
    let inner = || html! { @for leaf in list(part, "elements") { (rich_leaf(leaf, words)) } };
    match text(part, "type").as_str() {
        "rich_text_preformatted" => {
            let lines: String = list(part, "elements")
                .iter()
                .map(|leaf| text(leaf, "text"))
                .collect();
            pre(&lines)
        }
        "rich_text_quote" => html! { blockquote { (inner()) } },
        "rich_text_list" => {
            let items = list(part, "elements");
            let ordered = text(part, "style") == "ordered";
            html! {
                @if ordered { ol { @for item in items { li { (rich(item, words)) } } } }
                @else { ul.rich { @for item in items { li { (rich(item, words)) } } } }
            }
        }
        _ => html! { span.plain { (inner()) } },
    }
}

fn rich_leaf(leaf: &Value, words: &Words<'_>) -> Markup {
    let styled = |name: &str| {
        leaf.pointer(&format!("/style/{name}"))
            .and_then(Value::as_bool)
            == Some(true)
    };
    let said = text(leaf, "text");
    // Kinds with an id are drawn as the token that stands for them in mrkdwn.
    let token = match text(leaf, "type").as_str() {
        "link" => Some(format!(
            "<{}|{}>",
            text(leaf, "url"),
            if said.is_empty() {
                text(leaf, "url")
            } else {
                said.clone()
            }
        )),
        "user" => Some(format!("<@{}>", text(leaf, "user_id"))),
        "channel" => Some(format!("<#{}>", text(leaf, "channel_id"))),
        "usergroup" => Some(format!("<!subteam^{}>", text(leaf, "usergroup_id"))),
        "broadcast" => Some(format!("<!{}>", text(leaf, "range"))),
        _ => None,
    };
    let inner = token.map_or_else(|| html! { (decoded(&said)) }, |token| words.draw(&token));
    html! {
        @if styled("code") { code { (inner) } }
        @else if styled("bold") { strong { (inner) } }
        @else if styled("italic") { em { (inner) } }
        @else if styled("strike") { s { (inner) } }
        @else { (inner) }
    }
}

/// A list member, or nothing.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
