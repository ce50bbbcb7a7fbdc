//! A command: what people can ask for, who may, with which form, whose approval and which steps.

mod read;
mod rules;

use serde_json::{Map, Value};

use super::parameters::{Parameters, Widget};
use super::problem::{Mark, Problem};
use super::step::{Checks, Output, Step};
use crate::domain::canonical::Digest;

/// Names that `/idp` understands itself.
pub const RESERVED: [&str; 10] = [
    "help", "status", "list", "cancel", "link", "login", "delegate", "preview", "infra", "upgrade",
];

/// One command file, checked.
#[derive(Debug, Clone)]
pub struct Command {
    /// What people type.
    pub name: String,
    /// What people read: `Create a service from a golden path`.
    pub title: String,
    /// A sentence more about it, where the file has one.
    pub description: Option<String>,
    /// The handles of the groups that may ask; empty: every full member.
    pub allow: Vec<String>,
    /// Where the thread stands (`#platform`); `None`: where it was typed.
    pub channel: Option<String>,
    /// What is asked for, in pages.
    pub parameters: Parameters,
    /// The first whose condition holds decides; the last has none.
    pub rules: Vec<Rule>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What happens when a step stops.
    pub on_failure: OnFailure,
    /// What people get at the end.
    pub output: Output,
    source: Vec<u8>,
    digest: Digest,
}

/// One approval rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, shown on the card.
    pub name: String,
    /// A CEL expression; `None`: always.
    pub when: Option<String>,
    /// Every quorum must be met; none at all runs at once.
    pub require: Vec<Require>,
    /// Seconds until an undecided plan expires.
    pub expires_s: i64,
    /// Seconds until the one reminder.
    pub remind_s: Option<i64>,
    /// Where it stands in the file.
    pub at: Mark,
}

/// One quorum of a rule, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// `group:security`, `leads:${{ parameters.owner }}`.
    pub from: String,
    /// How many; at least 1.
    pub count: u32,
    /// Where it stands in the file.
    pub at: Mark,
}

/// What happens when a step stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Retry or Undo on the card; undone after 24 h.
    #[default]
    Ask,
    /// Undone at once.
    Undo,
}

/// The action that stands for the chosen template's own steps.
pub(super) const TEMPLATE_RUN: &str = "template:run";

impl Command {
    /// Reads a command from its bytes: from a file, or from the blob kept with a request. Everything is checked that
    /// needs no more than the bytes themselves.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        Self::read("command.yaml", bytes, &Checks::default())
    }

    /// The bytes that it was read from.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The digest of these bytes: the name under which requests keep it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether it runs a template's steps.
    pub fn uses_template(&self) -> bool {
        self.template_step().is_some()
    }

    /// The name of the template that these values choose (`ui:field: TemplatePicker`), or that the command always
    /// uses; `None` for commands without a template, and while nothing is chosen yet.
    pub fn template<'a>(&'a self, values: &'a Map<String, Value>) -> Option<&'a str> {
        let step = self.template_step()?;
        if let Some(fixed) = step.input.get("template") {
            return fixed.text();
        }
        values.get(&self.template_field()?.name)?.as_str()
    }

    /// The parameter that chooses the template.
    pub(super) fn template_field(&self) -> Option<&super::parameters::Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.widget == Widget::Template)
    }

    /// The step that stands for the template's own.
    pub(super) fn template_step(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.action == TEMPLATE_RUN)
    }
}
