//! Renders a text as far as the known values reach.
//!
//! A text that names no step of the plan is evaluated now. In one that does, every known name is replaced by its value
//! written as a literal, every step's id by its id in the plan, and expressions without steps by their text. What is
//! left names nothing but steps, so filling it in later gives what one rendering with everything known would give.

use serde_json::{Map, Value};

use super::scan::{self, Mention, PieceKind};
use super::{ExpressionError, evaluate};
use crate::catalog::problem::Mark;
use crate::catalog::yaml::{Data, Node};
use crate::domain::plan::PlannedValue;

/// What is known while planning.
pub(in crate::catalog) struct Scope<'a> {
    /// `parameters`, `environment`: everything that has its value now.
    pub(in crate::catalog) known: &'a Map<String, Value>,
    /// The plan's id of the step that has the output that is named; `None`: that step won't run.
    pub(in crate::catalog) step: &'a dyn Fn(&str, &[String]) -> Option<String>,
}

/// An expression without a value, and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct PlaceError {
    pub(in crate::catalog) at: Mark,
    pub(in crate::catalog) what: String,
}

/// A value of a definition, rendered as far as it goes.
pub(in crate::catalog) fn plan(node: &Node, scope: &Scope<'_>) -> Result<PlannedValue, PlaceError> {
    match &node.data {
        Data::Text(text) => plan_text(text, scope).map_err(|error| PlaceError {
            at: node.at,
            what: error.what,
        }),
        Data::List(items) => {
            let items = items
                .iter()
                .map(|item| plan(item, scope))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(gather(PlannedValue::List { items }))
        }
        Data::Map(members) => {
            let members = members
                .iter()
                .map(|(key, value)| Ok((key.text.clone(), plan(value, scope)?)))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(gather(PlannedValue::Map { members }))
        }
        Data::Null | Data::Bool(_) | Data::Number(_) => Ok(PlannedValue::known(node.json())),
    }
}

/// A list or map of which everything is known is known.
fn gather(value: PlannedValue) -> PlannedValue {
    value.as_known().map_or(value, PlannedValue::known)
}

/// A text, rendered as far as it goes.
pub(in crate::catalog) fn plan_text(
    text: &str,
    scope: &Scope<'_>,
) -> Result<PlannedValue, ExpressionError> {
    if !scan::is_template(text) {
        return Ok(PlannedValue::known(Value::String(text.to_owned())));
    }
    let mut steps = scan::mentions(text);
    steps.retain(|mention| mention.root == "steps");
    let mut waits: Vec<String> = Vec::new();
    for id in steps.iter().filter_map(|mention| live_step(mention, scope)) {
        if !waits.contains(&id) {
            waits.push(id);
        }
    }
    if waits.is_empty() {
        let context = Value::Object(scope.known.clone());
        return evaluate(&rewrite(text, 0..text.len(), &steps, scope), &context)
            .map(PlannedValue::known);
    }
    Ok(PlannedValue::After {
        template: shorten(text, scope)?,
        steps: waits,
    })
}

fn live_step(mention: &Mention, scope: &Scope<'_>) -> Option<String> {
    if mention.root != "steps" || mention.bound {
        return None;
    }
    let (id, rest) = mention.path.split_first()?;
    (scope.step)(id, rest)
}

/// The text with everything filled in that is known.
fn shorten(text: &str, scope: &Scope<'_>) -> Result<String, ExpressionError> {
    let pieces = scan::pieces(text);
    // Blocks span pieces, and signs of white space reach into their neighbours: then only names are replaced.
    let whole = ["{%", "{#", "${{-", "${{+", "-}}", "+}}"]
        .iter()
        .any(|sign| text.contains(sign));
    let mut out = String::new();
    for piece in &pieces {
        let source = &text[piece.range.clone()];
        let mentions = scan::piece_mentions(text, piece);
        let waits = mentions
            .iter()
            .any(|mention| live_step(mention, scope).is_some());
        match piece.kind {
            PieceKind::Text if whole => out.push_str(source),
            PieceKind::Text => push_literal(&mut out, source),
            PieceKind::Expression if !waits && !whole && scan::sole(text).is_none() => {
                let rewritten = rewrite(text, piece.range.clone(), &mentions, scope);
                let engine = super::environment(super::Syntax::PLAIN);
                let rendered = engine
                    .render_str(
                        &rewritten,
                        super::engine::context(&Value::Object(scope.known.clone())),
                    )
                    .map_err(|error| super::fault(&error, &rewritten))?;
                push_literal(&mut out, &rendered);
            }
            PieceKind::Expression | PieceKind::Block => {
                out.push_str(&rewrite(text, piece.range.clone(), &mentions, scope));
            }
        }
    }
    Ok(out)
}

/// Text that must come out as it is: what could begin code, or join its neighbour to begin it, is written as an
/// expression.
fn push_literal(out: &mut String, text: &str) {
    if text.contains(['{', '$', '}', '%', '#']) {
        out.push_str("${{ ");
        out.push_str(&Value::String(text.to_owned()).to_string());
        out.push_str(" }}");
    } else {
        out.push_str(text);
    }
}

/// A range of the text with its names replaced.
fn rewrite(
    text: &str,
    range: std::ops::Range<usize>,
    mentions: &[Mention],
    scope: &Scope<'_>,
) -> String {
    let mut out = String::new();
    let mut at = range.start;
    for mention in mentions {
        let Some((end, written)) = replacement(mention, scope) else {
            continue;
        };
        out.push_str(&text[at..mention.start]);
        out.push_str(&written);
        at = end;
    }
    out.push_str(&text[at..range.end]);
    out
}

/// What stands for a mention, and where the replaced part ends.
fn replacement(mention: &Mention, scope: &Scope<'_>) -> Option<(usize, String)> {
    if mention.bound {
        return None;
    }
    if mention.root == "steps" {
        let end = *mention.ends.get(1)?;
        let last = *mention.ends.last()?;
        return Some(match live_step(mention, scope) {
            Some(id) => (end, format!("steps[{}]", Value::String(id))),
            // A step that won't run has no outputs: undefined, so that `default` works.
            None => (last, "({}).output".to_owned()),
        });
    }
    let mut value = scope.known.get(&mention.root)?;
    let mut end = *mention.ends.first()?;
    for (name, next) in mention.path.iter().zip(&mention.ends[1..]) {
        let inner = match value {
            Value::Object(map) => map.get(name),
            Value::Array(items) => name.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(inner) = inner else { break };
        (value, end) = (inner, *next);
    }
    Some((end, literal(value)))
}

/// A value as the engine's own literal.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => format!("({number})"),
        Value::String(text) => Value::String(text.clone()).to_string(),
        Value::Array(items) => format!(
            "([{}])",
            items.iter().map(literal).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(map) => {
            let members = map.iter().map(|(name, value)| {
                format!("{}: {}", Value::String(name.clone()), literal(value))
            });
            format!("({{{}}})", members.collect::<Vec<_>>().join(", "))
        }
    }
}
