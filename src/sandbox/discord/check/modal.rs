//! Modals: docs.discord.com/developers/interactions/receiving-and-responding, "Modal", and the components reference.

use serde_json::Value;

use super::{
    Form, Part, choice,
    components::{Ids, SELECTS, select},
    counted, twilight,
};
use crate::sandbox::discord::error::Refusal;

const ROW: u64 = 1;
const INPUT: u64 = 4;
const TEXT: u64 = 10;
const LABEL: u64 = 18;

/// Whether Discord opens it.
pub(in crate::sandbox) fn modal(data: &Value) -> Result<(), Refusal> {
    let mut form = Form::default();
    let part = Part {
        value: data,
        path: "data".to_owned(),
    };
    part.text(&mut form, "title", (1..=45, true));
    part.text(&mut form, "custom_id", (1..=100, true));
    let components = part.list(&mut form, "components");
    let place = part.place("components");
    counted(&mut form, &place, components.len(), 1..=5);
    let mut ids = Ids::default();
    for one in components {
        match one.number("type") {
            Some(LABEL) => label(&mut form, &one, &mut ids),
            Some(ROW) => row(&mut form, &one, &mut ids),
            Some(TEXT) => one.text(&mut form, "content", (1..=4_000, true)),
            _ => choice(&mut form, &one.place("type"), "1, 10, 18"),
        }
    }
    form.done()?;
    let mut form = Form::default();
    twilight::modal(&mut form, &part);
    form.done()
}

fn label(form: &mut Form, one: &Part<'_>, ids: &mut Ids) {
    one.text(form, "label", (1..=45, true));
    one.text(form, "description", (1..=100, false));
    let Some(component) = one.at("component") else {
        return form.missing(&one.place("component"));
    };
    match component.number("type") {
        Some(INPUT) => {
            if component.at("label").is_some() {
                let message = "The label stands around the input";
                form.wrong(&component.place("label"), "BASE_TYPE_UNEXPECTED", message);
            }
            input(form, &component, ids);
        }
        Some(kind) if SELECTS.contains(&kind) => {
            select(form, &component, ids);
            if component.flag("disabled") {
                let message = "A select in a modal can't be disabled";
                form.wrong(
                    &component.place("disabled"),
                    "BASE_TYPE_UNEXPECTED",
                    message,
                );
            }
            let needed = component.value.get("required") != Some(&Value::Bool(false));
            if needed && component.number("min_values") == Some(0) {
                let message = "A select that is required takes at least one value";
                form.wrong(&component.place("min_values"), "NUMBER_TYPE_MIN", message);
            }
        }
        _ => choice(form, &component.place("type"), "3, 4, 5, 6, 7, 8"),
    }
}

/// The older way: a row with one text input that has its label inside.
fn row(form: &mut Form, one: &Part<'_>, ids: &mut Ids) {
    let all = one.list(form, "components");
    counted(form, &one.place("components"), all.len(), 1..=1);
    for own in all {
        if own.number("type") == Some(INPUT) {
            own.text(form, "label", (1..=45, true));
            input(form, &own, ids);
        } else {
            choice(form, &own.place("type"), "4,");
        }
    }
}

fn input(form: &mut Form, one: &Part<'_>, ids: &mut Ids) {
    ids.check(form, one);
    if !matches!(one.number("style"), Some(1 | 2)) {
        choice(form, &one.place("style"), "1, 2");
    }
    one.bounded(form, "min_length", 0..=4_000);
    one.bounded(form, "max_length", 1..=4_000);
    one.text(form, "placeholder", (0..=100, false));
    let most = one.number("max_length").unwrap_or(4_000);
    let most = usize::try_from(most).unwrap_or(4_000);
    one.text(form, "value", (0..=most.min(4_000), false));
    if one.number("min_length").unwrap_or(0) > one.number("max_length").unwrap_or(4_000) {
        let message = "min_length is above max_length";
        form.wrong(&one.place("min_length"), "NUMBER_TYPE_MAX", message);
    }
}
