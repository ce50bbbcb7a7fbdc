//! What was typed into a modal: a label holds one input (components reference, "Label"), an older row one or more.

use serde_json::Value;

use super::super::ids::{REASON_INPUT, Reading};
use crate::chat::fields::Fields;

/// Field name and value of each input of a form.
pub(super) fn values(fields: Fields<'_>) -> Vec<(String, Value)> {
    inputs(fields)
        .into_iter()
        .filter_map(|input| {
            let (reading, name) = Reading::of(input.text("custom_id")?)?;
            Some((name.to_owned(), value(reading, input)))
        })
        .collect()
}

/// The reason of a Deny, as typed.
pub(super) fn reason(fields: Fields<'_>) -> Option<String> {
    let mut inputs = inputs(fields).into_iter();
    let input = inputs.find(|input| input.text("custom_id") == Some(REASON_INPUT))?;
    Some(input.text("value")?.trim().to_owned())
}

fn inputs(fields: Fields<'_>) -> Vec<Fields<'_>> {
    let mut found = Vec::new();
    for part in fields.list("data.components") {
        found.extend(part.at("component"));
        found.extend(part.list("components"));
    }
    found
}

fn value(reading: Reading, input: Fields<'_>) -> Value {
    let text = || input.text("value");
    let chosen = || input.list("values").filter_map(|value| value.0.as_str());
    match reading {
        Reading::Text => text().map_or(Value::Null, Value::from),
        Reading::Number => text().map_or(Value::Null, number),
        Reading::Switch => Value::Bool(chosen().next() == Some("true")),
        Reading::Choice => chosen().next().map_or(Value::Null, Value::from),
        Reading::Choices => chosen().collect(),
    }
}

/// A number where it is one; else the words as typed, for the form's check to name.
fn number(text: &str) -> Value {
    let text = text.trim();
    let fraction = || {
        let number = text.parse().ok().and_then(serde_json::Number::from_f64);
        number.map_or(Value::from(text), Value::Number)
    };
    text.parse::<i64>().map_or_else(|_| fraction(), Value::from)
}
