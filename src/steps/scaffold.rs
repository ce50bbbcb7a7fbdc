//! A template's files and nothing else, for `idp render`: its parameters are checked and its `fetch:template` steps
//! rendered, as in a plan, but nothing is asked of any forge.

use serde_json::{Map, Value};

use super::fetch_template;
use crate::catalog::flow::{self, Asked};
use crate::catalog::form::{self, FormFacts};
use crate::catalog::{Command, Template};
use crate::domain::action::ActionSpec;
use crate::domain::form::{Choice, FieldError};
use crate::domain::tree::Tree;

/// A command that asks for nothing but the template's own parameters and runs nothing but its steps.
const COMMAND: &str = "apiVersion: idp.dev/v1
kind: Command
metadata: { name: render, title: Render a template }
spec:
  parameters: []
  approval: [{ name: nobody, require: [] }]
  steps: [{ id: template, action: template:run, input: { template: chosen } }]
";

/// Why a template's files couldn't be rendered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScaffoldError {
    /// Values that its parameters don't take.
    #[error("{}", .0.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("; "))]
    Values(Vec<FieldError>),
    /// It can't be rendered with them.
    #[error("{0}")]
    Template(String),
}

/// The files that a template makes of these values; `environment` is what the operator configures for all templates.
pub fn files(
    template: &Template,
    values: &Map<String, Value>,
    environment: &Map<String, Value>,
    actions: &[ActionSpec],
) -> Result<Tree, ScaffoldError> {
    let command = Command::parse(COMMAND.as_bytes()).map_err(|problems| {
        ScaffoldError::Template(problems.first().map(ToString::to_string).unwrap_or_default())
    })?;
    let inputs = form::check_all(&command, Some(template), values, &at_a_command_line(values))
        .map_err(ScaffoldError::Values)?;
    let asked = Asked { command: &command, template: Some(template), inputs: &inputs, environment };
    let broken = |error: String| ScaffoldError::Template(error);
    let mut tree = Tree::new();
    for draft in flow::steps(asked, actions).map_err(|error| broken(error.to_string()))? {
        if draft.action != fetch_template::NAME {
            continue;
        }
        let waits = || broken(format!("step `{}`: a value in it waits for another step", draft.id));
        let input = draft.input.as_known().filter(|_| draft.condition.is_none()).ok_or_else(waits)?;
        tree = fetch_template::render_onto(tree, template, &input).map_err(broken)?;
    }
    if tree.is_empty() { Err(broken("the template makes no files".to_owned())) } else { Ok(tree) }
}

/// Whoever renders at a command line may name any team.
fn at_a_command_line(values: &Map<String, Value>) -> FormFacts {
    let named = values.values().filter_map(Value::as_str);
    let teams = named.map(|team| Choice { value: team.to_owned(), label: team.to_owned(), description: None }).collect();
    FormFacts { teams, all_teams: Vec::new(), may_pick_any: false, templates: Vec::new() }
}
