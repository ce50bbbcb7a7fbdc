//! Filling in, submitting and closing modals, and searching the options of external selects.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ActError, Outcome, Surface, press::find};
use crate::sandbox::{
    api::blocks,
    deliver::{Ack, Parcel},
    wire,
    world::{
        DeliveryKind, Element, Inner, MessageRef, Person, Place, View, World, elements, entered,
        is_empty,
    },
};

/// What Slack's client says when the app gave no usable answer.
const TROUBLE: &str = "We had some trouble connecting. Try again?";
/// What it says under an empty required input.
const REQUIRED: &str = "Please complete this required field.";

/// One value entered in a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldEntry {
    /// Needed only when the action id stands in several blocks.
    #[serde(default)]
    pub block_id: Option<String>,
    /// The input.
    pub action_id: String,
    /// Text, an option's value, a list of them, or null to empty it.
    pub value: Value,
}

impl World {
    /// Enters values in an open modal; nothing is delivered.
    ///
    /// # Errors
    /// When the modal isn't open, has no such input, or the input doesn't take the value.
    pub fn fill(&self, person: &str, view: &str, entries: &[FieldEntry]) -> Result<View, ActError> {
        self.with(|inner| {
            let (person, _) = inner.own_view(person, view)?;
            for entry in entries {
                inner.fill_one(&person, view, entry)?;
            }
            inner.view(view).cloned().ok_or(ActError::NoView)
        })
    }

    /// Enters the values and presses the submit button.
    ///
    /// # Errors
    /// As [`World::fill`]. What the app or Slack's client finds wrong with the values stands in the view's errors.
    pub async fn submit(
        self: &Arc<Self>,
        person: &str,
        view: &str,
        entries: &[FieldEntry],
    ) -> Result<Outcome, ActError> {
        self.fill(person, view, entries)?;
        let checked = self.with(|inner| {
            let (person, mut open) = inner.own_view(person, view)?;
            let errors = missing(&open);
            let wrong = !errors.is_empty();
            inner.set_errors(&open.id, errors.clone());
            open.errors = errors;
            Ok((person, open, wrong))
        });
        let (person, open, wrong) = checked?;
        if wrong {
            return Ok(Outcome {
                problem: Some(REQUIRED.into()),
                ..Outcome::default()
            });
        }
        let payload = self.with(|inner| {
            let trigger = inner.new_trigger(&person.id, Some(&open.id));
            wire::view_submission(inner, &person, &open, &trigger)
        });
        let delivered = self
            .deliver(Parcel::new(DeliveryKind::ViewSubmission, payload).by(&person.id))
            .await;
        let taken = match delivered.result {
            Ok(ack) => self.with(|inner| inner.submitted(&person, &open, &ack)),
            Err(failure) => Err(format!("{TROUBLE} ({})", failure.name())),
        };
        if let Err(problem) = &taken {
            self.notice(&person.id, problem);
        }
        Ok(Outcome {
            delivery: Some(delivered.id),
            ts: None,
            problem: taken.err(),
        })
    }

    /// Closes the modal that is on top, as the close button or Escape does.
    ///
    /// # Errors
    /// When it isn't open.
    pub async fn close(self: &Arc<Self>, person: &str, view: &str) -> Result<Outcome, ActError> {
        let (person, closed, all) = self.with(|inner| {
            let (person, open) = inner.own_view(person, view)?;
            let all = open.flag("clear_on_close");
            if all {
                inner.clear_views(&person.id);
            } else {
                inner.drop_view(&person.id, &open.id);
            }
            Ok((person, open, all))
        })?;
        if !closed.flag("notify_on_close") {
            return Ok(Outcome::default());
        }
        let payload = self.with(|inner| wire::view_closed(inner, &person, &closed, all));
        let parcel = Parcel::new(DeliveryKind::ViewClosed, payload).by(&person.id);
        let delivered = self.deliver(parcel).await;
        Ok(Outcome {
            delivery: Some(delivered.id),
            ..Outcome::default()
        })
    }

    /// Asks the app for the options of an external select, as typing in it does.
    ///
    /// # Errors
    /// When there is no such element, or the app gave no usable answer.
    pub async fn suggest(
        self: &Arc<Self>,
        person: &str,
        surface: &Surface,
        action_id: &str,
        typed: &str,
    ) -> Result<Value, ActError> {
        let (person, payload) =
            self.with(|inner| inner.suggestion(person, surface, (action_id, typed)))?;
        let parcel = Parcel::new(DeliveryKind::BlockSuggestion, payload).by(&person.id);
        let delivered = self.deliver(parcel).await;
        let answer = match delivered.result {
            Ok(ack) => ack
                .json
                .ok_or_else(|| "The options could not be read.".to_owned()),
            Err(failure) => Err(format!(
                "The options could not be loaded ({}).",
                failure.name()
            )),
        };
        let answer = answer.map_err(ActError::Failed)?;
        let options = blocks::options(&answer).map_err(ActError::Failed)?;
        self.with(|inner| {
            inner
                .suggested
                .insert((person.id, action_id.to_owned()), options);
        });
        Ok(answer)
    }
}

impl Inner {
    fn own_view(&self, person: &str, view: &str) -> Result<(Person, View), ActError> {
        let person = self.person(person).ok_or(ActError::NoPerson)?.clone();
        if person.deactivated {
            return Err(ActError::Deactivated);
        }
        let view = self
            .view(view)
            .filter(|view| view.person == person.id)
            .cloned();
        Ok((person, view.ok_or(ActError::NoView)?))
    }

    fn fill_one(
        &mut self,
        person: &Person,
        view: &str,
        entry: &FieldEntry,
    ) -> Result<(), ActError> {
        let suggested = self.suggestions(&person.id, &entry.action_id).to_vec();
        let open = self.view_mut(view).ok_or(ActError::NoView)?;
        let element = find(
            open.blocks(),
            entry.block_id.as_deref(),
            &entry.action_id,
            &Value::Null,
        )
        .ok_or_else(|| ActError::NoElement(entry.action_id.clone()))?;
        let kept = open
            .fields
            .get(&element.block_id, &element.action_id)
            .cloned();
        let same = kept
            .as_ref()
            .and_then(selected)
            .is_some_and(|kept| entry.value.as_str() == Some(kept));
        let state = if same {
            kept
        } else {
            entered(&element, &entry.value, &suggested)
        };
        let state = state.ok_or_else(|| ActError::BadValue(entry.action_id.clone()))?;
        open.fields.put(&element, state);
        Ok(())
    }

    fn set_errors(&mut self, view: &str, errors: BTreeMap<String, String>) {
        let Some(open) = self.view_mut(view) else {
            return;
        };
        if open.errors != errors {
            open.errors = errors;
            let person = open.person.clone();
            self.changed(crate::sandbox::world::Change::View { person });
        }
    }

    /// Applies the app's answer to a submission; `Err` is what the person is told.
    fn submitted(&mut self, person: &Person, view: &View, ack: &Ack) -> Result<(), String> {
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

    fn suggestion(
        &mut self,
        person: &str,
        surface: &Surface,
        (action_id, typed): (&str, &str),
    ) -> Result<(Person, Value), ActError> {
        let person = self.person(person).ok_or(ActError::NoPerson)?.clone();
        let missing = || ActError::NoElement(action_id.to_owned());
        let payload = match surface {
            Surface::View(id) => {
                let (_, view) = self.own_view(&person.id, id)?;
                let element =
                    find(view.blocks(), None, action_id, &Value::Null).ok_or_else(missing)?;
                wire::block_suggestion(self, &person, &wire::Source::View(&view), (&element, typed))
            }
            Surface::Message(MessageRef { channel, ts }) => {
                let message = self
                    .message(channel, ts)
                    .ok_or(ActError::NoMessage)?
                    .clone();
                let element =
                    find(&message.blocks, None, action_id, &Value::Null).ok_or_else(missing)?;
                let source = wire::Source::Message {
                    message: &message,
                    url: "",
                };
                wire::block_suggestion(self, &person, &source, (&element, typed))
            }
        };
        Ok((person, payload))
    }
}

/// What Slack's client refuses to send: empty required inputs, texts out of their bounds.
fn missing(view: &View) -> BTreeMap<String, String> {
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

/// The value of the option that is chosen already.
fn selected(state: &Value) -> Option<&str> {
    state
        .pointer("/selected_option/value")
        .and_then(Value::as_str)
}
