//! Which step of the plan a name in an expression means.

use serde_json::{Map, Value, json};

use super::Asked;

/// The steps so far that will run (or have run), with the names in their outputs.
#[derive(Debug, Default)]
pub(super) struct Names {
    steps: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    under: Option<String>,
    id: String,
    outputs: Vec<String>,
}

impl Names {
    pub(super) fn add(&mut self, under: Option<&str>, id: &str, outputs: &[&str]) {
        self.steps.push(Known {
            under: under.map(str::to_owned),
            id: id.to_owned(),
            outputs: outputs.iter().map(|&name| name.to_owned()).collect(),
        });
    }

    /// The plan's id of the step that `steps.ID.output.NAME` means, read in a template under `under` or in the
    /// command. A whole template's output is the union of its steps': the last step that has the name is meant.
    pub(super) fn find(&self, under: Option<&str>, id: &str, path: &[String]) -> Option<String> {
        let own = self
            .steps
            .iter()
            .find(|step| step.under.as_deref() == under && step.id == id);
        if let Some(step) = own {
            return Some(step.full_id());
        }
        let name = path.get(1)?;
        let inside = |step: &&Known| {
            under.is_none() && step.under.as_deref() == Some(id) && step.outputs.contains(name)
        };
        self.steps.iter().rev().find(inside).map(Known::full_id)
    }
}

impl Known {
    fn full_id(&self) -> String {
        self.under
            .as_ref()
            .map_or_else(|| self.id.clone(), |under| format!("{under}/{}", self.id))
    }
}

/// The member of the environment that holds references to secrets.
const SECRETS: &str = "secrets";

/// The member of the environment that holds the teams' names on the forge.
const TEAMS: &str = "teams";

/// What expressions read before anything runs. A declared parameter that nobody filled in is `null`, not unknown.
pub(super) fn known(asked: Asked<'_>) -> Map<String, Value> {
    let mut parameters = asked.inputs.values().clone();
    let template = asked
        .template
        .into_iter()
        .flat_map(|template| template.parameters.names());
    for name in asked.command.parameters.names().chain(template) {
        parameters.entry(name).or_insert(Value::Null);
    }
    let mut known = Map::new();
    known.insert("parameters".to_owned(), Value::Object(parameters));
    let mut environment = asked.environment.clone();
    // Templates look teams up in it: where nobody named any, it is empty, not unknown.
    environment.entry(TEAMS).or_insert_with(|| json!({}));
    let secrets = environment.remove(SECRETS).unwrap_or_default();
    known.insert(
        "environment".to_owned(),
        json!({ "parameters": environment, "secrets": secrets }),
    );
    known
}
