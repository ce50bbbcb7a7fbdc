//! Plans: what every step would do, made without side effects. Their digest is what gets approved.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::canonical::{self, Digest};

/// What every step of a request would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, in the order of their running.
    pub steps: Vec<PlannedStep>,
}

/// One step as planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Unique in the plan; a template's steps carry their parent's: `scaffold/fetch`.
    pub id: String,
    /// What people read: `Create repository`.
    pub title: String,
    /// The action: `publish:local`.
    pub action: String,
    /// Runs only where this holds; `None`: always. Never a condition that is known already.
    pub condition: Option<PlannedValue>,
    /// Its input, with what is known now and what earlier steps will tell.
    pub input: PlannedValue,
    /// What would become different in the world.
    pub facts: Vec<Fact>,
    /// Names that it takes for this request, from plan to end.
    pub claims: Vec<Claim>,
    /// Blobs that `run` and `undo` need; `app` loads them for the step (`tree:sha256` in its input).
    pub blobs: Vec<Digest>,
}

/// A value of which parts become known only while the run goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PlannedValue {
    /// Known at plan time.
    Known {
        /// The value.
        value: Value,
    },
    /// A template text over outputs of earlier steps: `${{ steps.publish.output.remoteUrl }}`. All else in it is
    /// filled in already. A sole `${{ x }}` keeps its type.
    After {
        /// The text, with step ids as in this plan.
        template: String,
        /// The ids of the steps it reads, each earlier in the plan.
        steps: Vec<String>,
    },
    /// A list with parts that are not known.
    List {
        /// Its items.
        items: Vec<PlannedValue>,
    },
    /// A map with parts that are not known.
    Map {
        /// Its members, in the order written.
        members: Vec<(String, PlannedValue)>,
    },
}

words! {
    /// How a fact changes the world. Closed, so that cards can word facts of actions they have never heard of.
    pub enum FactKind {
        /// Something new will exist.
        Creates = "creates",
        /// Something that exists will differ.
        Changes = "changes",
        /// Something will be gone.
        Deletes = "deletes",
        /// Somebody gets a right.
        Grants = "grants",
        /// It costs money.
        Costs = "costs",
    }
}

/// One thing that would become different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// How.
    pub kind: FactKind,
    /// What sort of thing: `private repository`, `file`, `catalog entry`.
    pub noun: String,
    /// Which: `acme/payments-api`, `src/server.mjs`.
    pub name: String,
    /// More about it, for See plan: `23 files`, `644`.
    pub detail: Option<String>,
    /// Whether cards name it one by one (`false`: files and the like are only counted there).
    pub headline: bool,
}

/// A name taken for a request: held from plan to end, unique over all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// What sort of name: `repository`, `stack`.
    pub kind: String,
    /// The name, in lower case where the world doesn't tell cases apart.
    pub name: String,
}

impl Plan {
    /// The digest that is shown, approved and compared.
    pub fn digest(&self) -> Digest {
        canonical::digest(
            "plan",
            &Value::Array(self.steps.iter().map(PlannedStep::canonical).collect()),
        )
    }

    /// Reads a plan back from its kept bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let json = bytes.strip_prefix(b"idp.plan.v1\0").unwrap_or(bytes);
        let steps = serde_json::from_slice(json)?;
        Ok(Self { steps })
    }

    /// The bytes that the digest is over: kept as they are.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::bytes(
            "plan",
            &Value::Array(self.steps.iter().map(PlannedStep::canonical).collect()),
        )
    }
}

impl PlannedStep {
    /// The digest of this step alone.
    pub fn digest(&self) -> Digest {
        canonical::digest("step", &self.canonical())
    }

    fn canonical(&self) -> Value {
        // A struct of strings, lists and JSON values always serialises.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl PlannedValue {
    /// A value known now.
    pub const fn known(value: Value) -> Self {
        Self::Known { value }
    }

    /// The whole value, if nothing in it waits for a step.
    pub fn as_known(&self) -> Option<Value> {
        match self {
            Self::Known { value } => Some(value.clone()),
            Self::After { .. } => None,
            Self::List { items } => items
                .iter()
                .map(Self::as_known)
                .collect::<Option<Vec<_>>>()
                .map(Value::Array),
            Self::Map { members } => members
                .iter()
                .map(|(name, value)| value.as_known().map(|v| (name.clone(), v)))
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object),
        }
    }

    /// A member of a map, known or not.
    pub fn get(&self, name: &str) -> Option<Self> {
        match self {
            Self::Known { value } => value.get(name).map(|value| Self::Known {
                value: value.clone(),
            }),
            Self::Map { members } => members
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone()),
            Self::After { .. } | Self::List { .. } => None,
        }
    }

    /// Fills in what is not known with the given function (template text to value).
    pub fn fill<E>(&self, render: &mut impl FnMut(&str) -> Result<Value, E>) -> Result<Value, E> {
        Ok(match self {
            Self::Known { value } => value.clone(),
            Self::After { template, .. } => render(template)?,
            Self::List { items } => Value::Array(
                items
                    .iter()
                    .map(|i| i.fill(render))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map { members } => {
                let mut map = Map::new();
                for (name, value) in members {
                    map.insert(name.clone(), value.fill(render)?);
                }
                Value::Object(map)
            }
        })
    }
}
