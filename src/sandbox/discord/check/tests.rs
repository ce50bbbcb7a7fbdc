//! Each limit from both sides.

use serde_json::{Value, json};

use super::{Wanted, commands, message, modal};
use crate::sandbox::discord::error::Refusal;

/// The places that are wrong, with their codes.
fn wrong(judged: Result<(), Refusal>) -> Vec<String> {
    fn collect(tree: &Value, path: &str, found: &mut Vec<String>) {
        for (key, below) in tree.as_object().into_iter().flatten() {
            if key == "_errors" {
                found.push(format!("{path}: {}", below[0]["code"].as_str().unwrap()));
            } else {
                collect(
                    below,
                    format!("{path}.{key}").trim_start_matches('.'),
                    found,
                );
            }
        }
    }
    let mut found = Vec::new();
    if let Err(refusal) = judged {
        let body = refusal.body();
        collect(&body["errors"], "", &mut found);
        if found.is_empty() {
            found.push(body["code"].to_string());
        }
    }
    found
}

fn row(buttons: &[Value]) -> Value {
    json!({ "content": "x", "components": [{ "type": 1, "components": buttons }] })
}

fn button(id: &str) -> Value {
    json!({ "type": 2, "style": 1, "label": "Yes", "custom_id": id })
}

#[test]
fn messages_have_words_and_not_too_many() {
    let post = |body: Value| wrong(message(&body, Wanted::Post, ""));
    assert!(post(json!({ "content": "é".repeat(2_000) })).is_empty());
    assert_eq!(
        post(json!({ "content": "é".repeat(2_001) })),
        ["content: BASE_TYPE_MAX_LENGTH"]
    );
    assert_eq!(post(json!({ "content": " \n" })), ["50006"]);
    assert_eq!(
        post(json!({ "content": "x", "nonce": "n".repeat(26) })),
        ["nonce: BASE_TYPE_MAX_LENGTH"]
    );
    assert_eq!(
        post(json!({ "content": "x", "flags": 64 })),
        ["flags: BITFIELD_INVALID"]
    );
    assert_eq!(
        post(json!({ "content": "x", "allowed_mentions": { "parse": ["users"], "users": ["1"] } })),
        ["allowed_mentions: MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"]
    );
}

#[test]
fn components_are_named_once_and_fit() {
    let post = |body: Value| wrong(message(&body, Wanted::Post, ""));
    assert!(post(row(&[button("a"), button("b")])).is_empty());
    assert_eq!(
        post(row(&[button("a"), button("a")])),
        ["components.0.components.1.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED"]
    );
    let six: Vec<Value> = (0..6).map(|n| button(&n.to_string())).collect();
    assert_eq!(
        post(row(&six)),
        ["components.0.components: BASE_TYPE_BAD_LENGTH"]
    );
    let link = json!({ "type": 2, "style": 5, "label": "x", "url": "javascript:x" });
    assert_eq!(
        post(row(&[link])),
        ["components.0.components.0.url: URL_TYPE_INVALID_SCHEME"]
    );
    let select = json!({ "type": 3, "custom_id": "s", "max_values": 2, "options": [
        { "label": "A", "value": "a" }] });
    assert_eq!(
        post(row(&[select])),
        ["components.0.components.0.max_values: NUMBER_TYPE_MAX"]
    );
}

#[test]
fn modals_have_five_components_with_labels() {
    let label = |id: &str| json!({ "type": 18, "label": "Name", "component": { "type": 4, "custom_id": id, "style": 1 } });
    let of = |components: Vec<Value>| {
        wrong(modal(
            &json!({ "title": "T", "custom_id": "m", "components": components }),
        ))
    };
    assert!(of((0..5).map(|n| label(&n.to_string())).collect()).is_empty());
    assert_eq!(
        of((0..6).map(|n| label(&n.to_string())).collect()),
        ["data.components: BASE_TYPE_BAD_LENGTH"]
    );
    assert_eq!(
        of(vec![
            json!({ "type": 1, "components": [{ "type": 4, "custom_id": "a", "style": 1 }] })
        ]),
        ["data.components.0.components.0.label: BASE_TYPE_REQUIRED"]
    );
}

#[test]
fn commands_are_spelt_as_discord_spells_them() {
    let of = |command: Value| wrong(commands(&json!([command])));
    assert!(of(json!({ "name": "idp", "description": "Ask" })).is_empty());
    assert_eq!(
        of(json!({ "name": "Idp", "description": "Ask" })),
        ["0.name: APPLICATION_COMMAND_INVALID_NAME"]
    );
    let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "x", "required": required });
    assert_eq!(
        of(
            json!({ "name": "idp", "description": "Ask", "options": [option("a", false), option("b", true)] })
        ),
        ["0.options.1.required: APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"]
    );
}
