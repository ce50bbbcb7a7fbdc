//! Parameters: pages of JSON Schema with Backstage's `ui:` hints, read into what forms need.
//!
//! Only the part of JSON Schema that chat can draw is taken; the rest is refused by name, so that a definition never
//! asks less than its author believes.

mod read;
mod value;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::problem::Mark;

/// What a command or template asks for.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// In the order of asking.
    pub pages: Vec<Page>,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its fields, in order.
    pub fields: Vec<Parameter>,
}

/// One parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name in `parameters`.
    pub name: String,
    /// What people read above its field.
    pub title: String,
    /// The human sentence: hint, and the error where a `pattern` doesn't match.
    pub help: Option<String>,
    /// What an empty field shows.
    pub placeholder: Option<String>,
    /// Whether it may not stay empty.
    pub required: bool,
    /// The value that it starts with.
    pub default: Option<Value>,
    /// How it is asked for.
    pub widget: Widget,
    /// The values to choose from, with what people read.
    pub options: Vec<(Value, String)>,
    /// The sort of name that must still be free (`ui:options: { unique: repository }`).
    pub unique: Option<String>,
    /// Its JSON Schema, without `ui:` hints.
    pub schema: Map<String, Value>,
    /// Where it stands in the file.
    pub at: Mark,
    validator: Arc<jsonschema::Validator>,
}

/// How a parameter is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Widget {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A number; whether whole.
    Number {
        /// Only whole numbers count.
        integer: bool,
    },
    /// Yes or no.
    Switch,
    /// One of its `enum`.
    Choice,
    /// Any of its items' `enum`.
    Choices,
    /// One of the templates.
    Template,
    /// One of the teams.
    Team,
}

impl Parameters {
    /// Every parameter, in the order of asking.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.pages.iter().flat_map(|page| &page.fields)
    }

    /// A parameter by its name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.iter().find(|parameter| parameter.name == name)
    }

    /// All names, in the order of asking.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|parameter| parameter.name.as_str())
    }
}
