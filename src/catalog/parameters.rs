//! Parameters: pages of JSON Schema with Backstage's `ui:` hints, read into what forms need.

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
    /// The human sentence: hint and error of a `pattern`.
    pub help: Option<String>,
    /// What an empty field shows.
    pub placeholder: Option<String>,
    /// Whether it may stay empty.
    pub required: bool,
    /// The value that it starts with.
    pub default: Option<Value>,
    /// How it is asked for.
    pub widget: Widget,
    /// The sort of name that must still be free (`ui:options: { unique: repository }`).
    pub unique: Option<String>,
    /// Its JSON Schema.
    pub schema: Map<String, Value>,
    /// Where it stands in the file.
    pub at: Mark,
}

/// How a parameter is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Widget {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A number.
    Number,
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
