//! A command: what people can ask for, who may, with which form, whose approval and which steps.

use serde_json::Value;

use super::parameters::Parameters;
use super::problem::{Mark, Problem};
use super::yaml::Node;
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

/// One step of a command or a template.
#[derive(Debug, Clone)]
pub struct Step {
    /// Unique in its file.
    pub id: String,
    /// What people read, where the file has it.
    pub name: Option<String>,
    /// The action.
    pub action: String,
    /// Its input as written.
    pub(super) input: Node,
    /// Its condition as written.
    pub(super) condition: Option<Node>,
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

/// What people get at the end.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Links on the card.
    pub(super) links: Vec<OutputEntry>,
    /// Texts on the card.
    pub(super) text: Vec<OutputEntry>,
}

/// One link or text, as written.
#[derive(Debug, Clone)]
pub(super) struct OutputEntry {
    pub(super) title: Node,
    pub(super) content: Node,
    pub(super) condition: Option<Node>,
}

impl Command {
    /// Reads a command from its bytes: from a file, or from the blob kept with a request. Everything is checked that
    /// needs no more than the file itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let _ = bytes;
        todo!()
    }

    /// The bytes that it was read from.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The digest of these bytes: the name under which requests keep it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The name of the template that these values choose (`ui:field: TemplatePicker`), or that the command always
    /// uses; `None` for commands without a template, and while nothing is chosen yet.
    pub fn template<'a>(&'a self, values: &'a serde_json::Map<String, Value>) -> Option<&'a str> {
        let _ = values;
        todo!()
    }
}
