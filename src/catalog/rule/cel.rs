//! The bridge to CEL: what conditions may name, their check while reading, their evaluation on a plan.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use ::cel::objects::{Key, Map as CelMap};
use ::cel::{Context, Env, Value as Cel};
use serde_json::{Map, Value};

use super::Actor;
use crate::catalog::expression::scan;
use crate::domain::plan::{Fact, FactKind, Plan};

/// What conditions may read of a plan.
const PLAN: [&str; 8] = [
    "files",
    "grants",
    "creates",
    "changes",
    "deletes",
    "costs",
    "resources",
    "cost",
];

/// What conditions may read of the one who asks.
const ACTOR: [&str; 2] = ["groups", "teams"];

/// Something wrong in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Fault {
    /// The line inside the text, from 1.
    pub(in crate::catalog) line: usize,
    /// What is wrong: a sentence without its full stop.
    pub(in crate::catalog) what: String,
    /// The word that is wrong.
    pub(in crate::catalog) word: String,
    /// The right words.
    pub(in crate::catalog) right: Vec<String>,
}

fn env() -> Arc<Env> {
    static ENV: OnceLock<Arc<Env>> = OnceLock::new();
    Arc::clone(ENV.get_or_init(|| Arc::new(Env::stdlib())))
}

/// Everything that is wrong with a condition; `parameters` are the command's own.
pub(in crate::catalog) fn faults(source: &str, parameters: &BTreeSet<&str>) -> Vec<Fault> {
    let program = match env().compile(source) {
        Ok(program) => program,
        Err(error) => {
            let what = format!("`when` is not CEL: {}", one_line(&error.to_string()));
            return vec![Fault {
                line: 1,
                what,
                word: String::new(),
                right: Vec::new(),
            }];
        }
    };
    let roots = ["parameters", "plan", "actor"];
    let mut found: Vec<Fault> = Vec::new();
    let references = program.references();
    let mut variables: Vec<&str> = references.variables();
    variables.sort_unstable();
    // The scanner reads code between delimiters; they stand on the first line, so lines stay right.
    let wrapped = format!("${{{{{source}}}}}");
    let bound = bound_by_macros(&wrapped);
    let unknown = |name: &&str| !roots.contains(name) && !bound.contains(name);
    for name in variables.into_iter().filter(unknown) {
        let right = roots.map(str::to_owned).to_vec();
        found.push(Fault {
            line: 1,
            what: format!("conditions know nothing called `{name}`"),
            word: name.to_owned(),
            right,
        });
    }
    for mention in scan::mentions(&wrapped) {
        let Some(name) = mention.path.first() else {
            continue;
        };
        let right: Vec<&str> = match mention.root.as_str() {
            "parameters" => parameters.iter().copied().collect(),
            "plan" => PLAN.to_vec(),
            "actor" => ACTOR.to_vec(),
            _ => continue,
        };
        if !right.contains(&name.as_str()) {
            let what = match mention.root.as_str() {
                "parameters" => format!("there is no parameter `{name}`"),
                root => format!("`{root}` has no `{name}`"),
            };
            let right = right.into_iter().map(str::to_owned).collect();
            found.push(Fault {
                line: scan::line_of(&wrapped, mention.start),
                what,
                word: name.clone(),
                right,
            });
        }
    }
    found
}

/// The names that macros give a value: `g` in `plan.grants.exists(g, g.write)`.
fn bound_by_macros(wrapped: &str) -> Vec<&str> {
    const MACROS: [&str; 5] = ["all", "exists", "exists_one", "map", "filter"];
    let pieces = scan::pieces(wrapped);
    let tokens = pieces.iter().flat_map(|piece| &piece.tokens);
    let words: Vec<&str> = tokens.map(|token| &wrapped[token.range.clone()]).collect();
    words
        .windows(4)
        .filter(|four| MACROS.contains(&four[0]) && four[1] == "(" && four[3] == ",")
        .map(|four| four[2])
        .collect()
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Whether a condition holds. Whatever is not plainly true or false is an error.
pub(super) fn holds(
    source: &str,
    parameters: &Map<String, Value>,
    plan: &Plan,
    actor: &Actor,
) -> Result<bool, String> {
    let env = env();
    let program = env
        .compile(source)
        .map_err(|error| one_line(&error.to_string()))?;
    let mut context = Context::with_env(Arc::clone(&env));
    context.add_variable_from_value("parameters", object(parameters));
    context.add_variable_from_value("plan", plan_facts(plan)?);
    context.add_variable_from_value("actor", actor_facts(actor));
    match program.execute(&context) {
        Ok(Cel::Bool(holds)) => Ok(holds),
        Ok(other) => Err(format!("`when` gave {other:?} instead of true or false")),
        Err(error) => Err(one_line(&error.to_string())),
    }
}

fn actor_facts(actor: &Actor) -> Cel {
    map([
        ("groups", texts(&actor.groups)),
        ("teams", texts(&actor.teams)),
    ])
}

fn plan_facts(plan: &Plan) -> Result<Cel, String> {
    let facts: Vec<&Fact> = plan.steps.iter().flat_map(|step| &step.facts).collect();
    let is_file = |fact: &Fact| fact.noun == "file";
    let some = |wanted: &dyn Fn(&Fact) -> bool| {
        Cel::List(Arc::new(
            facts
                .iter()
                .filter(|fact| wanted(fact))
                .map(|fact| fact_value(fact))
                .collect(),
        ))
    };
    let of = |kind: FactKind| some(&move |fact| fact.kind == kind);
    let is_thing = |fact: &Fact| {
        matches!(
            fact.kind,
            FactKind::Creates | FactKind::Changes | FactKind::Deletes
        )
    };
    Ok(map([
        ("files", some(&is_file)),
        ("grants", of(FactKind::Grants)),
        ("creates", of(FactKind::Creates)),
        ("changes", of(FactKind::Changes)),
        ("deletes", of(FactKind::Deletes)),
        ("costs", of(FactKind::Costs)),
        ("resources", some(&|fact| is_thing(fact) && !is_file(fact))),
        ("cost", Cel::Float(cost(&facts)?)),
    ]))
}

fn fact_value(fact: &Fact) -> Cel {
    map([
        ("kind", text(fact.kind.as_str())),
        ("noun", text(&fact.noun)),
        ("name", text(&fact.name)),
        ("detail", fact.detail.as_deref().map_or(Cel::Null, text)),
        ("write", Cel::Bool(writes(fact))),
    ])
}

/// Whether a fact lets somebody change something. A grant does unless it says that it is for reading.
fn writes(fact: &Fact) -> bool {
    match fact.kind {
        FactKind::Grants => !fact
            .detail
            .as_deref()
            .is_some_and(|detail| detail.starts_with("read")),
        FactKind::Creates | FactKind::Changes | FactKind::Deletes => true,
        FactKind::Costs => false,
    }
}

/// The sum of all costs; each stands at the beginning of its detail (`12.50 EUR a month`).
fn cost(facts: &[&Fact]) -> Result<f64, String> {
    facts
        .iter()
        .filter(|fact| fact.kind == FactKind::Costs)
        .map(|fact| {
            let number = fact
                .detail
                .as_deref()
                .and_then(|detail| detail.split_whitespace().next());
            number
                .and_then(|number| number.parse::<f64>().ok())
                .filter(|number| number.is_finite())
                .ok_or_else(|| format!("the cost of {} is not known as a number", fact.name))
        })
        .sum()
}

fn text(text: &str) -> Cel {
    Cel::String(Arc::new(text.to_owned()))
}

fn texts(items: &[String]) -> Cel {
    Cel::List(Arc::new(items.iter().map(|item| text(item)).collect()))
}

fn map<const N: usize>(members: [(&str, Cel); N]) -> Cel {
    let members = members
        .into_iter()
        .map(|(name, value)| (Key::String(Arc::new(name.to_owned())), value));
    Cel::Map(CelMap {
        map: Arc::new(members.collect::<HashMap<_, _>>()),
    })
}

fn object(members: &Map<String, Value>) -> Cel {
    let members = members
        .iter()
        .map(|(name, value)| (Key::String(Arc::new(name.clone())), json(value)));
    Cel::Map(CelMap {
        map: Arc::new(members.collect::<HashMap<_, _>>()),
    })
}

/// Whole numbers become CEL's `int`, never its `uint`: conditions compare with plain literals.
fn json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(yes) => Cel::Bool(*yes),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cel::Int(whole),
            None => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(string) => text(string),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(json).collect())),
        Value::Object(members) => object(members),
    }
}
