//! What of Discord is gone with a restart: where deliveries go, interactions that can still be answered, open modals,
//! rates, gateway sessions.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{
    gateway::Sessions,
    id::Id,
    interaction::Interaction,
    limits::{Bucket, Second},
};

/// All of it.
#[derive(Default)]
pub(in crate::sandbox) struct Live {
    /// Where interactions are posted to, in turn; none: they go over the gateway.
    pub(in crate::sandbox) endpoints: Vec<Url>,
    /// Counts deliveries.
    pub(in crate::sandbox) turn: usize,
    /// Endpoints that passed Discord's check.
    pub(in crate::sandbox) verified: HashSet<String>,
    /// By token.
    pub(in crate::sandbox) interactions: HashMap<String, Interaction>,
    /// By member.
    pub(in crate::sandbox) modals: HashMap<Id, OpenModal>,
    /// By name and channel, guild or webhook.
    pub(in crate::sandbox) buckets: HashMap<(String, String), Bucket>,
    /// Calls of this second.
    pub(in crate::sandbox) second: Second,
    /// Until then every bucket counts as empty.
    pub(in crate::sandbox) refuse_until: Option<DateTime<Utc>>,
    /// Until then the global limit counts as passed; interactions lie outside of it.
    pub(in crate::sandbox) refuse_all_until: Option<DateTime<Utc>>,
    /// Messages by channel and `enforce_nonce` mark.
    pub(in crate::sandbox) nonces: HashMap<(Id, String), (Id, DateTime<Utc>)>,
    /// The bot's gateway connections.
    pub(in crate::sandbox) sessions: Sessions,
}

/// A modal that a member has open.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct OpenModal {
    /// The interaction that opened it.
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) custom_id: String,
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) components: Vec<Value>,
    /// Where it was opened.
    pub(in crate::sandbox) channel: Id,
    /// The message whose button opened it.
    pub(in crate::sandbox) message: Option<Id>,
    /// What was typed or chosen, by custom id.
    pub(in crate::sandbox) entered: HashMap<String, Value>,
    /// What is wrong with it, by custom id.
    pub(in crate::sandbox) wrong: HashMap<String, String>,
}

impl OpenModal {
    /// The inputs: each with its label and the sentence under it.
    pub(in crate::sandbox) fn inputs(&self) -> Vec<Input<'_>> {
        let mut inputs = Vec::new();
        for part in &self.components {
            let text = |name: &str| part.get(name).and_then(Value::as_str);
            if let Some(component) = part.get("component") {
                inputs.push(Input {
                    component,
                    label: text("label").unwrap_or_default(),
                    help: text("description"),
                });
            }
            let inside = part.get("components").and_then(Value::as_array);
            inputs.extend(inside.into_iter().flatten().map(|component| {
                Input {
                    component,
                    label: component
                        .get("label")
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                    help: None,
                }
            }));
        }
        inputs
    }

    /// What stands in an input: what was entered, else what the app put there. A text, or a list of chosen values.
    pub(in crate::sandbox) fn value(&self, component: &Value) -> Value {
        let id = component.get("custom_id").and_then(Value::as_str);
        if let Some(entered) = self.entered.get(id.unwrap_or_default()) {
            return entered.clone();
        }
        let Some(options) = component.get("options").and_then(Value::as_array) else {
            return component.get("value").cloned().unwrap_or_else(|| "".into());
        };
        let chosen = options
            .iter()
            .filter(|own| own.get("default") == Some(&true.into()));
        chosen.filter_map(|own| own.get("value").cloned()).collect()
    }
}

/// One input of a modal.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Input<'a> {
    pub(in crate::sandbox) component: &'a Value,
    pub(in crate::sandbox) label: &'a str,
    pub(in crate::sandbox) help: Option<&'a str>,
}

impl Input<'_> {
    /// Its custom id.
    pub(in crate::sandbox) fn id(&self) -> &str {
        let id = self.component.get("custom_id").and_then(Value::as_str);
        id.unwrap_or_default()
    }

    /// Whether something must stand in it: so it is, unless it says otherwise.
    pub(in crate::sandbox) fn required(&self) -> bool {
        self.component.get("required") != Some(&Value::Bool(false))
    }

    /// Whether it is a select.
    pub(in crate::sandbox) fn is_select(&self) -> bool {
        super::check::is_select(self.component)
    }

    /// A number that it says of itself.
    pub(in crate::sandbox) fn number(&self, name: &str) -> Option<usize> {
        let number = self.component.get(name)?.as_u64()?;
        usize::try_from(number).ok()
    }
}
