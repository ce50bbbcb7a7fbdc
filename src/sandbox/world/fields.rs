//! What stands in the inputs of a view or message: Slack's `state.values`, and how one value is put there.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::elements::{Element, elements, offered};

/// Block id → action id → state object, just as `state.values` goes over the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Fields(pub BTreeMap<String, BTreeMap<String, Value>>);

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
    #[must_use]
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
