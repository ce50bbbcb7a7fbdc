//! Forms as people fill them in: pages of fields, free of any platform's widgets.
//!
//! `catalog::form` makes pages from JSON Schema with Backstage's `ui:` hints; `chat` draws them and reads them back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::Digest;
use super::card::Text;
use super::id::DraftId;

/// Before a name that stands for a longer one.
const SHORT: char = '~';

/// A name that stands for a longer one where a platform's ids have no room for that: always the same for the same.
pub fn short_name(name: &str) -> String {
    format!("{SHORT}{}", Digest::of(name.as_bytes()))
}

/// Whether a name stands for a longer one.
pub fn is_short(name: &str) -> bool {
    name.starts_with(SHORT)
}

/// One page of a form, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormPage {
    /// The draft that keeps what is typed; the only id that a form carries.
    pub draft: DraftId,
    /// Which page, from 0. Platforms keep the old value of an input whose id stays: draw ids from name *and* page.
    pub page: u32,
    /// Counts drawings of this page, so that a redrawn page takes the values given here, not the platform's memory.
    pub revision: u32,
    /// The form's title (`Create a service`).
    pub title: String,
    /// The page's own title.
    pub heading: String,
    /// Lines above the fields: where the thread will stand, what else is worth knowing.
    pub intro: Vec<Text>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// The label of the button that goes on.
    pub submit: String,
    /// Whether there is a page to go back to.
    pub back: bool,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The parameter's name.
    pub name: String,
    /// What people read above it.
    pub label: String,
    /// The human sentence under it.
    pub help: Option<String>,
    /// What appears in an empty text field.
    pub placeholder: Option<String>,
    /// What is asked for.
    pub kind: FieldKind,
    /// Whether it may stay empty.
    pub required: bool,
    /// The value it starts with: typed before, or the default.
    pub value: Option<Value>,
    /// Whether the rest of the form depends on it: a change is told at once ([`super::event::Turn::Stay`]), where the
    /// platform can.
    #[serde(default)]
    pub steers: bool,
}

/// What a field asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    /// A line or several lines of text; lengths in characters.
    Text {
        /// Whether line breaks are welcome.
        multiline: bool,
        /// Shortest allowed.
        min: Option<u32>,
        /// Longest allowed.
        max: Option<u32>,
    },
    /// A number.
    Number {
        /// Whether only whole numbers count.
        integer: bool,
        /// Smallest allowed.
        #[serde(default, deserialize_with = "bound")]
        min: Option<f64>,
        /// Largest allowed.
        #[serde(default, deserialize_with = "bound")]
        max: Option<f64>,
    },
    /// Yes or no.
    Switch,
    /// One of these. Platforms pick radio buttons, a select or a search by the number.
    Choice {
        /// What can be chosen, in order.
        options: Vec<Choice>,
    },
    /// Any of these.
    Choices {
        /// What can be chosen, in order.
        options: Vec<Choice>,
    },
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value that the parameter takes.
    pub value: String,
    /// What people read.
    pub label: String,
    /// A word more about it.
    pub description: Option<String>,
}

/// What is wrong with one field, as a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What people read above the field; of what was kept before labels were, nothing.
    #[serde(default)]
    pub label: String,
    /// The sentence shown at the field.
    pub message: String,
}

impl FieldError {
    /// What the field is called where the sentence doesn't stand at it.
    pub fn called(&self) -> &str {
        if self.label.trim().is_empty() {
            &self.field
        } else {
            &self.label
        }
    }
}

/// Reads a bound by way of `serde_json::Number`: inside a tagged enum serde buffers what it reads, and with
/// `arbitrary_precision` (a dependency turns it on) a buffered fraction is no longer a plain `f64`.
fn bound<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<serde_json::Number>::deserialize(from)?.and_then(|number| number.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_come_back_from_text() {
        let kind = FieldKind::Number {
            integer: false,
            min: Some(1.0),
            max: Some(2.5),
        };
        let text = serde_json::to_string(&kind).unwrap();
        assert_eq!(serde_json::from_str::<FieldKind>(&text).unwrap(), kind);
    }
}
