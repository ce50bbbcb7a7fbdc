//! Pressing a button, or choosing in a select.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ActError, At, Outcome};
use crate::sandbox::{
    discord::{check, deliver::Act, id::Id},
    world::{Inner, InteractionKind, World},
};

impl World {
    /// Uses a component of a message: by its custom id, or a button by its label.
    pub(in crate::sandbox) async fn press_on_discord(
        self: &Arc<Self>,
        (person, at): (&str, At),
        component: &str,
        values: &[String],
    ) -> Result<Outcome, ActError> {
        let act = self.with(|inner| {
            let member = inner.discord.member(person).ok_or(ActError::NoPerson)?.id;
            let component = inner.component((member, at), component)?;
            let kind = component.get("type").cloned().unwrap_or_default();
            let mut data = json!({
                "component_type": kind, "custom_id": component.get("custom_id"), "id": component.get("id"),
            });
            if check::is_select(&component) {
                data["values"] = chosen(&component, values)?.into();
            }
            Ok::<_, ActError>(Act {
                kind: InteractionKind::MessageComponent,
                member,
                channel: at.channel,
                message: Some(at.id),
                command: None,
                data,
            })
        })?;
        let came = self.interact(act).await;
        let problem = came
            .result
            .err()
            .map(|why| format!("This interaction failed ({why})"));
        if let Some(problem) = &problem {
            self.notice_on_discord(person, problem);
        }
        Ok(Outcome {
            delivery: Some(came.delivery),
            ts: None,
            problem,
        })
    }

    /// A sentence for one member that no message carries.
    pub(super) fn notice_on_discord(&self, person: &str, text: &str) {
        let handle = self.with(|inner| {
            let member = inner.discord.member(person);
            member.map_or_else(|| person.to_owned(), |own| own.handle.clone())
        });
        self.notice(&handle, text);
    }
}

impl Inner {
    /// A component that acts, of a message that the member sees.
    fn component(&self, (member, at): (Id, At), wanted: &str) -> Result<Value, ActError> {
        let discord = &self.discord;
        let member = discord.member_of(member).ok_or(ActError::NoPerson)?;
        let channel = discord.channel(at.channel).ok_or(ActError::NoChannel)?;
        if !discord.sees(member, channel) {
            return Err(ActError::NoChannel);
        }
        let message = channel
            .messages
            .get(&at.id)
            .filter(|own| own.seen_by(member.id));
        let message = message.ok_or(ActError::NoMessage)?;
        let all = check::pressable(&message.components);
        let mut all = all
            .into_iter()
            .filter(|own| own.get("disabled") != Some(&true.into()));
        let named = |own: &&Value| {
            let names = ["custom_id", "label"].map(|name| own.get(name).and_then(Value::as_str));
            names.contains(&Some(wanted))
        };
        let found = all.find(named).cloned();
        found.ok_or_else(|| ActError::NoElement(wanted.to_owned()))
    }
}

/// Values that a select offers, as many as it takes.
pub(super) fn chosen(select: &Value, values: &[String]) -> Result<Vec<String>, ActError> {
    let id = select
        .get("custom_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let wrong = || ActError::BadValue(id.to_owned());
    let bound = |name: &str| select.get(name).and_then(Value::as_u64).unwrap_or(1);
    let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
    if !(bound("min_values")..=bound("max_values")).contains(&count) {
        return Err(wrong());
    }
    let options = select.get("options").and_then(Value::as_array);
    for value in values {
        let offered = options.is_none_or(|all| {
            let mut all = all.iter();
            all.any(|own| own.get("value").and_then(Value::as_str) == Some(value))
        });
        if !offered {
            return Err(wrong());
        }
    }
    Ok(values.to_vec())
}
