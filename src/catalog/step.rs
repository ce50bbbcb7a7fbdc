//! Steps and outputs as definitions write them, and the check of everything they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::expression::check::{Names, faults};
use super::expression::scan::Mention;
use super::expression::{Syntax, scan};
use super::problem::{Mark, Problem, nearest};
use super::reader::{Fields, Report, text};
use super::yaml::{Data, Node};
use super::{Known, Template};
use crate::domain::action::ActionSpec;

/// One step of a command or a template.
#[derive(Debug, Clone)]
pub struct Step {
    /// Unique in its file.
    pub id: String,
    /// What people read, where the file has it.
    pub name: Option<String>,
    /// The action.
    pub action: String,
    /// Where it stands in the file.
    pub at: Mark,
    /// Its input as written.
    pub(super) input: Node,
    /// Its condition as written.
    pub(super) condition: Option<Node>,
}

/// What people get at the end, as written.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Links on the card: title and address.
    pub(super) links: Vec<OutputEntry>,
    /// Texts on the card: title and content.
    pub(super) texts: Vec<OutputEntry>,
}

/// One link or text, as written.
#[derive(Debug, Clone)]
pub(super) struct OutputEntry {
    pub(super) title: Option<Node>,
    pub(super) content: Node,
    pub(super) condition: Option<Node>,
}

/// What a definition is held against; what is `None` isn't known, and so isn't checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks<'a> {
    pub(super) actions: Option<&'a [ActionSpec]>,
    pub(super) known: Option<&'a Known>,
    pub(super) templates: Option<&'a BTreeMap<String, Arc<Template>>>,
    /// Whether a template's files are looked through, which costs as much as rendering them.
    pub(super) files: bool,
    /// Parameters that commands bring to a template.
    pub(super) parameters: Option<&'a BTreeSet<String>>,
}

/// What the expressions of a definition may name.
pub(super) struct Scope<'a> {
    /// Declared parameters; `None`: any.
    pub(super) parameters: Option<BTreeSet<&'a str>>,
    /// The steps so far, with the names in their output; `None`: any name.
    pub(super) steps: Vec<(&'a str, Option<Vec<String>>)>,
    /// All ids, for the sentence about a step that comes too late.
    pub(super) all: Vec<&'a str>,
}

/// Roots that Backstage has and we don't.
const NOT_YET: [&str; 4] = ["user", "context", "secrets", "each"];

impl Names for Scope<'_> {
    fn roots(&self) -> &[&str] {
        &[
            "parameters",
            "steps",
            "environment",
            "user",
            "context",
            "secrets",
            "each",
        ]
    }

    fn offered(&self) -> &[&str] {
        &["parameters", "steps", "environment"]
    }

    fn check(&self, mention: &Mention) -> Result<(), (String, Option<String>)> {
        match mention.root.as_str() {
            "parameters" => self.check_parameter(mention),
            "steps" => self.check_step(mention),
            other if NOT_YET.contains(&other) => {
                Err((format!("`{other}` is not supported yet"), None))
            }
            _ => Ok(()),
        }
    }
}

impl Scope<'_> {
    fn check_parameter(&self, mention: &Mention) -> Result<(), (String, Option<String>)> {
        let (Some(names), Some(name)) = (&self.parameters, mention.path.first()) else {
            return Ok(());
        };
        if names.contains(name.as_str()) {
            return Ok(());
        }
        Err((
            format!("there is no parameter `{name}`"),
            nearest(name, names.iter().copied()).map(str::to_owned),
        ))
    }

    fn check_step(&self, mention: &Mention) -> Result<(), (String, Option<String>)> {
        let Some(id) = mention.path.first() else {
            return Err(("name the step: `steps.ID.output.NAME`".to_owned(), None));
        };
        let Some((_, outputs)) = self.steps.iter().find(|(known, _)| known == id) else {
            let what = if self.all.contains(&id.as_str()) {
                format!("step `{id}` comes later: its output does not exist yet")
            } else {
                format!("there is no step `{id}`")
            };
            let near = nearest(id, self.steps.iter().map(|(known, _)| *known));
            return Err((what, near.filter(|near| near != id).map(str::to_owned)));
        };
        match mention.path.get(1).map(String::as_str) {
            Some("output") => {}
            _ => {
                return Err((
                    format!("only the output of a step can be read: `steps.{id}.output.NAME`"),
                    None,
                ));
            }
        }
        let Some(name) = mention.path.get(2) else {
            return Err((format!("name the output: `steps.{id}.output.NAME`"), None));
        };
        match outputs {
            Some(outputs) if !outputs.contains(name) => {
                let what = if outputs.is_empty() {
                    format!("step `{id}` has no output")
                } else {
                    format!("step `{id}` has no output `{name}`")
                };
                Err((
                    what,
                    nearest(name, outputs.iter().map(String::as_str)).map(str::to_owned),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a list of steps.
pub(super) fn read_steps(nodes: &[Node], report: &mut Report) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for node in nodes {
        let Some(step) = read_step(node, report) else {
            continue;
        };
        if steps.iter().any(|earlier| earlier.id == step.id) {
            report.add(step.at, format!("step `{}` stands twice", step.id));
        }
        steps.push(step);
    }
    steps
}

fn read_step(node: &Node, report: &mut Report) -> Option<Step> {
    let mut fields = Fields::open(node, "a step", report)?;
    let id = fields.need_text("id", report);
    let name = fields.text("name", report);
    let action = fields.need_text("action", report);
    let input = fields.take("input").cloned();
    let condition = fields.take("if").cloned();
    fields.later("each", report);
    fields.close(report);
    let (id, action) = (id?, action?);
    let plain = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain {
        report.hint(
            node.at,
            format!("`{id}` can't be the id of a step"),
            "Use letters, digits, `-` and `_`.",
        );
    }
    let input = input.unwrap_or(Node {
        at: node.at,
        data: Data::Map(Vec::new()),
    });
    if input.map().is_none() {
        report.add(
            input.at,
            format!("`input` has to be a map, not {}", input.kind()),
        );
    }
    Some(Step {
        id,
        name,
        action,
        at: node.at,
        input,
        condition,
    })
}

/// Reads `output`.
pub(super) fn read_output(node: &Node, report: &mut Report) -> Output {
    let Some(mut fields) = Fields::open(node, "`output`", report) else {
        return Output::default();
    };
    let links = fields
        .list("links", report)
        .iter()
        .filter_map(|node| entry(node, "a link", "url", report))
        .collect();
    let texts = fields
        .list("text", report)
        .iter()
        .filter_map(|node| entry(node, "a text", "content", report))
        .collect();
    fields.close(report);
    Output { links, texts }
}

fn entry(
    node: &Node,
    what: &'static str,
    content: &'static str,
    report: &mut Report,
) -> Option<OutputEntry> {
    let mut fields = Fields::open(node, what, report)?;
    let title = fields.take("title").cloned();
    let condition = fields.take("if").cloned();
    fields.take("icon");
    if content == "url" {
        fields.later("entityRef", report);
    } else {
        fields.take("default");
    }
    let content = fields.need(content, report)?;
    fields.close(report);
    text(content, what, report)?;
    Some(OutputEntry {
        title,
        content: content.clone(),
        condition,
    })
}

/// Reports everything that is wrong in the expressions of a value.
pub(super) fn check_node(node: &Node, names: &dyn Names, report: &mut Report) {
    match &node.data {
        Data::Text(text) => {
            for fault in faults(text, Syntax::PLAIN, names) {
                // The lines of a block of text stand one below the other, those of a folded one nearly so.
                let at = Mark {
                    line: node.at.line + fault.line - 1,
                    column: node.at.column,
                };
                let mut problem = Problem::at(report.file(), at, fault.what);
                (problem.hint, problem.nearest) = (fault.hint, fault.nearest);
                report.push(problem);
            }
        }
        Data::List(items) => items
            .iter()
            .for_each(|item| check_node(item, names, report)),
        Data::Map(members) => members
            .iter()
            .for_each(|(_, value)| check_node(value, names, report)),
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
}

/// Checks a condition: `true`, `false` or one whole expression.
pub(super) fn check_condition(node: &Node, names: &dyn Names, report: &mut Report) {
    match &node.data {
        Data::Bool(_) => {}
        Data::Text(text) if scan::sole(text.trim()).is_some() => {
            for word in ["always", "failure"] {
                if scan::mentions(text).iter().any(|m| m.root == word) {
                    report.add(node.at, format!("`{word}()` is not supported yet"));
                    return;
                }
            }
            check_node(node, names, report);
        }
        _ => report.hint(
            node.at,
            "`if` has to be one expression",
            "Write `${{ … }}` around it.",
        ),
    }
}

/// Checks steps and output against the actions there are, and every expression in them.
pub(super) fn check_steps<'a>(
    steps: &'a [Step],
    output: &Output,
    parameters: Option<BTreeSet<&'a str>>,
    checks: &Checks<'_>,
    report: &mut Report,
) {
    let mut scope = Scope {
        parameters,
        steps: Vec::new(),
        all: steps.iter().map(|step| step.id.as_str()).collect(),
    };
    for step in steps {
        check_node(&step.input, &scope, report);
        if let Some(condition) = &step.condition {
            check_condition(condition, &scope, report);
        }
        let spec = checks
            .actions
            .and_then(|actions| actions.iter().find(|spec| spec.name == step.action));
        match (checks.actions, spec) {
            (Some(_), None) if absent(&step.action, checks).is_some() => {
                let what = format!("this deployment has no action `{}`", step.action);
                report.hint(
                    step.at,
                    what,
                    absent(&step.action, checks).unwrap_or_default(),
                );
            }
            (Some(actions), None) => {
                let names = actions.iter().map(|spec| spec.name);
                report.word(
                    step.at,
                    format!("unknown action `{}`", step.action),
                    &step.action,
                    names,
                );
            }
            (_, Some(spec)) => check_input(step, spec, report),
            (None, None) => {}
        }
        scope.steps.push((&step.id, outputs(step, spec, checks)));
    }
    for entry in output.links.iter().chain(&output.texts) {
        check_node(&entry.content, &scope, report);
        entry
            .title
            .iter()
            .for_each(|title| check_node(title, &scope, report));
        entry
            .condition
            .iter()
            .for_each(|condition| check_condition(condition, &scope, report));
    }
}

/// Why an action isn't there that elsewhere is.
fn absent<'a>(action: &str, checks: &Checks<'a>) -> Option<&'a str> {
    checks.known?.absent.get(action).map(String::as_str)
}

/// The names in a step's output. A template's are those that every template on offer has.
fn outputs(step: &Step, spec: Option<&ActionSpec>, checks: &Checks<'_>) -> Option<Vec<String>> {
    if step.action != super::command::TEMPLATE_RUN {
        return spec.map(|spec| spec.outputs.iter().map(|&name| name.to_owned()).collect());
    }
    let (templates, actions) = (checks.templates?, checks.actions?);
    let fixed = step.input.get("template").and_then(Node::text);
    let mut chosen = templates
        .values()
        .filter(|template| fixed.is_none_or(|name| template.name == name));
    let first = chosen.next()?.outputs(actions);
    let common = chosen.fold(first, |mut common, template| {
        let its = template.outputs(actions);
        common.retain(|name| its.contains(name));
        common
    });
    Some(common)
}

/// Checks the names of an input, and those of its values that are known already, against the action's schema.
fn check_input(step: &Step, spec: &ActionSpec, report: &mut Report) {
    let Some(properties) = spec.input.get("properties").and_then(Value::as_object) else {
        return;
    };
    let closed = spec.input.get("additionalProperties") == Some(&Value::Bool(false));
    let members = step.input.map().unwrap_or_default();
    for (key, value) in members {
        let Some(schema) = properties.get(&key.text) else {
            if closed {
                let what = format!("`{}` has no input `{}`", spec.name, key.text);
                report.word(
                    key.at,
                    what,
                    &key.text,
                    properties.keys().map(String::as_str),
                );
            }
            continue;
        };
        if !waits(value)
            && let Err(error) = jsonschema::draft202012::validate(schema, &value.json())
        {
            let what = format!("`{}` of `{}` is no good: {error}", key.text, spec.name);
            match schema.get("description").and_then(Value::as_str) {
                Some(meaning) => report.hint(value.at, what, format!("It means: {meaning}.")),
                None => report.add(value.at, what),
            }
        }
    }
    let required = spec
        .input
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for name in required.filter_map(Value::as_str) {
        if !members.iter().any(|(key, _)| key.text == name) {
            report.add(
                step.at,
                format!(
                    "step `{}` has no input `{name}`, which `{}` needs",
                    step.id, spec.name
                ),
            );
        }
    }
}

/// Whether anything in a value is an expression.
fn waits(node: &Node) -> bool {
    match &node.data {
        Data::Text(text) => scan::is_template(text),
        Data::List(items) => items.iter().any(waits),
        Data::Map(members) => members.iter().any(|(_, value)| waits(value)),
        Data::Null | Data::Bool(_) | Data::Number(_) => false,
    }
}
