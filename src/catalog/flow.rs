//! From a command, its template and checked inputs to the flat list of steps that is planned, and back to links.

use serde_json::{Map, Value};

use super::{Command, Inputs, Template};
use crate::domain::plan::PlannedValue;

/// What a request is made of.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The command.
    pub command: &'a Command,
    /// The template that the inputs choose.
    pub template: Option<&'a Template>,
    /// The checked inputs.
    pub inputs: &'a Inputs,
    /// Backstage's `environment.parameters`: what the operator configures for all templates. `organisation` (the
    /// forge's organisation or owner) is what the shipped templates read.
    pub environment: &'a Map<String, Value>,
}

/// A step to be planned: flattened, conditions on parameters decided.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDraft {
    /// `scaffold/fetch`.
    pub id: String,
    /// What people read: the file's `name`, else the action's title.
    pub title: String,
    /// The action.
    pub action: String,
    /// What must hold at run time; `None`: it runs.
    pub condition: Option<PlannedValue>,
    /// The input, as far as it is known.
    pub input: PlannedValue,
}

/// A link on the last card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What people read.
    pub title: String,
    /// Where to.
    pub url: String,
}

/// What people get at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Links, in order.
    pub links: Vec<Link>,
    /// Texts: title and content.
    pub texts: Vec<(String, String)>,
}

/// Why a request can't be made into steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step `{step}`: {what}")]
pub struct FlowError {
    /// The step's id.
    pub step: String,
    /// What is wrong: a sentence without its full stop.
    pub what: String,
}

/// The steps, `template:run` expanded into the template's own.
pub fn steps(asked: Asked<'_>) -> Result<Vec<StepDraft>, FlowError> {
    let _ = asked;
    todo!()
}

/// Links and texts, once the steps are done: `outputs` holds each finished step's output by its id. Entries whose
/// steps were skipped are left out.
pub fn ending(asked: Asked<'_>, outputs: &Map<String, Value>) -> Result<Ending, FlowError> {
    let _ = (asked, outputs);
    todo!()
}
