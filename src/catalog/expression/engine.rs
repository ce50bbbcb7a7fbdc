//! The engine's settings, one environment for each way of treating white space.

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use super::{ExpressionError, filters};

/// Most instructions for one text. A loop over a thousand files with ten lines each needs a tenth of it; a template
/// that never ends uses it up in milliseconds.
const FUEL: u64 = 200_000;

/// Deepest nesting of macros and includes.
const RECURSION: usize = 100;

/// How white space around blocks is treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::catalog) struct Syntax {
    /// The first line break behind a block goes.
    pub(in crate::catalog) trim_blocks: bool,
    /// White space before a block goes.
    pub(in crate::catalog) lstrip_blocks: bool,
}

impl Syntax {
    /// Everything stays as it is.
    pub(in crate::catalog) const PLAIN: Self = Self {
        trim_blocks: false,
        lstrip_blocks: false,
    };
}

/// The engine for this treatment of white space; made once.
pub(in crate::catalog) fn environment(syntax: Syntax) -> &'static Environment<'static> {
    static MADE: [OnceLock<Environment<'static>>; 4] = [const { OnceLock::new() }; 4];
    let at = usize::from(syntax.trim_blocks) + 2 * usize::from(syntax.lstrip_blocks);
    MADE[at].get_or_init(|| make(syntax))
}

fn make(syntax: Syntax) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // Fixed delimiters can't clash; a test holds that these are the ones in force.
    let delimiters = SyntaxConfig::builder()
        .variable_delimiters("${{", "}}")
        .keep_trailing_newline(true)
        .trim_blocks(syntax.trim_blocks)
        .lstrip_blocks(syntax.lstrip_blocks)
        .build()
        .unwrap_or_default();
    env.set_syntax(delimiters);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(RECURSION);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(|out, _state, value| {
        out.write_str(&filters::plain(value)?).map_err(Error::from)
    });
    filters::register(&mut env);
    env
}

/// A JSON value as the engine's context.
///
/// Not by way of serde: with `serde_json`'s `arbitrary_precision`, which a dependency turns on, a number would come out
/// as a map.
pub(in crate::catalog) fn context(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(yes) => minijinja::Value::from(*yes),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => minijinja::Value::from(whole),
            (None, Some(whole), _) => minijinja::Value::from(whole),
            (None, None, Some(double)) => minijinja::Value::from(double),
            (None, None, None) => minijinja::Value::from(number.to_string()),
        },
        Value::String(text) => minijinja::Value::from(text.as_str()),
        Value::Array(items) => items.iter().map(context).collect(),
        Value::Object(members) => minijinja::Value::from_pairs(
            members
                .iter()
                .map(|(name, value)| (name.as_str(), context(value))),
        ),
    }
}

/// An engine's value as JSON.
pub(super) fn to_json(value: &minijinja::Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Number
        && let Ok(whole) = i64::try_from(value.clone())
    {
        return Ok(whole.into());
    }
    serde_json::to_value(value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// The engine's error as a sentence that shows the expression.
pub(in crate::catalog) fn fault(error: &Error, source: &str) -> ExpressionError {
    let shown = error
        .range()
        .and_then(|range| source.get(range))
        .map(str::trim)
        .filter(|shown| !shown.is_empty());
    let what = match (error.kind(), shown) {
        (ErrorKind::UndefinedError, Some(shown)) => format!("`{shown}` has no value"),
        (ErrorKind::OutOfFuel, _) => "the template does not come to an end".to_owned(),
        (kind, shown) => {
            let what = error
                .detail()
                .map_or_else(|| kind.to_string(), str::to_owned);
            match shown {
                Some(shown) if !what.contains(shown) => format!("{what} in `{shown}`"),
                _ => what,
            }
        }
    };
    ExpressionError {
        what,
        line: error.line().unwrap_or(1),
    }
}
