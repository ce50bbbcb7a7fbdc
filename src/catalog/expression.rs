//! `${{ }}`: Backstage's expressions in inputs, conditions and texts.

use serde_json::{Map, Value};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ExpressionError {
    /// What is wrong: a sentence without its full stop, naming the expression.
    pub what: String,
    /// The line inside the text, from 1.
    pub line: usize,
}

/// Fills a text that waited for steps (`PlannedValue::After`): `outputs` holds each finished step's output by its id.
/// A sole `${{ x }}` keeps its type.
pub fn after(text: &str, outputs: &Map<String, Value>) -> Result<Value, ExpressionError> {
    let _ = (text, outputs);
    todo!()
}

/// Whether a condition's value lets a step run: everything but false, null, "", 0 and [] does.
pub fn holds(value: &Value) -> bool {
    let _ = value;
    todo!()
}
