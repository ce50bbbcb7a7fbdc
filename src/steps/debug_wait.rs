//! `debug:wait`: lets time pass, without holding a worker.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::input;
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};

const NAME: &str = "debug:wait";

/// Longest wait: as long as an approval is good for a retry.
const MAX_SECONDS: f64 = 24.0 * 60.0 * 60.0;

/// Waits.
#[derive(Debug)]
pub struct DebugWait;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    minutes: f64,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    milliseconds: f64,
}

impl Input {
    /// The whole time, if it is one that can be waited.
    fn time(&self) -> Result<TimeDelta, String> {
        let seconds = self.minutes * 60.0 + self.seconds + self.milliseconds / 1000.0;
        if !(0.0..=MAX_SECONDS).contains(&seconds) {
            return Err("It can wait between 0 seconds and 24 hours".to_owned());
        }
        let time = std::time::Duration::from_secs_f64(seconds);
        TimeDelta::from_std(time).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Action for DebugWait {
    fn spec(&self) -> ActionSpec {
        let number = |unit: &str| json!({ "type": "number", "minimum": 0, "description": unit });
        ActionSpec {
            name: NAME,
            title: "Wait",
            input: json!({ "type": "object", "additionalProperties": false, "properties": {
                "minutes": number("Minutes"), "seconds": number("Seconds"), "milliseconds": number("Milliseconds"),
            } }),
            outputs: &[],
            undo: Undo::Nothing,
            limit: None,
        }
    }

    /// It reaches nothing outside: longer is a fault of ours.
    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn plan(&self, _: &PlanContext<'_>, input: &PlannedValue) -> Result<StepPlan, PlanError> {
        let read: Input = input::read_planned(NAME, input)?;
        read.time().map_err(|why| {
            input::refused(format!("`{NAME}` can't be planned."), format!("{why}."))
        })?;
        Ok(StepPlan::default())
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let read: Input = input::read(NAME, input)?;
        let until = context.since + read.time().map_err(|cause| StepError::Stop { cause })?;
        if context.now < until {
            return Ok(Outcome::Wait {
                until,
                what: "the time to pass".to_owned(),
            });
        }
        Ok(Outcome::Done(Done {
            output: json!({}),
            ..Done::default()
        }))
    }

    async fn undo(
        &self,
        _: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        Ok(Outcome::Done(TakenBack::Nothing)) // time doesn't come back
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked_at, known, planning, running};
    use super::*;
    use crate::steps::Blobs;

    #[tokio::test]
    async fn it_waits_without_a_worker_until_its_time_has_come() {
        let input = json!({ "minutes": 1, "seconds": 30.5 });
        assert_eq!(
            DebugWait.plan(&planning(1, None), &known(&input)).await,
            Ok(StepPlan::default())
        );
        let early = DebugWait
            .run(&running(1, Blobs::default(), 90), &input)
            .await
            .unwrap();
        let until = asked_at() + TimeDelta::milliseconds(90_500);
        assert_eq!(
            early,
            Outcome::Wait {
                until,
                what: "the time to pass".to_owned()
            }
        );
        let late = DebugWait
            .run(&running(1, Blobs::default(), 91), &input)
            .await
            .unwrap();
        assert!(matches!(late, Outcome::Done(_)));
    }

    #[tokio::test]
    async fn times_that_cannot_be_waited_are_refused_at_plan() {
        for input in [
            json!({ "seconds": -1 }),
            json!({ "minutes": 1e300 }),
            json!({ "minutes": 1441 }),
            json!({ "hours": 1 }),
        ] {
            let said = DebugWait.plan(&planning(1, None), &known(&input)).await;
            assert!(
                matches!(said, Err(PlanError::Refused(_))),
                "{input}: {said:?}"
            );
        }
    }
}
