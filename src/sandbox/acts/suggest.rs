//! Searching the options of an external select.

use std::sync::Arc;

use serde_json::Value;

use super::{ActError, Surface, press::find};
use crate::sandbox::{
    api::blocks,
    deliver::Parcel,
    wire,
    world::{DeliveryKind, Inner, MessageRef, Person, World},
};

impl World {
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
