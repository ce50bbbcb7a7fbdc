//! The fields of a form as Slack's inputs.
//!
//! Which element it is follows from the number of choices: up to five are radio buttons, up to a
//! hundred a select, and beyond that one which searches.

use serde_json::{Map, Value, json};

use super::super::ids::{self, Reading};
use super::super::limits;
use super::text;
use crate::domain::form::{Choice, Field, FieldKind, FormPage};

/// One input. Its block id carries page and revision, so that Slack shows the value given here and not one it kept.
pub(super) fn input(page: &FormPage, field: &Field) -> Value {
    let label = if field.label.trim().is_empty() {
        &field.name
    } else {
        &field.label
    };
    // Slack refuses an unticked box in a required input: "no" would never get through.
    let optional = !field.required || field.kind == FieldKind::Switch;
    let mut block = json!({
        "type": "input",
        "block_id": ids::field_block(&field.name, page.page, page.revision),
        "label": text::plain(label, limits::INPUT_LABEL),
        "optional": optional,
        "element": element(field),
    });
    if field.steers {
        block["dispatch_action"] = true.into();
    }
    if let Some(help) = field.help.as_deref().filter(|help| !help.trim().is_empty()) {
        block["hint"] = text::plain(help, limits::INPUT_LABEL);
    }
    block
}

fn element(field: &Field) -> Value {
    let mut element = match &field.kind {
        FieldKind::Text {
            multiline,
            min,
            max,
        } => typed(field, *multiline, *min, *max),
        FieldKind::Number { integer, min, max } => numeric(field, *integer, *min, *max),
        FieldKind::Switch => switch(field),
        FieldKind::Choice { options } => one_of(field, options),
        FieldKind::Choices { options } => any_of(field, options),
    };
    let reading = match field.kind {
        FieldKind::Text { .. } => Reading::Text,
        FieldKind::Number { .. } => Reading::Number,
        FieldKind::Switch => Reading::Switch,
        FieldKind::Choice { .. } => Reading::Choice,
        FieldKind::Choices { .. } => Reading::Choices,
    };
    element.insert("action_id".into(), reading.action_id().into());
    Value::Object(element)
}

fn of_type(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), Value::from(kind))])
}

fn with_placeholder(mut element: Map<String, Value>, field: &Field) -> Map<String, Value> {
    if let Some(words) = field
        .placeholder
        .as_deref()
        .filter(|w| !w.trim().is_empty())
    {
        element.insert(
            "placeholder".into(),
            text::plain(words, limits::PLACEHOLDER),
        );
    }
    element
}

fn typed(field: &Field, multiline: bool, min: Option<u32>, max: Option<u32>) -> Map<String, Value> {
    let mut element = with_placeholder(of_type("plain_text_input"), field);
    element.insert("multiline".into(), multiline.into());
    let most = max
        .and_then(|max| usize::try_from(max).ok())
        .map_or(limits::INPUT_TEXT, |max| max.clamp(1, limits::INPUT_TEXT));
    element.insert("max_length".into(), most.into());
    // An empty field is the affair of `required`.
    let least = min
        .and_then(|min| usize::try_from(min).ok())
        .unwrap_or_default()
        .min(most);
    if least > 1 {
        element.insert("min_length".into(), least.into());
    }
    let value = match &field.value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if !value.is_empty() {
        element.insert("initial_value".into(), limits::shorten(&value, most).into());
    }
    element
}

fn numeric(field: &Field, integer: bool, min: Option<f64>, max: Option<f64>) -> Map<String, Value> {
    let mut element = with_placeholder(of_type("number_input"), field);
    element.insert("is_decimal_allowed".into(), (!integer).into());
    for (name, bound) in [("min_value", min), ("max_value", max)] {
        if let Some(bound) = bound.filter(|bound| bound.is_finite()) {
            element.insert(name.into(), bound.to_string().into());
        }
    }
    let value = match &field.value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let within = |value: &f64| {
        value.is_finite()
            && min.is_none_or(|min| *value >= min)
            && max.is_none_or(|max| *value <= max)
            && (!integer || value.fract() == 0.0)
    };
    if let Some(value) = value.filter(within) {
        element.insert("initial_value".into(), value.to_string().into());
    }
    element
}

fn switch(field: &Field) -> Map<String, Value> {
    let yes = json!({ "text": text::plain("Yes", limits::LABEL), "value": "true" });
    let mut element = of_type("checkboxes");
    element.insert("options".into(), json!([yes]));
    if field.value == Some(Value::Bool(true)) {
        element.insert("initial_options".into(), json!([yes]));
    }
    element
}

fn one_of(field: &Field, choices: &[Choice]) -> Map<String, Value> {
    let drawn: Vec<Value> = choices.iter().filter_map(option).collect();
    let wanted = field.value.as_ref().and_then(Value::as_str);
    let chosen = drawn
        .iter()
        .find(|option| option["value"].as_str() == wanted && wanted.is_some())
        .cloned();
    let mut element = match drawn.len() {
        1..=limits::RADIOS => of_type("radio_buttons"),
        6..=limits::OPTIONS => with_placeholder(of_type("static_select"), field),
        _ => searching("external_select", field),
    };
    if (1..=limits::OPTIONS).contains(&drawn.len()) {
        element.insert("options".into(), drawn.into());
    }
    if let Some(chosen) = chosen {
        element.insert("initial_option".into(), chosen);
    }
    element
}

fn any_of(field: &Field, choices: &[Choice]) -> Map<String, Value> {
    let drawn: Vec<Value> = choices.iter().filter_map(option).collect();
    let wanted: Vec<&str> = field
        .value
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let chosen: Vec<Value> = drawn
        .iter()
        .filter(|option| {
            option["value"]
                .as_str()
                .is_some_and(|v| wanted.contains(&v))
        })
        .cloned()
        .collect();
    let mut element = match drawn.len() {
        1..=limits::CHECKBOXES => of_type("checkboxes"),
        11..=limits::OPTIONS => with_placeholder(of_type("multi_static_select"), field),
        _ => searching("multi_external_select", field),
    };
    if (1..=limits::OPTIONS).contains(&drawn.len()) {
        element.insert("options".into(), drawn.into());
    }
    if !chosen.is_empty() {
        element.insert("initial_options".into(), chosen.into());
    }
    element
}

/// A select that asks us what it offers; from the first character on, and before it.
fn searching(kind: &str, field: &Field) -> Map<String, Value> {
    let mut element = with_placeholder(of_type(kind), field);
    element.insert("min_query_length".into(), 0.into());
    element
}

/// An option; none for a value that Slack would refuse (see `ids`).
pub(super) fn option(choice: &Choice) -> Option<Value> {
    if choice.value.is_empty() || limits::length(&choice.value) > limits::OPTION_VALUE {
        return None;
    }
    let label = if choice.label.trim().is_empty() {
        &choice.value
    } else {
        &choice.label
    };
    let mut option = json!({ "text": text::plain(label, limits::LABEL), "value": choice.value });
    if let Some(more) = choice
        .description
        .as_deref()
        .filter(|d| !d.trim().is_empty())
    {
        option["description"] = text::plain(more, limits::LABEL);
    }
    Some(option)
}
