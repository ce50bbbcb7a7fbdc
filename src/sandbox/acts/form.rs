//! Filling in, submitting and closing modals.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ActError, Outcome,
    press::find,
    submission::{REQUIRED, TROUBLE, missing},
};
use crate::sandbox::{
    deliver::Parcel,
    wire,
    world::{DeliveryKind, Inner, Person, View, World, entered},
};

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
}

impl Inner {
    pub(super) fn own_view(&self, person: &str, view: &str) -> Result<(Person, View), ActError> {
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
}

/// The value of the option that is chosen already.
fn selected(state: &Value) -> Option<&str> {
    state
        .pointer("/selected_option/value")
        .and_then(Value::as_str)
}
