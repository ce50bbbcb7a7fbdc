//! Filling in a modal, sending it, closing it.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ActError, Outcome};
use crate::sandbox::{
    discord::{
        deliver::Act,
        live::{Input, OpenModal},
        state::Member,
    },
    world::{Inner, InteractionKind, World},
};

/// What stands in one input: a text, or the chosen values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Entry {
    #[serde(alias = "action_id")]
    pub(in crate::sandbox) custom_id: String,
    #[serde(default)]
    pub(in crate::sandbox) value: Value,
}

impl Inner {
    fn opened(&mut self, person: &str) -> Result<(Member, &mut OpenModal), ActError> {
        let member = self
            .discord
            .member(person)
            .ok_or(ActError::NoPerson)?
            .clone();
        let modal = self
            .live
            .modals
            .get_mut(&member.id)
            .ok_or(ActError::NoView)?;
        Ok((member, modal))
    }
}

impl World {
    /// The modal that a member has open.
    pub(in crate::sandbox) fn open_modal(&self, person: &str) -> Option<OpenModal> {
        self.with(|inner| inner.opened(person).ok().map(|(_, own)| own.clone()))
    }

    /// Enters something; it isn't sent.
    pub(in crate::sandbox) fn enter(
        &self,
        person: &str,
        entries: &[Entry],
    ) -> Result<(), ActError> {
        self.with(|inner| {
            let (_, modal) = inner.opened(person)?;
            modal.enter(entries);
            Ok(())
        })
    }

    /// Closes it; the app isn't told, as on Discord.
    pub(in crate::sandbox) fn close_modal(&self, person: &str) -> Result<(), ActError> {
        self.with(|inner| {
            let (member, _) = inner.opened(person)?;
            inner.live.modals.remove(&member.id);
            inner.changed_for(Some(member.id));
            Ok(())
        })
    }

    /// Sends it. What Discord's own client wouldn't send is told in the form.
    pub(in crate::sandbox) async fn send_modal(
        self: &Arc<Self>,
        person: &str,
        entries: &[Entry],
    ) -> Result<Outcome, ActError> {
        let (act, member, opened) = self.with(|inner| {
            let (member, modal) = inner.opened(person)?;
            modal.enter(entries);
            modal.wrong = modal.judged();
            if !modal.wrong.is_empty() {
                inner.changed_for(Some(member.id));
                return Ok((None, member, None));
            }
            let act = Act {
                kind: InteractionKind::ModalSubmit,
                member: member.id,
                channel: modal.channel,
                message: modal.message,
                command: None,
                data: modal.data(),
            };
            let opened = modal.id;
            Ok::<_, ActError>((Some(act), member, Some(opened)))
        })?;
        let Some(act) = act else {
            return Ok(Outcome {
                problem: Some("Something is missing in the form.".to_owned()),
                ..Outcome::default()
            });
        };
        let came = self.interact(act).await;
        let problem = match came.result {
            Ok(_) => {
                self.with(|inner| {
                    let own = inner.live.modals.get(&member.id).map(|own| own.id);
                    if own == opened {
                        inner.live.modals.remove(&member.id);
                    }
                    inner.changed_for(Some(member.id));
                });
                None
            }
            // The form stays, so that nothing typed is lost.
            Err(why) => Some(format!("Something went wrong. Try again. ({why})")),
        };
        Ok(Outcome {
            delivery: Some(came.delivery),
            ts: None,
            problem,
        })
    }
}

impl OpenModal {
    fn enter(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.entered
                .insert(entry.custom_id.clone(), entry.value.clone());
        }
    }

    /// What is wrong, by custom id.
    fn judged(&self) -> HashMap<String, String> {
        let judge = |input: Input<'_>| {
            let wrong = judged(input, &self.value(input.component))?;
            Some((input.id().to_owned(), wrong))
        };
        self.inputs().into_iter().filter_map(judge).collect()
    }

    /// The data of the interaction.
    fn data(&self) -> Value {
        let filled = |component: &Value| {
            let value = self.value(component);
            let select = crate::sandbox::discord::check::is_select(component);
            let mut own = json!({
                "type": component.get("type"), "id": component.get("id"), "custom_id": component.get("custom_id"),
            });
            if select {
                own["values"] = texts(&value).into();
            } else {
                own["value"] = value.as_str().unwrap_or_default().into();
            }
            own
        };
        let part = |part: &Value| {
            let mut own = json!({ "type": part.get("type"), "id": part.get("id") });
            if let Some(component) = part.get("component") {
                own["component"] = filled(component);
            }
            if let Some(inside) = part.get("components").and_then(Value::as_array) {
                own["components"] = inside.iter().map(filled).collect();
            }
            own
        };
        let components: Vec<Value> = self.components.iter().map(part).collect();
        json!({ "custom_id": self.custom_id, "components": components })
    }
}

/// Chosen values: a list, or one text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all
            .iter()
            .filter_map(|own| own.as_str().map(ToOwned::to_owned))
            .collect(),
        Value::String(one) if !one.is_empty() => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// What Discord's own client says of an input before it sends it.
fn judged(input: Input<'_>, value: &Value) -> Option<String> {
    if input.is_select() {
        let values = texts(value);
        let least = input.number("min_values").unwrap_or(1);
        let least = if input.required() {
            least.max(1)
        } else {
            least
        };
        let skipped = values.is_empty() && !input.required();
        if !skipped && values.len() < least {
            return Some("Make a selection".to_owned());
        }
        let mut select = input.component.clone();
        select["min_values"] = 0.into();
        return super::press::chosen(&select, &values)
            .err()
            .map(|own| own.to_string());
    }
    let count = value.as_str().unwrap_or_default().chars().count();
    if count == 0 {
        return input
            .required()
            .then(|| "This field is required".to_owned());
    }
    let least = input.number("min_length").unwrap_or(0);
    let most = input.number("max_length").unwrap_or(4_000);
    if count < least {
        return Some(format!("Must be {least} or more in length"));
    }
    (count > most).then(|| format!("Must be {most} or fewer in length"))
}
