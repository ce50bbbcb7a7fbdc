//! From a command, its template and checked inputs to the flat list of steps that is planned, and back to links.
//!
//! `template:run` is replaced by the template's own steps under its id (`scaffold/fetch`), so that plans, cards and
//! retries know only one kind of step. Whatever parameters can decide is decided here.

mod names;

use serde_json::{Map, Value, json};

use self::names::{Names, known};
use super::command::TEMPLATE_RUN;
use super::expression::{self, partial, scan};
use super::step::{Output, OutputEntry, Step};
use super::yaml::{Data, Node};
use super::{Command, Inputs, Template};
use crate::domain::action::ActionSpec;
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
    /// forge's organisation or owner) is what the shipped templates read. Its member `secrets` becomes
    /// `environment.secrets`: a reference for each secret that the deployment has, never a secret.
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
    /// The step's id; `output` for what people get at the end.
    pub step: String,
    /// What is wrong: a sentence without its full stop.
    pub what: String,
}

/// One step with the folder that its template puts before its id.
#[derive(Clone, Copy)]
struct Placed<'a> {
    under: Option<&'a str>,
    step: &'a Step,
}

impl Placed<'_> {
    fn id(&self) -> String {
        self.under.map_or_else(
            || self.step.id.clone(),
            |under| format!("{under}/{}", self.step.id),
        )
    }
}

/// The steps, `template:run` expanded into the template's own. `actions` says what each action puts out.
pub fn steps(asked: Asked<'_>, actions: &[ActionSpec]) -> Result<Vec<StepDraft>, FlowError> {
    let known = known(asked);
    let mut names = Names::default();
    let mut drafts: Vec<StepDraft> = Vec::new();
    for placed in placed(asked)? {
        let spec = actions.iter().find(|spec| spec.name == placed.step.action);
        if let Some(draft) = draft(placed, &known, &names, spec)? {
            names.add(
                placed.under,
                &placed.step.id,
                spec.map_or(&[][..], |spec| spec.outputs),
            );
            drafts.push(draft);
        }
    }
    Ok(drafts)
}

/// All steps in order, conditions not yet looked at.
fn placed(asked: Asked<'_>) -> Result<Vec<Placed<'_>>, FlowError> {
    let mut all = Vec::new();
    for step in &asked.command.steps {
        if step.action != TEMPLATE_RUN {
            all.push(Placed { under: None, step });
            continue;
        }
        let Some(template) = asked.template else {
            return Err(FlowError {
                step: step.id.clone(),
                what: "no template was chosen".to_owned(),
            });
        };
        if !holds_now(step, asked)? {
            continue;
        }
        all.extend(template.steps.iter().map(|inner| Placed {
            under: Some(&step.id),
            step: inner,
        }));
    }
    Ok(all)
}

/// Whether a template runs at all: that has to be known before its steps are.
fn holds_now(step: &Step, asked: Asked<'_>) -> Result<bool, FlowError> {
    let fail = |what: String| FlowError {
        step: step.id.clone(),
        what,
    };
    let Some(condition) = &step.condition else {
        return Ok(true);
    };
    let known = known(asked);
    let scope = partial::Scope {
        known: &known,
        step: &|id, _| Some(id.to_owned()),
    };
    match partial::plan(&lenient(condition), &scope).map_err(|error| fail(error.what))? {
        PlannedValue::Known { value } => Ok(expression::holds(&value)),
        _ => Err(fail(
            "the condition of `template:run` can't wait for another step".to_owned(),
        )),
    }
}

/// One step, rendered as far as it goes; nothing if its condition is known not to hold.
fn draft(
    placed: Placed<'_>,
    known: &Map<String, Value>,
    names: &Names,
    spec: Option<&ActionSpec>,
) -> Result<Option<StepDraft>, FlowError> {
    let id = placed.id();
    let fail = |what: String| FlowError {
        step: id.clone(),
        what,
    };
    let find = |step: &str, path: &[String]| names.find(placed.under, step, path);
    let scope = partial::Scope { known, step: &find };
    let condition = match &placed.step.condition {
        None => None,
        Some(node) => {
            match partial::plan(&lenient(node), &scope).map_err(|error| fail(error.what))? {
                PlannedValue::Known { value } if expression::holds(&value) => None,
                PlannedValue::Known { .. } => return Ok(None),
                waits => Some(waits),
            }
        }
    };
    let input = without_nulls(
        &placed.step.input,
        partial::plan(&placed.step.input, &scope).map_err(|error| fail(error.what))?,
    );
    let title = match &placed.step.name {
        Some(name) => name.clone(),
        None => spec.map_or_else(|| placed.step.action.clone(), |spec| spec.title.to_owned()),
    };
    Ok(Some(StepDraft {
        id,
        title,
        action: placed.step.action.clone(),
        condition,
        input,
    }))
}

/// A condition that reads what isn't there (an output of a step that was skipped) doesn't hold; it is no error.
fn lenient(condition: &Node) -> Node {
    let text = condition.text().map(str::trim).and_then(scan::sole);
    let data = text.map_or_else(
        || condition.data.clone(),
        |code| Data::Text(format!("${{{{ ({code}) | default(false) }}}}")),
    );
    Node {
        at: condition.at,
        data,
    }
}

/// An input whose expression came out as nothing (an optional field left empty) is left out, as Backstage does.
fn without_nulls(written: &Node, input: PlannedValue) -> PlannedValue {
    let from_expression = |name: &str| written.get(name).is_some_and(|node| node.text().is_some());
    match input {
        PlannedValue::Known {
            value: Value::Object(mut map),
        } => {
            map.retain(|name, value| !(value.is_null() && from_expression(name)));
            PlannedValue::known(Value::Object(map))
        }
        PlannedValue::Map { mut members } => {
            let null = PlannedValue::known(Value::Null);
            members.retain(|(name, value)| !(*value == null && from_expression(name)));
            PlannedValue::Map { members }
        }
        other => other,
    }
}

/// Links and texts, once the steps are done; `outputs` holds each finished step's output by its id.
///
/// Entries that read the output of a step that was skipped are left out. A command without an output has its
/// template's.
pub fn ending(asked: Asked<'_>, outputs: &Map<String, Value>) -> Result<Ending, FlowError> {
    let mut names = Names::default();
    for placed in placed(asked)? {
        if let Some(output) = outputs.get(&placed.id()).and_then(Value::as_object) {
            let its: Vec<&str> = output.keys().map(String::as_str).collect();
            names.add(placed.under, &placed.step.id, &its);
        }
    }
    let own = &asked.command.output;
    let template = asked.template.zip(asked.command.template_step());
    match template {
        Some((template, step)) if own.links.is_empty() && own.texts.is_empty() => read_ending(
            &template.output,
            &Reader {
                asked,
                names: &names,
                under: Some(&step.id),
                outputs,
            },
        ),
        _ => read_ending(
            own,
            &Reader {
                asked,
                names: &names,
                under: None,
                outputs,
            },
        ),
    }
}

struct Reader<'a> {
    asked: Asked<'a>,
    names: &'a Names,
    under: Option<&'a str>,
    outputs: &'a Map<String, Value>,
}

fn read_ending(output: &Output, reader: &Reader<'_>) -> Result<Ending, FlowError> {
    let mut ending = Ending::default();
    for entry in &output.links {
        if let Some((title, url)) = reader.entry(entry)? {
            ending.links.push(Link {
                title: title.unwrap_or_else(|| url.clone()),
                url,
            });
        }
    }
    for entry in &output.texts {
        if let Some((title, content)) = reader.entry(entry)? {
            ending.texts.push((title.unwrap_or_default(), content));
        }
    }
    Ok(ending)
}

impl Reader<'_> {
    fn entry(&self, entry: &OutputEntry) -> Result<Option<(Option<String>, String)>, FlowError> {
        let nodes = [
            entry.condition.as_ref(),
            entry.title.as_ref(),
            Some(&entry.content),
        ];
        if nodes.into_iter().flatten().any(|node| self.skipped(node)) {
            return Ok(None);
        }
        if let Some(condition) = &entry.condition
            && !expression::holds(&self.value(&lenient(condition))?)
        {
            return Ok(None);
        }
        let title = entry
            .title
            .as_ref()
            .map(|node| self.text(node))
            .transpose()?;
        let content = self.text(&entry.content)?;
        Ok((!content.is_empty()).then_some((title, content)))
    }

    /// Whether a text reads the output of a step that has none, without asking first.
    fn skipped(&self, node: &Node) -> bool {
        let Data::Text(text) = &node.data else {
            return false;
        };
        scan::mentions(text).iter().any(|mention| {
            match (mention.root.as_str(), mention.path.split_first()) {
                ("steps", Some((id, rest))) => {
                    !mention.guarded && self.names.find(self.under, id, rest).is_none()
                }
                _ => false,
            }
        })
    }

    fn value(&self, node: &Node) -> Result<Value, FlowError> {
        let fail = |what: String| FlowError {
            step: "output".to_owned(),
            what,
        };
        let known = known(self.asked);
        let find = |id: &str, path: &[String]| self.names.find(self.under, id, path);
        let planned = partial::plan(
            node,
            &partial::Scope {
                known: &known,
                step: &find,
            },
        );
        planned
            .map_err(|error| fail(error.what))?
            .fill(&mut |text| expression::after(text, self.outputs))
            .map_err(|error| fail(error.what))
    }

    fn text(&self, node: &Node) -> Result<String, FlowError> {
        Ok(match self.value(node)? {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => json!(other).to_string(),
        })
    }
}
