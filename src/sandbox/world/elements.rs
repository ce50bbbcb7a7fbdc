//! The elements of blocks that people can use, and the ids that Slack gives them where the app didn't.

use serde_json::Value;

/// One element that people can use, wherever it sits in the blocks.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its block.
    pub block_id: String,
    /// Its own id.
    pub action_id: String,
    /// `button`, `static_select`, …
    pub kind: String,
    /// As the app gave it.
    pub json: Value,
    /// It is the element of an `input` block, which says whether it may stay empty.
    pub input: Option<InputRules>,
}

/// What an `input` block says about its element.
#[derive(Clone, Copy, Debug)]
pub struct InputRules {
    /// May stay empty.
    pub optional: bool,
    /// A change is delivered at once.
    pub dispatch: bool,
}

/// Every element with an action id, in reading order.
pub fn elements(blocks: &[Value]) -> Vec<Element> {
    let mut found = Vec::new();
    for block in blocks {
        let block_id = text(block, "block_id");
        if let Some(element) = block.get("accessory") {
            push(&mut found, &block_id, element, None);
        }
        if let Some(element) = block.get("element") {
            let flag = |name: &str| block.get(name).and_then(Value::as_bool).unwrap_or(false);
            let rules = InputRules {
                optional: flag("optional"),
                dispatch: flag("dispatch_action"),
            };
            push(&mut found, &block_id, element, Some(rules));
        }
        for element in block
            .get("elements")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            push(&mut found, &block_id, element, None);
        }
    }
    found
}

fn push(found: &mut Vec<Element>, block_id: &str, element: &Value, input: Option<InputRules>) {
    let action_id = text(element, "action_id");
    if !action_id.is_empty() {
        found.push(Element {
            block_id: block_id.to_owned(),
            action_id,
            kind: text(element, "type"),
            json: element.clone(),
            input,
        });
    }
}

/// Gives every block a block id and every element an action id where the app left them out, as Slack does.
pub fn assign_ids(blocks: &mut [Value], mut fresh: impl FnMut() -> String) {
    const INTERACTIVE: [&str; 4] = ["image", "plain_text", "mrkdwn", "rich_text_section"];
    for block in blocks {
        let Some(block) = block.as_object_mut() else {
            continue;
        };
        if !block.contains_key("block_id") {
            block.insert("block_id".into(), fresh().into());
        }
        let kind = block
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let mut give = |element: &mut Value| {
            let passive = INTERACTIVE.contains(&text(element, "type").as_str());
            if let Some(element) = element.as_object_mut()
                && !passive
                && !element.contains_key("action_id")
            {
                element.insert("action_id".into(), fresh().into());
            }
        };
        block.get_mut("accessory").map(&mut give);
        block.get_mut("element").map(&mut give);
        if kind == "actions" {
            block
                .get_mut("elements")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .for_each(give);
        }
    }
}

/// The option with this value, among those of the element, of its groups, or those suggested by the app.
pub fn offered(element: &Element, value: &str, suggested: &[Value]) -> Option<Value> {
    let own = element
        .json
        .get("options")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let grouped = element
        .json
        .get("option_groups")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|group| group.get("options").and_then(Value::as_array))
        .flatten();
    let initial = element.json.get("initial_option").into_iter();
    own.chain(grouped)
        .chain(suggested)
        .chain(initial)
        .find(|option| text(option, "value") == value)
        .cloned()
}

/// A string member, or nothing.
pub fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
