//! Components of messages: rows of buttons, and selects (docs.discord.com/developers/components/reference). Of the newer
//! layout components (flag `IS_COMPONENTS_V2`) the simulator takes none.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Form, Part, choice, counted};

const ROW: u64 = 1;
const BUTTON: u64 = 2;
pub(super) const STRING_SELECT: u64 = 3;
/// Of strings, users, roles, mentionables, channels; 4 between them is a text input.
pub(super) const SELECTS: [u64; 5] = [3, 5, 6, 7, 8];
/// Buttons that lead somewhere, and buttons that sell something.
const LINK: u64 = 5;
const PREMIUM: u64 = 6;

/// Rows under a message.
pub(super) fn rows(form: &mut Form, message: &Part<'_>) {
    let rows = message.list(form, "components");
    counted(form, &message.place("components"), rows.len(), 0..=5);
    let mut ids = Ids::default();
    for row in rows {
        if row.number("type") != Some(ROW) {
            choice(form, &row.place("type"), "1,");
            continue;
        }
        let all = row.list(form, "components");
        counted(form, &row.place("components"), all.len(), 1..=5);
        let selects = all.iter().filter(|one| is_select(one.value)).count();
        if selects > 0 && all.len() > 1 {
            let message = "A select needs a row of its own.";
            form.wrong(
                &row.place("components"),
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                message,
            );
        }
        for one in all {
            match one.number("type") {
                Some(BUTTON) => button(form, &one, &mut ids),
                Some(kind) if SELECTS.contains(&kind) => select(form, &one, &mut ids),
                _ => choice(form, &one.place("type"), "2, 3, 5, 6, 7, 8"),
            }
        }
    }
}

/// Whether a component is a select.
pub(in crate::sandbox) fn is_select(component: &Value) -> bool {
    let kind = component.get("type").and_then(Value::as_u64);
    kind.is_some_and(|kind| SELECTS.contains(&kind))
}

/// Custom ids seen so far: each stands once.
#[derive(Default)]
pub(super) struct Ids(BTreeSet<String>);

impl Ids {
    pub(super) fn check(&mut self, form: &mut Form, one: &Part<'_>) {
        one.text(form, "custom_id", (1..=100, true));
        let id = one.str("custom_id");
        if !id.is_empty() && !self.0.insert(id.to_owned()) {
            let message = "Component custom id cannot be duplicated";
            form.wrong(
                &one.place("custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                message,
            );
        }
    }
}

fn button(form: &mut Form, one: &Part<'_>, ids: &mut Ids) {
    one.text(form, "label", (1..=80, false));
    let style = one.number("style");
    match style {
        Some(1..=4) => {
            ids.check(form, one);
            if one.at("url").is_some() {
                let message = "A url only fits a link button";
                form.wrong(&one.place("url"), "BUTTON_COMPONENT_INVALID_URL", message);
            }
        }
        Some(LINK) => link(form, one),
        Some(PREMIUM) => {}
        _ => choice(form, &one.place("style"), "1, 2, 3, 4, 5, 6"),
    }
    let named = one.at("label").is_some() || one.at("emoji").is_some();
    if !named && style != Some(PREMIUM) {
        let message = "A button needs a label or an emoji";
        form.wrong(&one.place("label"), "BASE_TYPE_REQUIRED", message);
    }
}

fn link(form: &mut Form, one: &Part<'_>) {
    one.text(form, "url", (1..=512, true));
    let address = one.str("url");
    let schemes = ["http://", "https://", "discord://"];
    if !address.is_empty() && !schemes.iter().any(|own| address.starts_with(own)) {
        let message = "Scheme must be one of ('http', 'https', 'discord').";
        form.wrong(&one.place("url"), "URL_TYPE_INVALID_SCHEME", message);
    }
    if one.at("custom_id").is_some() {
        let message = "A custom id and url cannot both be specified";
        form.wrong(
            &one.place("custom_id"),
            "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
            message,
        );
    }
}

/// A select, in a message or in a modal's label.
pub(super) fn select(form: &mut Form, one: &Part<'_>, ids: &mut Ids) {
    ids.check(form, one);
    one.text(form, "placeholder", (0..=150, false));
    let options = one.list(form, "options");
    let string = one.number("type") == Some(STRING_SELECT);
    let most = if string { options.len() } else { 25 };
    one.bounded(form, "min_values", 0..=25);
    one.bounded(form, "max_values", 1..=25);
    let least = one.number("min_values").unwrap_or(1);
    let at_most = one.number("max_values").unwrap_or(1);
    let more_than_there_are = usize::try_from(at_most).is_ok_and(|n| n > most);
    if least > at_most || (string && more_than_there_are) {
        let message = "max_values must lie between min_values and the number of options";
        form.wrong(&one.place("max_values"), "NUMBER_TYPE_MAX", message);
    }
    if !string {
        return;
    }
    counted(form, &one.place("options"), options.len(), 1..=25);
    let mut values = BTreeSet::new();
    let mut chosen = 0;
    for option in &options {
        option.text(form, "label", (1..=100, true));
        option.text(form, "value", (1..=100, true));
        option.text(form, "description", (1..=100, false));
        chosen += u64::from(option.flag("default"));
        if !values.insert(option.str("value")) {
            let message = "The specified option value is already used";
            form.wrong(
                &option.place("value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                message,
            );
        }
    }
    if chosen > at_most {
        let message = "Too many options are chosen by default";
        form.wrong(
            &one.place("options"),
            "SELECT_COMPONENT_TOO_MANY_DEFAULT",
            message,
        );
    }
}

/// Components as Discord gives them back: each with a number of its own.
pub(in crate::sandbox) fn numbered(components: Option<&Value>) -> Vec<Value> {
    fn number(one: &mut Value, next: &mut u64) {
        let Some(own) = one.as_object_mut() else {
            return;
        };
        own.entry("id").or_insert_with(|| (*next).into());
        *next += 1;
        if let Some(Value::Array(all)) = own.get_mut("components") {
            for below in all {
                number(below, next);
            }
        }
        if let Some(below) = own.get_mut("component") {
            number(below, next);
        }
    }
    let all = components.and_then(Value::as_array);
    let mut all = all.cloned().unwrap_or_default();
    let mut next = 1;
    for one in &mut all {
        number(one, &mut next);
    }
    all
}

/// The buttons and selects of a message that act.
pub(in crate::sandbox) fn pressable(components: &[Value]) -> Vec<&Value> {
    components
        .iter()
        .filter_map(|row| row.get("components")?.as_array())
        .flatten()
        .filter(|one| one.get("custom_id").is_some())
        .collect()
}
