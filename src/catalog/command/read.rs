//! Reads a command file.

use std::collections::BTreeSet;

use super::{Command, OnFailure, RESERVED, TEMPLATE_RUN, rules};
use crate::catalog::parameters::{Parameters, Widget};
use crate::catalog::problem::Problem;
use crate::catalog::reader::{Fields, Report, text};
use crate::catalog::step::{Checks, Step, check_steps, read_output, read_steps};
use crate::catalog::yaml::Node;
use crate::domain::canonical::Digest;
use crate::domain::team;

/// The only version of command files so far.
const API_VERSION: &str = "idp.dev/v1";

/// Longest name: it is typed.
const MAX_NAME: usize = 40;

impl Command {
    /// Reads and checks a command; `file` names it in problems.
    pub(in crate::catalog) fn read(
        file: &str,
        bytes: &[u8],
        checks: &Checks<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let node = Node::parse(file, bytes).map_err(|problem| vec![problem])?;
        let mut report = Report::new(file);
        let command = whole(&node, bytes, checks, &mut report);
        match (command, report.into_problems()) {
            (Some(command), problems) if problems.is_empty() => Ok(command),
            (_, problems) => Err(problems),
        }
    }
}

fn whole(node: &Node, bytes: &[u8], checks: &Checks<'_>, report: &mut Report) -> Option<Command> {
    let mut fields = Fields::open(node, "a command", report)?;
    fixed(
        fields.need("apiVersion", report),
        "apiVersion",
        API_VERSION,
        report,
    );
    fixed(fields.need("kind", report), "kind", "Command", report);
    let metadata = fields.need("metadata", report);
    let spec = fields.need("spec", report);
    fields.close(report);
    let (name, title, description) = metadata.and_then(|node| read_metadata(node, report))?;
    let mut spec = Fields::open(spec?, "`spec`", report)?;
    let allow = allow(spec.list("allow", report), checks, report);
    let channel = spec
        .take("channel")
        .and_then(|node| channel(node, checks, report));
    let parameters = spec
        .take("parameters")
        .map(|node| Parameters::read(node, report))
        .unwrap_or_default();
    let approval = spec.need("approval", report);
    let steps = spec.need("steps", report);
    let on_failure = spec
        .take("onFailure")
        .map(|node| on_failure(node, report))
        .unwrap_or_default();
    let output = spec
        .take("output")
        .map(|node| read_output(node, report))
        .unwrap_or_default();
    spec.close(report);
    let names: BTreeSet<&str> = parameters.names().collect();
    let rules = approval
        .map(|node| rules::read(node, &names, checks, report))
        .unwrap_or_default();
    let steps = steps
        .map(|node| command_steps(node, report))
        .unwrap_or_default();
    check_steps(&steps, &output, Some(names), checks, report);
    check_template(&parameters, &steps, checks, report);
    Some(Command {
        name: name?,
        title: title?,
        description,
        allow,
        channel,
        parameters,
        rules,
        steps,
        on_failure,
        output,
        source: bytes.to_vec(),
        digest: Digest::of(bytes),
    })
}

fn fixed(node: Option<&Node>, name: &str, wanted: &str, report: &mut Report) {
    let Some(node) = node else { return };
    if node.text() != Some(wanted) {
        report.add(node.at, format!("`{name}` has to be `{wanted}`"));
    }
}

type Metadata = (Option<String>, Option<String>, Option<String>);

fn read_metadata(node: &Node, report: &mut Report) -> Option<Metadata> {
    let mut fields = Fields::open(node, "`metadata`", report)?;
    let name = fields.need("name", report);
    let title = fields.need_text("title", report);
    let description = fields.text("description", report);
    fields.close(report);
    Some((
        name.and_then(|node| command_name(node, report)),
        title,
        description,
    ))
}

fn command_name(node: &Node, report: &mut Report) -> Option<String> {
    let name = text(node, "name", report)?;
    let plain = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !plain {
        let hint =
            format!("Use up to {MAX_NAME} lower-case letters, digits and `-`: people type it.");
        report.hint(
            node.at,
            format!("`{name}` can't be the name of a command"),
            hint,
        );
    }
    if RESERVED.contains(&name.as_str()) {
        report.hint(
            node.at,
            format!("`{name}` is a word of `/idp` itself"),
            "Choose another name.",
        );
    }
    Some(name)
}

fn allow(nodes: &[Node], checks: &Checks<'_>, report: &mut Report) -> Vec<String> {
    let mut groups = Vec::new();
    for node in nodes {
        let Some(text) = text(node, "allow", report) else {
            continue;
        };
        match text.strip_prefix("group:") {
            Some(group) if !group.is_empty() => {
                rules::check_group(group, node.at, checks, report);
                groups.push(team::kept(group));
            }
            _ => report.hint(
                node.at,
                format!("`allow` doesn't understand `{text}`"),
                "Write `group:NAME`.",
            ),
        }
    }
    groups
}

fn channel(node: &Node, checks: &Checks<'_>, report: &mut Report) -> Option<String> {
    let channel = text(node, "channel", report)?;
    let known = checks.known.and_then(|known| known.channels.as_ref());
    if !channel.starts_with('#') || channel.len() < 2 {
        report.hint(
            node.at,
            format!("`{channel}` is no channel"),
            "Write `#NAME`, in quotes.",
        );
    } else if let Some(known) = known
        && !known.contains(&channel)
    {
        let what = format!("the bot can't post to `{channel}`");
        report.word(node.at, what, &channel, known.iter().map(String::as_str));
    }
    Some(channel)
}

fn on_failure(node: &Node, report: &mut Report) -> OnFailure {
    match node.text() {
        Some("ask") => OnFailure::Ask,
        Some("undo") => OnFailure::Undo,
        other => {
            let word = other.unwrap_or(node.kind());
            report.word(
                node.at,
                format!("`onFailure` is `ask` or `undo`, not `{word}`"),
                word,
                ["ask", "undo"],
            );
            OnFailure::Ask
        }
    }
}

fn command_steps(node: &Node, report: &mut Report) -> Vec<Step> {
    let nodes = node.list().unwrap_or_default();
    if nodes.is_empty() {
        report.add(node.at, "`steps` has to be a list with at least one step");
    }
    read_steps(nodes, report)
}

/// A command runs at most one template, and knows which.
fn check_template(
    parameters: &Parameters,
    steps: &[Step],
    checks: &Checks<'_>,
    report: &mut Report,
) {
    let mut runs = steps.iter().filter(|step| step.action == TEMPLATE_RUN);
    let pickers: Vec<_> = parameters
        .iter()
        .filter(|p| p.widget == Widget::Template)
        .collect();
    if let [_, second, ..] = pickers.as_slice() {
        report.add(second.at, "a command can ask for one template only");
    }
    let Some(run) = runs.next() else {
        if let Some(picker) = pickers.first() {
            let what = format!(
                "`{}` asks for a template, and no step has the action `{TEMPLATE_RUN}`",
                picker.name
            );
            report.add(picker.at, what);
        }
        return;
    };
    if let Some(second) = runs.next() {
        report.add(second.at, "a command can run one template only");
    }
    if let Some(node) = run.input.get("parameters") {
        report.add(
            node.at,
            format!("`parameters` of `{TEMPLATE_RUN}` is not supported yet"),
        );
    }
    let fixed = run.input.get("template");
    match (fixed, pickers.first()) {
        (None, None) => report.hint(
            run.at,
            format!("`{TEMPLATE_RUN}` doesn't know which template"),
            "Ask for it (`ui:field: TemplatePicker`), or write `input: { template: NAME }`.",
        ),
        (Some(node), Some(_)) => report.add(node.at, "the form asks for the template already"),
        (Some(node), None) => check_fixed(node, checks, report),
        (None, Some(picker)) if !picker.required => {
            report.add(
                picker.at,
                format!(
                    "`{}` chooses the template, so it has to be `required`",
                    picker.name
                ),
            );
        }
        (None, Some(_)) => {}
    }
}

fn check_fixed(node: &Node, checks: &Checks<'_>, report: &mut Report) {
    let (Some(name), Some(templates)) = (text(node, "template", report), checks.templates) else {
        return;
    };
    if !templates.contains_key(&name) {
        report.word(
            node.at,
            format!("there is no template `{name}`"),
            &name,
            templates.keys().map(String::as_str),
        );
    }
}
