//! One template by itself, as `idp render` wants it: no command around it, no forge behind it.
//!
//! Its own parameters are checked as a form would check them; names that only a command brings (`name`, `owner`) are
//! taken as given. Every `fetch:template` is rendered in order, all other steps are left out.

use serde_json::{Map, Value, json};

use super::{FETCH_TEMPLATE, FetchTemplate, RenderError, Template, tree};
use crate::catalog::expression::{self, partial};
use crate::catalog::step::Step;
use crate::domain::form::FieldError;
use crate::domain::plan::PlannedValue;
use crate::domain::tree::Tree;

/// Why a template can't be rendered by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AloneError {
    /// Values that are missing or don't fit.
    Values(Vec<FieldError>),
    /// A step's input can't be worked out.
    Step {
        /// The step's id.
        step: String,
        /// What is wrong: a sentence without its full stop.
        what: String,
    },
    /// A file can't be rendered.
    File(RenderError),
}

/// Renders all that a template renders. `environment` is what it reads as `environment.parameters`.
pub fn alone(
    template: &Template,
    given: &Map<String, Value>,
    environment: &Map<String, Value>,
) -> Result<Tree, AloneError> {
    let parameters = values(template, given).map_err(AloneError::Values)?;
    let known = Map::from_iter([
        ("parameters".to_owned(), Value::Object(parameters)),
        (
            "environment".to_owned(),
            json!({ "parameters": environment }),
        ),
    ]);
    let mut files = Tree::new();
    for step in template
        .steps
        .iter()
        .filter(|step| step.action == FETCH_TEMPLATE)
    {
        let Some(input) = input(step, &known)? else {
            continue;
        };
        let input = FetchTemplate::read(&input).map_err(AloneError::File)?;
        let rendered = tree(template, &input).map_err(AloneError::File)?;
        files = files
            .merge(rendered, input.existing)
            .map_err(|error| failed(step, error))?;
    }
    Ok(files)
}

/// What was given, typed and checked as the template's schemas say, with their defaults.
fn values(
    template: &Template,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<FieldError>> {
    let mut values = given.clone();
    let mut errors = Vec::new();
    for parameter in template.parameters.iter() {
        let value = match given.get(&parameter.name) {
            Some(raw) => parameter.typed(raw),
            None => parameter.default.clone(),
        };
        let checked = match &value {
            None if parameter.required => Err("Fill this in.".to_owned()),
            None => Ok(()),
            Some(value) => parameter.check(value),
        };
        if let Err(message) = checked {
            errors.push(FieldError {
                field: parameter.name.clone(),
                message,
            });
        }
        values.insert(parameter.name.clone(), value.unwrap_or_default());
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// A step's input with everything filled in; `None`: its condition doesn't hold.
fn input(step: &Step, known: &Map<String, Value>) -> Result<Option<Value>, AloneError> {
    let scope = partial::Scope {
        known,
        step: &|_, _| None,
    };
    let value = |node| match partial::plan(node, &scope) {
        Ok(PlannedValue::Known { value }) => Ok(value),
        Ok(_) => Err(failed(
            step,
            "it waits for another step, and no step runs here",
        )),
        Err(error) => Err(failed(step, error.what)),
    };
    if let Some(condition) = &step.condition
        && !expression::holds(&value(condition)?)
    {
        return Ok(None);
    }
    value(&step.input).map(Some)
}

fn failed(step: &Step, what: impl ToString) -> AloneError {
    AloneError::Step {
        step: step.id.clone(),
        what: what.to_string(),
    }
}
