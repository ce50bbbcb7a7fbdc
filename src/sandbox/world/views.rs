//! Modals: a stack per person, at most three high, each with its inputs, its errors and a hash.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Change, Inner, World,
    elements::assign_ids,
    fields::Fields,
    messages::{long_id, short_id},
};

/// <https://docs.slack.dev/surfaces/modals>: "up to 3 views in the view stack at a time".
const STACK: usize = 3;

/// An open modal.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// `V…`
    pub id: String,
    /// Who sees it.
    pub person: String,
    /// As the app gave it, with block and action ids filled in: title, submit, close, blocks, `callback_id`, …
    pub definition: Value,
    /// What stands in its inputs.
    pub fields: Fields,
    /// What is wrong, by block id.
    pub errors: BTreeMap<String, String>,
    /// Changes with every update.
    pub hash: String,
    /// The first of its stack.
    pub root_id: String,
    /// The one below.
    pub previous_id: Option<String>,
}

impl View {
    /// The blocks of the definition.
    pub fn blocks(&self) -> &[Value] {
        self.definition
            .get("blocks")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// A plain-text part of the definition: `title`, `submit` or `close`.
    pub fn label(&self, part: &str) -> Option<&str> {
        self.definition
            .pointer(&format!("/{part}/text"))
            .and_then(Value::as_str)
    }

    /// A flag of the definition, such as `notify_on_close`.
    pub fn flag(&self, name: &str) -> bool {
        self.definition
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }
}

/// Where a new view goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A stack of its own; an older one is given up.
    Root,
    /// On top of this view.
    Above(String),
}

/// Why a view can't be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewError {
    /// The view it goes above, or that is to be updated, isn't open.
    NotOpen,
    /// Three are open already.
    StackFull,
    /// Another hash was expected: it changed meanwhile.
    HashConflict,
    /// The external id is taken by another open view.
    ExternalId,
}

impl Inner {
    /// Shows a view to a person.
    pub(in crate::sandbox) fn show_view(
        &mut self,
        person: &str,
        place: &Place,
        mut definition: Value,
    ) -> Result<View, ViewError> {
        self.external_id_free(&definition, None)?;
        prepare(&mut definition);
        let id = long_id('V');
        let hash = self.view_hash();
        let stack = self.views.entry(person.to_owned()).or_default();
        let (root_id, previous_id) = match place {
            Place::Root => {
                stack.clear();
                (id.clone(), None)
            }
            Place::Above(below) => {
                let at = stack
                    .iter()
                    .position(|view| view.id == *below)
                    .ok_or(ViewError::NotOpen)?;
                if stack.len() >= STACK {
                    return Err(ViewError::StackFull);
                }
                (stack[at].root_id.clone(), Some(below.clone()))
            }
        };
        let mut view = View {
            id,
            person: person.to_owned(),
            definition,
            fields: Fields::default(),
            errors: BTreeMap::new(),
            hash,
            root_id,
            previous_id,
        };
        view.fields = Fields::initial(view.blocks());
        stack.push(view.clone());
        self.changed(Change::View {
            person: person.to_owned(),
        });
        Ok(view)
    }

    /// Gives an open view new content; inputs whose ids stayed keep what was entered.
    pub(in crate::sandbox) fn update_view(
        &mut self,
        id: &str,
        expected: Option<&str>,
        mut definition: Value,
    ) -> Result<View, ViewError> {
        self.external_id_free(&definition, Some(id))?;
        prepare(&mut definition);
        let hash = self.view_hash();
        let view = self.view_mut(id).ok_or(ViewError::NotOpen)?;
        if expected.is_some_and(|expected| expected != view.hash) {
            return Err(ViewError::HashConflict);
        }
        view.definition = definition;
        view.hash = hash;
        view.errors.clear();
        view.fields = Fields::initial(view.blocks()).carried_over(&view.fields);
        let view = view.clone();
        self.changed(Change::View {
            person: view.person.clone(),
        });
        Ok(view)
    }

    /// An open view by id.
    pub(in crate::sandbox) fn view(&self, id: &str) -> Option<&View> {
        self.views.values().flatten().find(|view| view.id == id)
    }

    /// An open view by the app's own id for it.
    pub(in crate::sandbox) fn view_by_external_id(&self, external: &str) -> Option<&View> {
        self.views
            .values()
            .flatten()
            .find(|view| view.label_of("external_id") == Some(external))
    }

    /// An open view to change.
    pub(in crate::sandbox) fn view_mut(&mut self, id: &str) -> Option<&mut View> {
        self.views.values_mut().flatten().find(|view| view.id == id)
    }

    /// Takes a view away; what is below it comes up.
    pub(in crate::sandbox) fn drop_view(&mut self, person: &str, id: &str) {
        if let Some(stack) = self.views.get_mut(person) {
            stack.retain(|view| view.id != id);
            self.changed(Change::View {
                person: person.to_owned(),
            });
        }
    }

    /// Takes all of a person's views away.
    pub(in crate::sandbox) fn clear_views(&mut self, person: &str) -> Vec<View> {
        self.changed(Change::View {
            person: person.to_owned(),
        });
        self.views.remove(person).unwrap_or_default()
    }

    fn view_hash(&self) -> String {
        format!(
            "{}.{}",
            self.now.timestamp(),
            hex::encode(rand::random::<[u8; 4]>())
        )
    }

    fn external_id_free(&self, definition: &Value, but: Option<&str>) -> Result<(), ViewError> {
        let external = definition
            .get("external_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let held = self
            .view_by_external_id(external)
            .filter(|view| Some(view.id.as_str()) != but);
        if !external.is_empty() && held.is_some() {
            Err(ViewError::ExternalId)
        } else {
            Ok(())
        }
    }
}

fn prepare(definition: &mut Value) {
    if let Some(blocks) = definition.get_mut("blocks").and_then(Value::as_array_mut) {
        assign_ids(blocks, short_id);
    }
}

impl View {
    fn label_of(&self, name: &str) -> Option<&str> {
        self.definition.get(name).and_then(Value::as_str)
    }

    /// The view as the wire shows it, in answers and payloads.
    pub(in crate::sandbox) fn on_the_wire(&self, inner: &Inner) -> Value {
        let workspace = &inner.workspace;
        let given = |name: &str| self.label_of(name).unwrap_or_default();
        let part = |name: &str| self.definition.get(name).cloned().unwrap_or(Value::Null);
        json!({
            "id": self.id,
            "team_id": workspace.team.id,
            "type": "modal",
            "blocks": self.blocks(),
            "private_metadata": given("private_metadata"),
            "callback_id": given("callback_id"),
            "state": { "values": self.fields },
            "hash": self.hash,
            "title": part("title"),
            "clear_on_close": self.flag("clear_on_close"),
            "notify_on_close": self.flag("notify_on_close"),
            "close": part("close"),
            "submit": part("submit"),
            "previous_view_id": self.previous_id,
            "root_view_id": self.root_id,
            "app_id": workspace.app.id,
            "external_id": given("external_id"),
            "app_installed_team_id": workspace.team.id,
            "bot_id": workspace.app.bot_id,
        })
    }
}

impl World {
    /// The modal that a person sees, if any.
    pub fn open_view(&self, person: &str) -> Option<View> {
        self.view_stack(person).pop()
    }

    /// All of a person's modals, the visible one last.
    pub fn view_stack(&self, person: &str) -> Vec<View> {
        self.with(|inner| {
            let id = inner.person(person).map(|person| person.id.clone());
            id.and_then(|id| inner.views.get(&id).cloned())
                .unwrap_or_default()
        })
    }
}
