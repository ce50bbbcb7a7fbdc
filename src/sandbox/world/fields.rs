//! What stands in the inputs of a view or message: Slack's `state.values`, and how one value is put there.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Block id → action id → state object, just as `state.values` goes over the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Fields(pub BTreeMap<String, BTreeMap<String, Value>>);

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

impl Fields {
    /// The state of freshly shown blocks: initial values, else empty ones.
    pub fn initial(blocks: &[Value]) -> Self {
        let mut fields = Self::default();
        for element in elements(blocks) {
            if let Some(state) = initial_state(&element) {
                fields.put(&element, state);
            }
        }
        fields
    }

    /// Keeps what people had entered wherever block id, action id and kind stayed the same, as Slack does on update.
    pub fn carried_over(mut self, before: &Self) -> Self {
        for (block_id, actions) in &mut self.0 {
            for (action_id, state) in actions {
                if let Some(old) = before
                    .0
                    .get(block_id)
                    .and_then(|actions| actions.get(action_id))
                    && old.get("type") == state.get("type")
                {
                    *state = old.clone();
                }
            }
        }
        self
    }

    /// Puts a state object in.
    pub fn put(&mut self, element: &Element, state: Value) {
        self.0
            .entry(element.block_id.clone())
            .or_default()
            .insert(element.action_id.clone(), state);
    }

    /// The state object of one element.
    pub fn get(&self, block_id: &str, action_id: &str) -> Option<&Value> {
        self.0.get(block_id)?.get(action_id)
    }
}

/// Where a kind of element keeps its value in its state object, and whether that is a list.
fn slot(kind: &str) -> Option<(&'static str, bool)> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => {
            ("value", false)
        }
        "rich_text_input" => ("rich_text_value", false),
        "static_select" | "external_select" | "radio_buttons" => ("selected_option", false),
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            ("selected_options", true)
        }
        "users_select" => ("selected_user", false),
        "multi_users_select" => ("selected_users", true),
        "channels_select" => ("selected_channel", false),
        "multi_channels_select" => ("selected_channels", true),
        "conversations_select" => ("selected_conversation", false),
        "multi_conversations_select" => ("selected_conversations", true),
        "datepicker" => ("selected_date", false),
        "timepicker" => ("selected_time", false),
        "datetimepicker" => ("selected_date_time", false),
        _ => return None,
    })
}

fn initial_state(element: &Element) -> Option<Value> {
    let (slot, list) = slot(&element.kind)?;
    let name = match slot {
        "value" | "rich_text_value" => "initial_value".to_owned(),
        other => other.replacen("selected", "initial", 1),
    };
    let empty = if list { json!([]) } else { Value::Null };
    let value = element.json.get(&name).cloned().unwrap_or(empty);
    Some(state(&element.kind, slot, value))
}

fn state(kind: &str, slot: &str, value: Value) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), kind.into());
    object.insert(slot.into(), value);
    Value::Object(object)
}

/// The state object for what a person entered: text, an option's value, or a list of them.
///
/// `suggested` are the options last offered by the app for an external select. `None` when the element takes no such
/// value: an option that isn't offered, a list where one is wanted.
pub fn entered(element: &Element, value: &Value, suggested: &[Value]) -> Option<Value> {
    let (slot, list) = slot(&element.kind)?;
    let option = slot.starts_with("selected_option");
    let one = |value: &Value| -> Option<Value> {
        if option {
            offered(element, value.as_str()?, suggested)
        } else {
            Some(value.clone())
        }
    };
    let value = match value {
        Value::Null => {
            if list {
                json!([])
            } else {
                Value::Null
            }
        }
        Value::String(text) if text.is_empty() && !list => Value::Null,
        Value::Array(values) if list => {
            Value::Array(values.iter().map(one).collect::<Option<_>>()?)
        }
        single if list => json!([one(single)?]),
        Value::Array(_) => return None,
        single => one(single)?,
    };
    Some(state(&element.kind, slot, value))
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

/// Whether nothing was entered.
pub fn is_empty(state: &Value) -> bool {
    state
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "type")
        .all(|(_, value)| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        })
}

/// A string member, or nothing.
pub fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
