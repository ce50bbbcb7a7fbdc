//! Pages of forms as modals (docs.discord.com/developers/components, "Using Modal Components"): five components each, so a
//! longer page comes in parts.

use serde_json::{Map, Value, json};

use super::super::ids::{Modal, Part, REASON_INPUT, Reading};
use super::super::limits::{self, shorten};
use super::markdown;
use crate::domain::form::{Choice, Field, FieldKind, FormPage};
use crate::domain::id::PlanId;

/// The parts of a page: which fields stand in each. A page's intro takes a place in the first one.
fn parts(form: &FormPage) -> Vec<&[Field]> {
    let room = limits::MODAL_COMPONENTS - usize::from(!form.intro.is_empty());
    let (first, rest) = form.fields.split_at(room.min(form.fields.len()));
    let mut parts = vec![first];
    parts.extend(rest.chunks(limits::MODAL_COMPONENTS));
    parts
}

/// The name of a part of a page; the first one where there is no such part.
pub(super) fn part(form: &FormPage, wanted: u32) -> Part {
    let parts = u32::try_from(parts(form).len()).unwrap_or(u32::MAX);
    Part {
        draft: form.draft,
        page: form.page,
        part: if wanted < parts { wanted } else { 0 },
        parts,
    }
}

/// A part of a page as a modal.
pub(super) fn form(form: &FormPage, wanted: u32) -> Value {
    let part = part(form, wanted);
    let at = usize::try_from(part.part).unwrap_or_default();
    let fields = parts(form).get(at).copied().unwrap_or_default();
    let mut components = Vec::new();
    if at == 0 && !form.intro.is_empty() {
        let lines: Vec<String> = form.intro.iter().map(markdown::render).collect();
        let text = shorten(&lines.join("\n"), limits::CONTENT);
        components.push(json!({ "type": 10, "content": text }));
    }
    components.extend(fields.iter().map(label));
    let title = if part.parts > 1 {
        format!("{} ({} of {})", form.title, part.part + 1, part.parts)
    } else {
        form.title.clone()
    };
    modal(&title, Modal::Form(part), &components)
}

/// Asks for the reason of a Deny.
pub(super) fn reason(plan: PlanId, title: &str, hint: &str) -> Value {
    let input = json!({ "type": 4, "custom_id": REASON_INPUT, "style": 2, "required": true, "max_length": 1000 });
    let label = json!({
        "type": 18, "label": "Reason", "description": shorten(hint, limits::INPUT_HELP), "component": input,
    });
    modal(title, Modal::Reason(plan), &[label])
}

fn modal(title: &str, id: Modal, components: &[Value]) -> Value {
    json!({
        "title": shorten(title, limits::MODAL_TITLE), "custom_id": id.to_string(), "components": components,
    })
}

/// A field with its label.
fn label(field: &Field) -> Value {
    let mut label = Map::new();
    label.insert("type".into(), 18.into());
    let words = if field.label.trim().is_empty() {
        &field.name
    } else {
        &field.label
    };
    label.insert("label".into(), shorten(words, limits::INPUT_LABEL).into());
    if let Some(help) = &field.help {
        label.insert(
            "description".into(),
            shorten(help, limits::INPUT_HELP).into(),
        );
    }
    label.insert("component".into(), input(field));
    Value::Object(label)
}

fn input(field: &Field) -> Value {
    let yes_or_no = || {
        [("true", "Yes"), ("false", "No")].map(|(value, label)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            description: None,
        })
    };
    match &field.kind {
        FieldKind::Text {
            multiline,
            min,
            max,
        } => text(field, Reading::Text, (*multiline, *min, *max)),
        FieldKind::Number { .. } => text(field, Reading::Number, (false, None, None)),
        FieldKind::Switch => select(field, Reading::Switch, &yes_or_no(), 1),
        FieldKind::Choice { options } if options.len() <= limits::OPTIONS => {
            select(field, Reading::Choice, options, 1)
        }
        // More than a select holds: typed, and checked like everything that is.
        FieldKind::Choice { .. } => text(field, Reading::Text, (false, None, None)),
        FieldKind::Choices { options } => {
            let some = &options[..options.len().min(limits::OPTIONS)];
            select(field, Reading::Choices, some, some.len())
        }
    }
}

fn text(
    field: &Field,
    reading: Reading,
    (multiline, min, max): (bool, Option<u32>, Option<u32>),
) -> Value {
    let most = u32::try_from(limits::INPUT_TEXT).unwrap_or(u32::MAX);
    let longest = max.unwrap_or(most).clamp(1, most);
    let mut input = json!({
        "type": 4, "custom_id": reading.input(&field.name), "style": if multiline { 2 } else { 1 },
        "required": field.required, "max_length": longest,
    });
    if let Some(min) = min.filter(|min| *min > 0) {
        input["min_length"] = min.min(longest).into();
    }
    if let Some(words) = &field.placeholder {
        input["placeholder"] = shorten(words, limits::PLACEHOLDER).into();
    }
    let value = match &field.value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    if !value.is_empty() {
        input["value"] = shorten(&value, usize::try_from(longest).unwrap_or(usize::MAX)).into();
    }
    input
}

fn select(field: &Field, reading: Reading, options: &[Choice], most: usize) -> Value {
    let chosen = |value: &str| match &field.value {
        Some(Value::String(text)) => text == value,
        Some(Value::Bool(on)) => on.to_string() == value,
        Some(Value::Array(all)) => all.iter().any(|one| one == value),
        _ => false,
    };
    let options: Vec<Value> = options
        .iter()
        .filter_map(|o| option(o, chosen(&o.value)))
        .collect();
    if options.is_empty() {
        return text(field, Reading::Text, (false, None, None));
    }
    let least = usize::from(field.required && reading != Reading::Choices);
    json!({
        "type": 3, "custom_id": reading.input(&field.name), "required": field.required,
        "min_values": least, "max_values": most.clamp(1, options.len()), "options": options,
    })
}

/// An option; none for one whose value is longer than Discord gives back.
fn option(choice: &Choice, chosen: bool) -> Option<Value> {
    if limits::length(&choice.value) > limits::OPTION || choice.value.is_empty() {
        return None;
    }
    let label = if choice.label.trim().is_empty() {
        &choice.value
    } else {
        &choice.label
    };
    let mut option = json!({ "label": shorten(label, limits::OPTION), "value": choice.value, "default": chosen });
    if let Some(words) = choice
        .description
        .as_deref()
        .filter(|w| !w.trim().is_empty())
    {
        option["description"] = shorten(words, limits::OPTION).into();
    }
    Some(option)
}
