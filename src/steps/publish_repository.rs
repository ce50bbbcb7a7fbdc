//! `publish:repository`: makes a repository on whichever forge the deployment has, with the inputs of `publish:github`.
//! Settings that the local forge has no place for are left out of its plans.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::action::{Action, PlanContext, RunContext};
use super::publish::{self, Publisher, Secrets};
use crate::clients::forge::Forge;
use crate::domain::action::ActionSpec;
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Outcome, PlanError, StepError, StepPlan};

const NAME: &str = "publish:repository";

/// Makes a repository on the deployment's own forge.
#[derive(Debug)]
pub struct PublishRepository(Publisher);

impl PublishRepository {
    /// On this forge.
    pub fn new(forge: Arc<dyn Forge>, secrets: Secrets) -> Self {
        Self(Publisher::new(NAME, forge, secrets))
    }
}

/// What definitions are checked against; it needs no forge.
pub(super) fn spec() -> ActionSpec {
    publish::full_spec(NAME)
}

#[async_trait]
impl Action for PublishRepository {
    fn spec(&self) -> ActionSpec {
        spec()
    }

    fn timeout(&self) -> Duration {
        publish::TIMEOUT
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        self.0.plan(context, input).await
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        self.0.run(context, input).await
    }

    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        _: Option<&Value>,
    ) -> Result<(), StepError> {
        self.0.undo(context, input).await
    }
}
