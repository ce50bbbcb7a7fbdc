//! Reads a template's entity.

use std::collections::BTreeSet;

use super::{ENTITY, Template, skeleton};
use crate::catalog::command::TEMPLATE_RUN;
use crate::catalog::parameters::{Parameters, Widget};
use crate::catalog::problem::Problem;
use crate::catalog::reader::{Fields, Report, text};
use crate::catalog::step::{Checks, Step, check_steps, read_output, read_steps};
use crate::catalog::yaml::Node;
use crate::domain::canonical::Digest;
use crate::domain::tree::{Mode, Tree};

/// Backstage's version of template entities.
const API_VERSION: &str = "scaffolder.backstage.io/v1beta3";

/// Longest name: Backstage's own limit for entity names.
const MAX_NAME: usize = 63;

impl Template {
    /// Reads and checks a template; `folder` (with its slash at the end) goes before every file name in problems.
    pub(in crate::catalog) fn read(
        folder: &str,
        files: Tree,
        checks: &Checks<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let file = format!("{folder}{ENTITY}");
        let entity = match files.get(ENTITY) {
            Some(entry) if entry.mode != Mode::Symlink => &entry.bytes,
            _ => return Err(vec![Problem::whole(file, "the file is missing")]),
        };
        let node = Node::parse(&file, entity).map_err(|problem| vec![problem])?;
        let mut report = Report::new(file);
        let parts = entity_parts(&node, checks, &mut report);
        let mut problems = report.into_problems();
        if let (Some(parts), true) = (&parts, checks.files) {
            problems.extend(skeleton::problems(folder, &files, &parts.steps));
        }
        let Some(parts) = parts.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let package = files.encode();
        Ok(Self {
            name: parts.name,
            title: parts.title,
            description: parts.description,
            tags: parts.tags,
            parameters: parts.parameters,
            steps: parts.steps,
            output: parts.output,
            digest: Digest::of(&package),
            package,
            files,
        })
    }
}

struct Parts {
    name: String,
    title: String,
    description: Option<String>,
    tags: Vec<String>,
    parameters: Parameters,
    steps: Vec<Step>,
    output: crate::catalog::step::Output,
}

fn entity_parts(node: &Node, checks: &Checks<'_>, report: &mut Report) -> Option<Parts> {
    let mut fields = Fields::open(node, "a template", report)?;
    for (name, wanted) in [("apiVersion", API_VERSION), ("kind", "Template")] {
        if let Some(node) = fields.need(name, report)
            && node.text() != Some(wanted)
        {
            report.add(node.at, format!("`{name}` has to be `{wanted}`"));
        }
    }
    let metadata = fields.need("metadata", report);
    let spec = fields.need("spec", report);
    fields.take("relations");
    fields.close(report);
    let (name, title, description, tags) = metadata.and_then(|node| read_metadata(node, report))?;
    let mut spec = Fields::open(spec?, "`spec`", report)?;
    spec.need_text("type", report);
    spec.text("owner", report);
    spec.text("system", report);
    spec.text("lifecycle", report);
    for later in [
        "secrets",
        "formDecorators",
        "presentation",
        "EXPERIMENTAL_recovery",
        "EXPERIMENTAL_formDecorators",
    ] {
        spec.later(later, report);
    }
    let parameters = spec
        .take("parameters")
        .map(|node| Parameters::read(node, report))
        .unwrap_or_default();
    let steps = spec.need("steps", report);
    let output = spec
        .take("output")
        .map(|node| read_output(node, report))
        .unwrap_or_default();
    spec.close(report);
    let steps = steps
        .map(|node| template_steps(node, report))
        .unwrap_or_default();
    if let Some(picker) = parameters.iter().find(|p| p.widget == Widget::Template) {
        report.add(picker.at, "a template can't ask for a template");
    }
    let names = checks.parameters.map(|brought| -> BTreeSet<&str> {
        parameters
            .names()
            .chain(brought.iter().map(String::as_str))
            .collect()
    });
    check_steps(&steps, &output, names, checks, report);
    Some(Parts {
        name: name?,
        title,
        description,
        tags,
        parameters,
        steps,
        output,
    })
}

type Metadata = (Option<String>, String, Option<String>, Vec<String>);

fn read_metadata(node: &Node, report: &mut Report) -> Option<Metadata> {
    let mut fields = Fields::open(node, "`metadata`", report)?;
    let name_node = fields.need("name", report)?;
    let title = fields.text("title", report);
    let description = fields.text("description", report);
    let tags = fields.take("tags").and_then(Node::list).unwrap_or_default();
    let tags = tags.iter().filter_map(Node::text).map(str::to_owned);
    let tags = tags.collect();
    for known in ["namespace", "uid", "etag", "labels", "annotations", "links"] {
        fields.take(known);
    }
    fields.close(report);
    let name = text(name_node, "name", report)?;
    let plain = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !plain {
        let hint = format!("Use up to {MAX_NAME} letters, digits, `-`, `_` and `.`.");
        report.hint(
            name_node.at,
            format!("`{name}` can't be the name of a template"),
            hint,
        );
    }
    let title = title.unwrap_or_else(|| name.clone());
    Some((Some(name), title, description, tags))
}

fn template_steps(node: &Node, report: &mut Report) -> Vec<Step> {
    let nodes = node.list().unwrap_or_default();
    if nodes.is_empty() {
        report.add(node.at, "`steps` has to be a list with at least one step");
    }
    let steps = read_steps(nodes, report);
    for step in steps.iter().filter(|step| step.action == TEMPLATE_RUN) {
        report.add(step.at, "a template can't run a template");
    }
    steps
}
