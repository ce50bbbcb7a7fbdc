//! Pressing a button or choosing something, in a message or in a modal.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ActError, Outcome};
use crate::sandbox::{
    deliver::Parcel,
    wire,
    world::{
        DeliveryKind, Element, Fields, Inner, Message, MessageRef, Person, View, World, elements,
        entered, offered,
    },
};

/// Where an element sits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// In a message, also an ephemeral one.
    Message(MessageRef),
    /// In an open modal, by view id.
    View(String),
}

/// One press.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Press {
    /// Where.
    #[serde(rename = "on")]
    pub surface: Surface,
    /// Needed only when the action id stands in several blocks.
    #[serde(default)]
    pub block_id: Option<String>,
    /// The element.
    pub action_id: String,
    /// The chosen value: an option's value, text, a date, or a list; nothing for a button. A button is also told from
    /// its siblings with the same action id by its value.
    #[serde(default)]
    pub value: Value,
}

/// What a press is about, looked up.
struct Pressed {
    element: Element,
    action: Value,
    target: Target,
}

enum Target {
    Message(Message),
    View(View),
}

impl World {
    /// Presses a button, or chooses in a menu that acts at once.
    ///
    /// # Errors
    /// When the person doesn't see such an element, or it doesn't take the value.
    pub async fn press(self: &Arc<Self>, person: &str, press: &Press) -> Result<Outcome, ActError> {
        let (person, pressed) = self.with(|inner| {
            let person = inner.person(person).ok_or(ActError::NoPerson)?.clone();
            if person.deactivated {
                return Err(ActError::Deactivated);
            }
            let pressed = inner.pressed(&person, press)?;
            Ok((person, pressed))
        })?;
        let about = match &pressed.target {
            Target::Message(message) => Some(MessageRef {
                channel: message.channel.clone(),
                ts: message.ts.clone(),
            }),
            Target::View(_) => None,
        };
        let url = about
            .as_ref()
            .map(|about| self.new_response_url("actions", &person.id, &about.channel, Some(about)));
        let payload = self.with(|inner| {
            let parts = match &pressed.target {
                Target::Message(message) => wire::Source::Message {
                    message,
                    url: url.as_deref().unwrap_or_default(),
                },
                Target::View(view) => wire::Source::View(view),
            };
            let view = match &pressed.target {
                Target::View(view) => Some(view.id.as_str()),
                Target::Message(_) => None,
            };
            let trigger = inner.new_trigger(&person.id, view);
            wire::block_actions(inner, &person, &parts, (&trigger, &pressed.action))
        });
        let parcel = Parcel::new(DeliveryKind::BlockActions, payload)
            .by(&person.id)
            .about(about);
        let delivered = self.deliver(parcel).await;
        let problem = delivered.result.err().map(|failure| {
            let name = wire::label(&pressed.element.json);
            format!(
                "{name} didn't reach the app ({}). Try again.",
                failure.name()
            )
        });
        if let Some(problem) = &problem {
            self.notice(&person.id, problem);
        }
        Ok(Outcome {
            delivery: Some(delivered.id),
            ts: None,
            problem,
        })
    }
}

impl Inner {
    fn pressed(&mut self, person: &Person, press: &Press) -> Result<Pressed, ActError> {
        let (blocks, target) = match &press.surface {
            Surface::Message(at) => {
                let message = self
                    .message(&at.channel, &at.ts)
                    .ok_or(ActError::NoMessage)?;
                let visible = message
                    .only_for
                    .as_ref()
                    .is_none_or(|own| *own == person.id);
                let member = self
                    .channel(&at.channel)
                    .is_some_and(|channel| channel.has(&person.id));
                if !visible || !member {
                    return Err(ActError::NoMessage);
                }
                (message.blocks.clone(), Target::Message(message.clone()))
            }
            Surface::View(id) => {
                let view = self.view(id).filter(|view| view.person == person.id);
                let view = view.ok_or(ActError::NoView)?;
                (view.blocks().to_vec(), Target::View(view.clone()))
            }
        };
        let element = find(
            &blocks,
            press.block_id.as_deref(),
            &press.action_id,
            &press.value,
        )
        .ok_or_else(|| ActError::NoElement(press.action_id.clone()))?;
        let suggested = self.suggestions(&person.id, &element.action_id).to_vec();
        let chosen = choice(&element, &press.value, &suggested)?;
        let action = wire::action(&element, &chosen, &self.next_ts());
        let target = self.keep_choice(person, &element, &chosen, target);
        Ok(Pressed {
            element,
            action,
            target,
        })
    }

    /// Remembers what was chosen, so that it is part of the state from now on.
    fn keep_choice(
        &mut self,
        person: &Person,
        element: &Element,
        chosen: &Value,
        target: Target,
    ) -> Target {
        if element.kind == "button" || element.kind == "overflow" {
            return target;
        }
        match target {
            Target::View(view) => {
                if let Some(open) = self.view_mut(&view.id) {
                    open.fields.put(element, chosen.clone());
                    return Target::View(open.clone());
                }
                Target::View(view)
            }
            Target::Message(message) => {
                let at = MessageRef {
                    channel: message.channel.clone(),
                    ts: message.ts.clone(),
                };
                self.message_fields
                    .entry((person.id.clone(), at))
                    .or_insert_with(|| Fields::initial(&message.blocks))
                    .put(element, chosen.clone());
                Target::Message(message)
            }
        }
    }
}

/// The element with this action id; among several, the one in the block or with the value that was named.
pub(super) fn find(
    blocks: &[Value],
    block_id: Option<&str>,
    action_id: &str,
    value: &Value,
) -> Option<Element> {
    let mut candidates: Vec<Element> = elements(blocks)
        .into_iter()
        .filter(|own| own.action_id == action_id && block_id.is_none_or(|id| id == own.block_id))
        .collect();
    let named = candidates
        .iter()
        .position(|own| !value.is_null() && own.json.get("value") == Some(value));
    (!candidates.is_empty()).then(|| candidates.swap_remove(named.unwrap_or(0)))
}

/// What a press chose, as the state object of its element; nothing for a button.
fn choice(element: &Element, value: &Value, suggested: &[Value]) -> Result<Value, ActError> {
    let wrong = || ActError::BadValue(element.action_id.clone());
    match element.kind.as_str() {
        "button" => Ok(Value::Null),
        "overflow" => {
            let option = offered(element, value.as_str().ok_or_else(wrong)?, suggested);
            Ok(json!({ "type": "overflow", "selected_option": option.ok_or_else(wrong)? }))
        }
        _ => entered(element, value, suggested).ok_or_else(wrong),
    }
}
