//! An action whose every call does what the test says, and the world that it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use idp::domain::action::{ActionSpec, Undo};
use idp::domain::plan::{Fact, FactKind, PlannedValue};
use idp::domain::step::{Done, Outcome, PlanError, Record, StepError, StepPlan, TakenBack};
use idp::steps::{Action, PlanContext, RunContext};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What a call does.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Nothing happened.
    Again(Option<TimeDelta>),
    /// It will never work.
    Stop,
    /// Something happened, but nobody knows.
    Unknown,
    /// Waits so long, counted from the step's first beginning.
    Wait(TimeDelta),
    /// Goes on until it is told to let go, and leaves its effect.
    UntilCancelled,
    /// Never ends, whatever it is told.
    Hang,
}

/// What was called and how it stands.
#[derive(Debug, Default)]
pub struct Script {
    acts: Mutex<BTreeMap<String, VecDeque<Act>>>,
    calls: Mutex<Vec<String>>,
    exists: Mutex<BTreeSet<String>>,
    inputs: Mutex<BTreeMap<String, Value>>,
    /// How long a call may take; none: what actions have by default.
    limit: Mutex<Option<Duration>>,
    /// Makes every plan differ from those before.
    version: Mutex<u32>,
    /// So many of the next plans never end.
    hanging_plans: Mutex<u32>,
    called: Notify,
}

impl Script {
    /// Says what the next calls of a step do (`one`, or `undo one`); after them it succeeds.
    pub fn say(&self, step: &str, acts: impl IntoIterator<Item = Act>) {
        let mut all = self.acts.lock().unwrap();
        all.entry(step.to_owned()).or_default().extend(acts);
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// What exists now because of the steps.
    pub fn exists(&self) -> Vec<String> {
        self.exists.lock().unwrap().iter().cloned().collect()
    }

    /// The input that a step was run with last.
    pub fn input(&self, step: &str) -> Value {
        self.inputs.lock().unwrap()[step].clone()
    }

    /// From now on no call may take longer.
    pub fn limit(&self, limit: Duration) {
        *self.limit.lock().unwrap() = Some(limit);
    }

    /// From now on plans differ from those made before.
    pub fn change_the_world(&self) {
        *self.version.lock().unwrap() += 1;
    }

    /// The next planning of a step never ends.
    pub fn hang_a_plan(&self) {
        *self.hanging_plans.lock().unwrap() += 1;
    }

    fn plan_hangs(&self) -> bool {
        let mut hanging = self.hanging_plans.lock().unwrap();
        let hangs = *hanging > 0;
        *hanging = hanging.saturating_sub(1);
        hangs
    }

    /// Waits until a step was called so often.
    pub async fn wait_for(&self, call: &str, times: usize) {
        let until = tokio::time::Instant::now() + super::PATIENCE;
        loop {
            let called = self.called.notified();
            if self.calls().iter().filter(|c| *c == call).count() >= times {
                return;
            }
            assert!(
                tokio::time::Instant::now() < until,
                "{call} was not called: {:?}",
                self.calls()
            );
            let _ = tokio::time::timeout(Duration::from_millis(100), called).await;
        }
    }

    fn begin(&self, call: &str) -> Option<Act> {
        self.calls.lock().unwrap().push(call.to_owned());
        self.called.notify_waiters();
        self.acts
            .lock()
            .unwrap()
            .get_mut(call)
            .and_then(VecDeque::pop_front)
    }
}

/// `test:step`, played from the script.
#[derive(Debug)]
pub struct Scripted(pub Arc<Script>);

#[async_trait]
impl Action for Scripted {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: "test:step",
            title: "Try",
            input: json!({ "type": "object" }),
            outputs: &["value"],
            undo: Undo::Can,
            limit: None,
        }
    }

    fn timeout(&self) -> Duration {
        self.0
            .limit
            .lock()
            .unwrap()
            .unwrap_or(Duration::from_mins(1))
    }

    async fn plan(&self, _: &PlanContext<'_>, _: &PlannedValue) -> Result<StepPlan, PlanError> {
        if self.0.plan_hangs() {
            std::future::pending::<()>().await;
        }
        let version = *self.0.version.lock().unwrap();
        let fact = Fact {
            kind: FactKind::Creates,
            noun: "thing".to_owned(),
            name: format!("thing-{version}"),
            detail: None,
            headline: true,
        };
        Ok(StepPlan {
            facts: vec![fact],
            ..StepPlan::default()
        })
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let step = context.key.step.clone();
        self.0
            .inputs
            .lock()
            .unwrap()
            .insert(step.clone(), input.clone());
        let act = self.0.begin(&step);
        if let Some(Act::Wait(time)) = act {
            let until = context.since + time;
            if context.now < until {
                let what = "the timer".to_owned();
                self.0.say(&step, [Act::Wait(time)]);
                return Ok(Outcome::Wait { until, what });
            }
        }
        let cause = format!("{step} said no");
        match act {
            Some(Act::Again(after)) => return Err(StepError::Again { cause, after }),
            Some(Act::Stop) => return Err(StepError::Stop { cause }),
            Some(Act::Unknown) => {
                self.0.exists.lock().unwrap().insert(step);
                let check = "Whether it is there".to_owned();
                let after = None;
                return Err(StepError::Unknown {
                    cause,
                    check,
                    after,
                });
            }
            Some(Act::UntilCancelled) => {
                self.0.exists.lock().unwrap().insert(step);
                context.cancelled.cancelled().await;
                context.check_cancelled()?;
                return Err(StepError::Stop { cause });
            }
            Some(Act::Hang) => std::future::pending::<()>().await,
            None | Some(Act::Wait(_)) => {}
        }
        self.0.exists.lock().unwrap().insert(step.clone());
        let record = Record::Service {
            name: format!("service-{step}"),
            owner: "payments".to_owned(),
            entity: format!("component:default/{step}"),
            repository: None,
            catalog_url: None,
        };
        Ok(Outcome::Done(Done {
            output: json!({ "value": format!("made by {step}") }),
            records: if input["service"] == true {
                vec![record]
            } else {
                Vec::new()
            },
            blobs: Vec::new(),
        }))
    }

    async fn undo(
        &self,
        context: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        let step = context.key.step.clone();
        let act = self.0.begin(&format!("undo {step}"));
        let cause = format!("{step} stays");
        match act {
            Some(Act::Again(after)) => Err(StepError::Again { cause, after }),
            Some(Act::Stop) => Err(StepError::Stop { cause }),
            _ => {
                let there = self.0.exists.lock().unwrap().remove(&step);
                Ok(Outcome::Done(if there {
                    TakenBack::Removed
                } else {
                    TakenBack::Nothing
                }))
            }
        }
    }
}
