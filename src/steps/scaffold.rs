//! A template's files and nothing else, for `idp render`: its parameters are checked and its `fetch:template` steps
//! rendered, as in a plan, but nothing is asked of any forge.

use serde_json::{Map, Value};

use super::fetch_template;
use crate::catalog::flow::{self, Asked};
use crate::catalog::form::{self, FormFacts};
use crate::catalog::parameters::Widget;
use crate::catalog::{Catalog, Command, problem};
use crate::domain::action::ActionSpec;
use crate::domain::form::{Choice, FieldError};
use crate::domain::tree::Tree;

/// Stands in where no command takes a template: it asks for nothing but the template's own parameters.
const COMMAND: &str = "apiVersion: idp.dev/v1
kind: Command
metadata: { name: render, title: Render a template }
spec:
  parameters:
    - required: [template]
      properties: { template: { type: string, title: Template, ui:field: TemplatePicker } }
  approval: [{ name: nobody, require: [] }]
  steps: [{ id: template, action: template:run }]
";

/// What is to be rendered.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The template's name.
    pub template: &'a str,
    /// Values of its parameters, and of those that the command asks for on its behalf.
    pub values: &'a Map<String, Value>,
    /// What the operator configures for all templates.
    pub environment: &'a Map<String, Value>,
}

/// Why a template's files couldn't be rendered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScaffoldError {
    /// There is no such template.
    #[error("there is no template `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Values that its parameters don't take.
    #[error("{}", .0.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("; "))]
    Values(Vec<FieldError>),
    /// It can't be rendered with them: a sentence without its full stop.
    #[error("{0}")]
    Template(String),
}

/// The files that a template makes of these values.
pub fn files(
    catalog: &Catalog,
    wanted: Wanted<'_>,
    actions: &[ActionSpec],
) -> Result<Tree, ScaffoldError> {
    let template = catalog.template(wanted.template).ok_or_else(|| {
        let names = catalog.templates().map(|template| template.name.as_str());
        ScaffoldError::Unknown {
            name: wanted.template.to_owned(),
            nearest: problem::nearest(wanted.template, names).map(str::to_owned),
        }
    })?;
    let (command, picker) = command(catalog)?;
    let mut values = wanted.values.clone();
    values.insert(picker, Value::from(wanted.template));
    let facts = at_a_command_line(catalog, &values);
    let inputs = form::check_all(&command, Some(template), &values, &facts)
        .map_err(ScaffoldError::Values)?;
    let asked = Asked {
        command: &command,
        template: Some(template),
        inputs: &inputs,
        environment: wanted.environment,
    };
    let mut tree = Tree::new();
    for draft in flow::steps(asked, actions).map_err(|error| broken(error.to_string()))? {
        if draft.action != fetch_template::NAME {
            continue;
        }
        let input = draft.input.as_known().filter(|_| draft.condition.is_none());
        let input = input.ok_or_else(|| {
            let step = &draft.id;
            broken(format!(
                "step `{step}`: a value in it waits for another step"
            ))
        })?;
        tree = fetch_template::render_onto(tree, template, &input).map_err(broken)?;
    }
    if tree.is_empty() {
        return Err(broken("the template makes no files".to_owned()));
    }
    Ok(tree)
}

fn broken(what: String) -> ScaffoldError {
    ScaffoldError::Template(what)
}

/// The command that people would ask with, since it asks for what templates share (name, team), and the parameter in
/// which it takes the template.
fn command(catalog: &Catalog) -> Result<(Command, String), ScaffoldError> {
    let picker = |command: &Command| {
        let mut parameters = command.parameters.iter();
        parameters
            .find(|parameter| parameter.widget == Widget::Template)
            .map(|parameter| parameter.name.clone())
    };
    let mut commands = catalog.commands().map(AsRef::as_ref);
    if let Some(found) = commands.find_map(|c: &Command| Some((c.clone(), picker(c)?))) {
        return Ok(found);
    }
    let command = Command::parse(COMMAND.as_bytes()).map_err(|problems| {
        broken(
            problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )
    })?;
    let picker = picker(&command).unwrap_or_default();
    Ok((command, picker))
}

/// Whoever renders at a command line may name any team.
fn at_a_command_line(catalog: &Catalog, values: &Map<String, Value>) -> FormFacts {
    let choice = |team: &str| Choice {
        value: team.to_owned(),
        label: team.to_owned(),
        description: None,
    };
    FormFacts {
        teams: values
            .values()
            .filter_map(Value::as_str)
            .map(choice)
            .collect(),
        templates: catalog.template_choices(),
        recommended: catalog.recommended().map(str::to_owned),
        ..FormFacts::default()
    }
}
