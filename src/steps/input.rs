//! Reading a step's input: JSON whose shape the action's schema names, into the action's own type.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::card::Text;
use crate::domain::plan::PlannedValue;
use crate::domain::refusal::Refusal;
use crate::domain::step::{PlanError, StepError};

/// The parts of an input that are known at plan time, as an object.
pub fn known_parts(input: &PlannedValue) -> Map<String, Value> {
    match input {
        PlannedValue::Known {
            value: Value::Object(map),
        } => map.clone(),
        PlannedValue::Map { members } => members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_known()?)))
            .collect(),
        PlannedValue::Known { .. } | PlannedValue::After { .. } | PlannedValue::List { .. } => {
            Map::new()
        }
    }
}

/// Whether a member is there but waits for an earlier step.
pub fn waits(input: &PlannedValue, name: &str) -> bool {
    input
        .get(name)
        .is_some_and(|value| value.as_known().is_none())
}

/// Refuses an input of which a member isn't known at plan time though the plan depends on it.
pub fn must_be_known(action: &str, input: &PlannedValue, names: &[&str]) -> Result<(), PlanError> {
    match names.iter().find(|name| waits(input, name)) {
        None => Ok(()),
        Some(name) => Err(refused(
            format!("`{action}` can't be planned."),
            format!(
                "Its input `{name}` waits for an earlier step, and what it does depends on it."
            ),
        )),
    }
}

/// Reads what is known at plan time.
pub fn read_planned<T: DeserializeOwned>(
    action: &str,
    input: &PlannedValue,
) -> Result<T, PlanError> {
    serde_json::from_value(Value::Object(known_parts(input))).map_err(|error| {
        refused(
            format!("`{action}` can't be planned."),
            format!("Its input is wrong: {error}."),
        )
    })
}

/// Reads the whole input.
pub fn read<T: DeserializeOwned>(action: &str, input: &Value) -> Result<T, StepError> {
    T::deserialize(input).map_err(|error| StepError::Stop {
        cause: format!("The input of `{action}` is wrong: {error}"),
    })
}

/// A refusal of what and why.
pub fn refused(what: impl Into<Text>, why: impl Into<Text>) -> PlanError {
    PlanError::Refused(Refusal::new(what).because(why))
}
