//! The engine's settings, one environment for each way of treating white space.

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value as Jinja};
use serde_json::{Number, Value};

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

/// A JSON value as the engine's own. By hand and not by serde: where any crate of the build turns on `serde_json`'s
/// `arbitrary_precision`, its numbers reach other serializers as maps.
pub(in crate::catalog) fn context(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(yes) => Jinja::from(*yes),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Jinja::from(whole),
            (_, Some(whole)) => Jinja::from(whole),
            _ => Jinja::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Jinja::from(text.as_str()),
        Value::Array(items) => items.iter().map(context).collect(),
        Value::Object(map) => Jinja::from_pairs(
            map.iter()
                .map(|(name, value)| (name.as_str(), context(value))),
        ),
    }
}

/// Most values inside one value that an expression gives: what a form or a step's output may reasonably hold.
const MAX_VALUES: usize = 100_000;

/// An engine's value as JSON.
pub(super) fn to_json(value: &Jinja) -> Result<Value, Error> {
    let mut left = MAX_VALUES;
    json_of(value, &mut left)
}

fn json_of(value: &Jinja, left: &mut usize) -> Result<Value, Error> {
    let bad = |what: &'static str| Error::new(ErrorKind::BadSerialization, what);
    *left = left
        .checked_sub(1)
        .ok_or_else(|| bad("the value is too large"))?;
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number_of(value)
            .map(Value::Number)
            .ok_or_else(|| bad("the number is not finite"))?,
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| json_of(&item, left));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let members = value.try_iter()?.map(|key| {
                let member = json_of(&value.get_item(&key)?, left)?;
                Ok((filters::plain(&key)?, member))
            });
            Value::Object(members.collect::<Result<_, Error>>()?)
        }
        _ => match value.as_str() {
            Some(text) => Value::from(text),
            None => return Err(bad("the value can't be written as JSON")),
        },
    })
}

fn number_of(value: &Jinja) -> Option<Number> {
    if !value.is_integer() {
        return Number::from_f64(f64::try_from(value.clone()).ok()?);
    }
    let signed = i64::try_from(value.clone()).map(Number::from);
    signed
        .or_else(|_| u64::try_from(value.clone()).map(Number::from))
        .ok()
}

/// The engine's error as a sentence that shows the expression.
pub(in crate::catalog) fn fault(error: &Error, source: &str) -> ExpressionError {
    let shown = error
        .range()
        .and_then(|range| source.get(range))
        .map(str::trim)
        .filter(|shown| !shown.is_empty() && !shown.starts_with('|'));
    let what = match (error.kind(), shown) {
        (ErrorKind::UndefinedError, Some(shown)) => format!("`{shown}` has no value"),
        (ErrorKind::OutOfFuel, _) => "the template does not come to an end".to_owned(),
        (kind, shown) => {
            let what = error
                .detail()
                .map_or_else(|| kind.to_string(), str::to_owned);
            match shown {
                // The place of an error inside a filter is not to be relied on; that of a plain name is.
                Some(shown) if is_path(shown) && !what.contains(shown) => {
                    format!("{what} in `{shown}`")
                }
                _ => what,
            }
        }
    };
    ExpressionError {
        what,
        line: error.line().unwrap_or(1),
    }
}

fn is_path(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "._[]'\"-".contains(c))
}
