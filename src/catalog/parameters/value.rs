//! Checks one value against its parameter, in sentences that people read at the field.

use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Number, Value};

use super::read::plain;
use super::{Parameter, Widget};

impl Parameter {
    /// Whether the value is one that the schema allows; if not, a whole sentence.
    pub(in crate::catalog) fn check(&self, value: &Value) -> Result<(), String> {
        let Some(error) = self.validator.iter_errors(value).next() else {
            return Ok(());
        };
        Err(match error.kind() {
            Kind::Pattern { .. } => self
                .help
                .clone()
                .unwrap_or_else(|| "This is not of the right form.".to_owned()),
            Kind::MinLength { limit } => format!("At least {limit} characters."),
            Kind::MaxLength { limit } => format!("At most {limit} characters."),
            Kind::Minimum { limit } => format!("At least {limit}."),
            Kind::Maximum { limit } => format!("At most {limit}."),
            Kind::ExclusiveMinimum { limit } => format!("More than {limit}."),
            Kind::ExclusiveMaximum { limit } => format!("Less than {limit}."),
            Kind::MinItems { limit } => format!("Choose at least {limit}."),
            Kind::MaxItems { limit } => format!("Choose at most {limit}."),
            Kind::UniqueItems => "Choose each only once.".to_owned(),
            Kind::Enum { .. } => format!("Choose one of: {}.", self.choices()),
            Kind::Type { .. } => self.expected().to_owned(),
            other => format!("This breaks the rule `{}`.", other.keyword()),
        })
    }

    /// The value as the schema means it: forms bring numbers, switches and choices as text.
    pub(in crate::catalog) fn typed(&self, raw: &Value) -> Option<Value> {
        match (self.widget, raw) {
            (Widget::Switch, Value::Null) => Some(Value::Bool(false)),
            (_, Value::Null) => None,
            (Widget::Line | Widget::Template | Widget::Team, Value::String(text)) => {
                present(text.trim())
            }
            (Widget::Lines, Value::String(text)) => present(text.replace("\r\n", "\n").trim_end()),
            (Widget::Number { .. }, Value::String(text)) => number(text.trim()),
            (Widget::Switch, Value::String(text)) => match text.as_str() {
                "true" | "yes" => Some(Value::Bool(true)),
                "false" | "no" => Some(Value::Bool(false)),
                other => present(other),
            },
            (Widget::Choice, Value::String(text)) => self.option(text).or_else(|| present(text)),
            (Widget::Choices, Value::Array(items)) => Some(Value::Array(
                items
                    .iter()
                    .map(|item| self.option(&plain(item)).unwrap_or_else(|| item.clone()))
                    .collect(),
            )),
            (_, other) => Some(other.clone()),
        }
    }

    fn option(&self, text: &str) -> Option<Value> {
        self.options
            .iter()
            .find(|(value, _)| plain(value) == text)
            .map(|(value, _)| value.clone())
    }

    fn choices(&self) -> String {
        self.options
            .iter()
            .map(|(value, _)| plain(value))
            .collect::<Vec<_>>()
            .join(", ")
    }

    const fn expected(&self) -> &'static str {
        match self.widget {
            Widget::Number { integer: true } => "Type a whole number.",
            Widget::Number { integer: false } => "Type a number.",
            Widget::Switch => "Choose yes or no.",
            Widget::Choice | Widget::Template | Widget::Team => "Choose one of the list.",
            Widget::Choices => "Choose from the list.",
            Widget::Line | Widget::Lines => "Type text.",
        }
    }
}

/// An empty field is a field without a value.
fn present(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::String(text.to_owned()))
}

/// A number, or the text as it is, which the schema then refuses.
fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Number::from);
    let number = whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
    number.map(Value::Number).or_else(|| present(text))
}
