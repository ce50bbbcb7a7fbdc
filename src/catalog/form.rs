//! From parameters to pages that people fill in, and from what they typed to checked [`Inputs`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Command, Template};
use crate::domain::form::{Choice, Field, FieldError};

/// What a form has to know of the one who fills it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFacts {
    /// The asker's own teams: the first one is preselected, and only these are offered …
    pub teams: Vec<Choice>,
    /// … unless the asker may pick any of these.
    pub all_teams: Vec<Choice>,
    /// Whether the asker may pick any team (`group:platform`).
    pub may_pick_any: bool,
    /// The templates on offer: [`super::Catalog::template_choices`].
    pub templates: Vec<Choice>,
}

/// One page without what only `app` knows (draft, revision, intro).
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The form's title: the command's.
    pub title: String,
    /// The page's own title.
    pub heading: String,
    /// The fields, with the values typed so far or their defaults.
    pub fields: Vec<Field>,
    /// The label of the button that goes on: `Next`, or `Ask for approval` on the last page.
    pub submit: String,
    /// Whether there is a page to go back to.
    pub back: bool,
}

/// Parameters that were checked: made by [`check_all`] alone, or read back from where they were kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inputs(Map<String, Value>);

impl Inputs {
    /// The values by parameter name, defaults filled in.
    pub fn values(&self) -> &Map<String, Value> {
        &self.0
    }

    /// One value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// A field whose name must still be free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The field.
    pub field: String,
    /// The sort of name: `repository`.
    pub kind: String,
    /// The name wanted.
    pub name: String,
}

/// How many pages the form has: the command's own, then the chosen template's.
pub fn pages(command: &Command, template: Option<&Template>) -> usize {
    let _ = (command, template);
    todo!()
}

/// A page by its index from 0; `None` beyond the last.
pub fn page(
    command: &Command,
    template: Option<&Template>,
    index: usize,
    values: &Map<String, Value>,
    facts: &FormFacts,
) -> Option<Page> {
    let _ = (command, template, index, values, facts);
    todo!()
}

/// Checks what was typed on one page; gives the values of that page, typed as their schema says.
///
/// `template` is the one that the typed values choose ([`Command::template`]), where there is one already.
pub fn check_page(
    command: &Command,
    template: Option<&Template>,
    index: usize,
    typed: &Map<String, Value>,
    facts: &FormFacts,
) -> Result<Map<String, Value>, Vec<FieldError>> {
    let _ = (command, template, index, typed, facts);
    todo!()
}

/// Checks everything at once, at submit: the only way to [`Inputs`]. Values that no page asks for are refused.
pub fn check_all(
    command: &Command,
    template: Option<&Template>,
    values: &Map<String, Value>,
    facts: &FormFacts,
) -> Result<Inputs, Vec<FieldError>> {
    let _ = (command, template, values, facts);
    todo!()
}

/// The fields whose names must be free, with the names wanted, of those that have a value.
pub fn uniques(
    command: &Command,
    template: Option<&Template>,
    values: &Map<String, Value>,
) -> Vec<Unique> {
    let _ = (command, template, values);
    todo!()
}

/// The values that free words behind a command's name stand for: one word is the `name`, a sentence the
/// `description`.
pub fn prefill(command: &Command, words: &str) -> Map<String, Value> {
    let _ = (command, words);
    todo!()
}
