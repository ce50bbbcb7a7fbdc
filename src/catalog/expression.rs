//! `${{ }}`: Backstage's expressions in inputs, conditions and texts.
//!
//! The engine is minijinja with Backstage's delimiters, JavaScript's way of printing and a bound on work. Whatever has
//! no value is an error, never silently empty. A text is rendered as far as the known parameters reach
//! (`partial`); what waits for the outputs of steps stays a text over these alone, and [`after`] fills it in.

pub(super) mod check;
mod engine;
mod filters;
pub(super) mod partial;
pub(super) mod scan;

pub(super) use engine::{Syntax, context, environment, fault};

use serde_json::{Map, Value, json};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ExpressionError {
    /// What is wrong: a sentence without its full stop, naming the expression.
    pub what: String,
    /// The line inside the text, from 1.
    pub line: usize,
}

/// Fills a text that waited for steps (`PlannedValue::After`): `outputs` holds each finished step's output by its id;
/// a step that was skipped has none. A sole `${{ x }}` keeps its type.
pub fn after(text: &str, outputs: &Map<String, Value>) -> Result<Value, ExpressionError> {
    let mut steps = Map::new();
    for id in scan::step_ids(text) {
        let output = outputs.get(&id).cloned().unwrap_or_else(|| json!({}));
        steps.insert(id, json!({ "output": output }));
    }
    let mut context = Map::new();
    context.insert("steps".to_owned(), Value::Object(steps));
    evaluate(text, &Value::Object(context))
}

/// The value of a text: that of its sole expression, else the rendered text.
pub(super) fn evaluate(text: &str, context: &Value) -> Result<Value, ExpressionError> {
    let engine = environment(Syntax::PLAIN);
    if let Some(sole) = scan::sole(text) {
        let value = engine
            .compile_expression(sole)
            .and_then(|expression| expression.eval(engine::context(context)))
            .map_err(|error| fault(&error, text))?;
        if value.is_undefined() {
            return Err(ExpressionError {
                what: format!("`{}` has no value", sole.trim()),
                line: 1,
            });
        }
        return engine::to_json(&value).map_err(|error| fault(&error, text));
    }
    if !scan::is_template(text) {
        return Ok(Value::String(text.to_owned()));
    }
    engine
        .render_str(text, engine::context(context))
        .map(Value::String)
        .map_err(|error| fault(&error, text))
}

/// Whether a condition's value lets a step run: everything but false, null, "", 0 and [] does (Backstage's rule).
pub fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}
