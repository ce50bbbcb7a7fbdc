//! What Slack refuses in messages and views: the `slackblocks` crate's rules, plus duplicate ids and sizes in all.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::sandbox::world::{Draft, elements, text};

/// <https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages>
pub(super) const TEXT_CHARS: usize = 40_000;
/// Where `msg_blocks_too_long` begins; undocumented, measured in bolt-js issue 2509.
const BLOCKS_CHARS: usize = 13_200;
/// "greater than 250kb": `view_too_large`.
const VIEW_BYTES: usize = 250_000;
/// Options of one answer to a search: <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>.
const OPTIONS: usize = 100;

/// Refused content: Slack's error name and the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Wrong {
    /// Such as `invalid_blocks`.
    pub(in crate::sandbox) error: &'static str,
    /// As in `response_metadata.messages`.
    pub(in crate::sandbox) messages: Vec<String>,
}

impl Wrong {
    fn new(error: &'static str, message: &str, pointer: &str) -> Self {
        Self {
            error,
            messages: vec![format!("[ERROR] {message} [json-pointer:{pointer}]")],
        }
    }
}

/// Checks and reads a message's content from a call's arguments or an answer.
pub(in crate::sandbox) fn message(body: &Value) -> Result<Draft, Wrong> {
    let blocks = list(body, "blocks", "invalid_blocks_format")?;
    let attachments = list(body, "attachments", "invalid_attachments")?;
    let text = text(body, "text");
    if text.trim().is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err(Wrong {
            error: "no_text",
            messages: Vec::new(),
        });
    }
    check_blocks(&blocks)?;
    if !attachments.is_empty() {
        let payload = json!({ "channel": "C", "text": "x", "attachments": attachments });
        slackblocks::MessagePayload::try_from(payload)
            .map_err(|cause| invalid("invalid_attachments", &cause, "MessagePayload"))?;
    }
    Ok(Draft {
        text,
        blocks,
        attachments,
        ..Draft::default()
    })
}

fn list(body: &Value, name: &str, error: &'static str) -> Result<Vec<Value>, Wrong> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|cause| Wrong::new(error, &cause.to_string(), &format!("/{name}"))),
        Some(_) => Err(Wrong::new(error, "must be an array", &format!("/{name}"))),
    }
}

fn check_blocks(blocks: &[Value]) -> Result<(), Wrong> {
    if blocks.is_empty() {
        return Ok(());
    }
    let payload = json!({ "channel": "C", "text": "x", "blocks": blocks });
    slackblocks::MessagePayload::try_from(payload)
        .map_err(|cause| invalid("invalid_blocks", &cause, "MessagePayload"))?;
    duplicates(blocks, "invalid_blocks", "/blocks")?;
    if json!(blocks).to_string().chars().count() > BLOCKS_CHARS {
        return Err(Wrong {
            error: "msg_blocks_too_long",
            messages: Vec::new(),
        });
    }
    Ok(())
}

/// Checks a modal.
pub(in crate::sandbox) fn view(definition: &Value) -> Result<(), Wrong> {
    if definition.to_string().len() > VIEW_BYTES {
        return Err(Wrong {
            error: "view_too_large",
            messages: Vec::new(),
        });
    }
    slackblocks::ModalView::try_from(definition.clone())
        .map_err(|cause| invalid("invalid_arguments", &cause, "ModalView"))?;
    let blocks = definition.get("blocks").and_then(Value::as_array);
    duplicates(
        blocks.map_or(&[], Vec::as_slice),
        "invalid_arguments",
        "/view/blocks",
    )
}

/// Block ids are unique in a message or view, action ids within their block.
fn duplicates(blocks: &[Value], error: &'static str, pointer: &str) -> Result<(), Wrong> {
    let mut seen = HashSet::new();
    for (at, block) in blocks.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        let id = text(block, "block_id");
        if !id.is_empty() && !seen.insert(id.clone()) {
            let message = format!("`block_id` already exists: {id}");
            return Err(Wrong::new(error, &message, &format!("{pointer}/block_id")));
        }
        let mut actions = HashSet::new();
        for element in elements(std::slice::from_ref(block)) {
            if !actions.insert(element.action_id.clone()) {
                let message = format!("`action_id` already exists: {}", element.action_id);
                return Err(Wrong::new(error, &message, &format!("{pointer}/elements")));
            }
        }
    }
    Ok(())
}

/// The options in an answer to a search, or a sentence about what is wrong with it.
pub(in crate::sandbox) fn options(answer: &Value) -> Result<Vec<Value>, String> {
    let flat = answer.get("options").and_then(Value::as_array).cloned();
    let grouped = || {
        let groups = answer.get("option_groups").and_then(Value::as_array)?;
        Some(
            groups
                .iter()
                .filter_map(|group| group.get("options").and_then(Value::as_array))
                .flatten()
                .cloned()
                .collect(),
        )
    };
    let options: Vec<Value> = flat
        .or_else(grouped)
        .ok_or("The answer holds no options.")?;
    if options.len() > OPTIONS {
        return Err(format!("The answer holds more than {OPTIONS} options."));
    }
    for option in &options {
        slackblocks::SelectOption::try_from(option.clone()).map_err(|cause| cause.to_string())?;
    }
    Ok(options)
}

/// `ModalView.blocks[0].text` becomes `/view/blocks/0/text`, as Slack points.
fn invalid(error: &'static str, cause: &slackblocks::ValidationError, root: &str) -> Wrong {
    let path = cause.path().strip_prefix(root).unwrap_or(cause.path());
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let prefix = if root == "ModalView" { "/view" } else { "" };
    Wrong::new(error, cause.message(), &format!("{prefix}{pointer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_what_is_too_long() {
        let long = "x".repeat(3001);
        let body = json!({ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": long } }] });
        let wrong = message(&body).unwrap_err();
        assert_eq!(wrong.error, "invalid_blocks");
        assert!(
            wrong.messages[0].ends_with("[json-pointer:/blocks/0/text/text]"),
            "{wrong:?}"
        );
    }

    #[test]
    fn refuses_the_same_action_twice_in_a_block() {
        let button = json!({ "type": "button", "action_id": "go", "text": { "type": "plain_text", "text": "Go" } });
        let body = json!({ "blocks": [{ "type": "actions", "elements": [button, button] }] });
        assert_eq!(message(&body).unwrap_err().error, "invalid_blocks");
        let apart = json!({ "blocks": [{ "type": "actions", "elements": [button] }, { "type": "actions", "elements": [button] }] });
        assert!(message(&apart).is_ok());
    }

    #[test]
    fn refuses_a_form_without_a_way_to_submit() {
        let view = json!({
            "type": "modal",
            "title": { "type": "plain_text", "text": "Form" },
            "blocks": [{
                "type": "input", "block_id": "b",
                "label": { "type": "plain_text", "text": "Name" },
                "element": { "type": "plain_text_input", "action_id": "a" }
            }]
        });
        assert_eq!(super::view(&view).unwrap_err().error, "invalid_arguments");
    }

    #[test]
    fn blocks_have_a_size_in_all() {
        let section =
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2900) } });
        let body = json!({ "blocks": vec![section; 5] });
        assert_eq!(message(&body).unwrap_err().error, "msg_blocks_too_long");
    }
}
