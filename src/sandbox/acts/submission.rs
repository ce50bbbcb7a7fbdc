//! A submitted form: what Slack's client refuses to send, and what the app's answer does to the view.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sandbox::{
    api::blocks,
    deliver::Ack,
    world::{Change, Element, Inner, Person, Place, View, elements, is_empty},
};

/// What Slack's client says when the app gave no usable answer.
pub(super) const TROUBLE: &str = "We had some trouble connecting. Try again?";
/// What it says under an empty required input.
pub(super) const REQUIRED: &str = "Please complete this required field.";

impl Inner {
    /// Shows what is wrong at the fields.
    pub(super) fn set_errors(&mut self, view: &str, errors: BTreeMap<String, String>) {
        let Some(open) = self.view_mut(view) else {
            return;
        };
        if open.errors != errors {
            open.errors = errors;
            let person = open.person.clone();
            self.changed(Change::View { person });
        }
    }

    /// Applies the app's answer to a submission; `Err` is what the person is told.
    pub(super) fn submitted(
        &mut self,
        person: &Person,
        view: &View,
        ack: &Ack,
    ) -> Result<(), String> {
        let trouble = |cause: &str| format!("{TROUBLE} ({cause})");
        let Some(answer) = ack
            .json
            .as_ref()
            .filter(|answer| answer.get("response_action").is_some())
        else {
            if !ack.body.trim().is_empty() && ack.body.trim() != "{}" {
                return Err(trouble("the answer has no response_action"));
            }
            self.drop_view(&person.id, &view.id);
            return Ok(());
        };
        let given = |part: &str| answer.get(part).cloned().unwrap_or(Value::Null);
        let checked = || {
            let definition = given("view");
            blocks::view(&definition).map_err(|wrong| trouble(&wrong.messages.join("; ")))?;
            Ok::<Value, String>(definition)
        };
        match answer
            .get("response_action")
            .and_then(Value::as_str)
            .unwrap_or_default()
        {
            "clear" => {
                self.clear_views(&person.id);
                Ok(())
            }
            "errors" => {
                let errors: BTreeMap<String, String> = serde_json::from_value(given("errors"))
                    .map_err(|cause| trouble(&cause.to_string()))?;
                let inputs: Vec<Element> = elements(view.blocks());
                let known = |id: &String| {
                    inputs
                        .iter()
                        .any(|own| own.block_id == *id && own.input.is_some())
                };
                if errors.is_empty() || !errors.keys().all(known) {
                    return Err(trouble(
                        "errors must name blocks of the view that are inputs",
                    ));
                }
                self.set_errors(&view.id, errors);
                Ok(())
            }
            "update" => self
                .update_view(&view.id, None, checked()?)
                .map(|_| ())
                .map_err(|cause| trouble(&format!("{cause:?}"))),
            "push" => self
                .show_view(&person.id, &Place::Above(view.id.clone()), checked()?)
                .map(|_| ())
                .map_err(|cause| trouble(&format!("{cause:?}"))),
            other => Err(trouble(&format!("unknown response_action {other:?}"))),
        }
    }
}

/// What Slack's client refuses to send: empty required inputs, texts out of their bounds.
pub(super) fn missing(view: &View) -> BTreeMap<String, String> {
    let mut errors = BTreeMap::new();
    for element in elements(view.blocks()) {
        let Some(rules) = element.input else { continue };
        let state = view.fields.get(&element.block_id, &element.action_id);
        let state = state.cloned().unwrap_or_else(|| json!({}));
        let bound = |name: &str| {
            element
                .json
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let length = state
            .get("value")
            .and_then(Value::as_str)
            .map_or(0, |text| text.chars().count());
        let error = if is_empty(&state) {
            (!rules.optional).then(|| REQUIRED.to_owned())
        } else if element.kind != "plain_text_input" {
            None
        } else if bound("min_length").is_some_and(|least| length < least) {
            bound("min_length").map(|least| format!("Please enter at least {least} characters."))
        } else {
            // Slack's own bound for a text without one: 3000 characters.
            let most = bound("max_length").unwrap_or(3000);
            (length > most).then(|| format!("Please enter at most {most} characters."))
        };
        if let Some(error) = error {
            errors.insert(element.block_id, error);
        }
    }
    errors
}
