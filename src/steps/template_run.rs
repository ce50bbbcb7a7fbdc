//! `template:run`: the steps of the chosen template. `catalog` expands it into them, so nothing of it is left to run;
//! it stands here for its published face, which definitions are checked against.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::input::refused;
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Outcome, PlanError, StepError, StepPlan, TakenBack};

const NAME: &str = "template:run";

/// The steps of a template.
#[derive(Debug)]
pub struct TemplateRun;

#[async_trait]
impl Action for TemplateRun {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: NAME,
            title: "Run the template",
            input: json!({ "type": "object", "additionalProperties": false, "properties": {
                "template": { "type": "string", "description": "A template by name; default: the one chosen in the form" },
                "parameters": { "type": "object", "description": "Values for its parameters; default: those of the form" },
            } }),
            outputs: &[
                "remoteUrl",
                "repoContentsUrl",
                "commitHash",
                "catalogInfoUrl",
                "entityRef",
            ],
            undo: Undo::Nothing,
            limit: None,
        }
    }

    async fn plan(&self, _: &PlanContext<'_>, _: &PlannedValue) -> Result<StepPlan, PlanError> {
        Err(refused(
            "The template's steps can't be planned.",
            "No template was chosen.",
        ))
    }

    async fn run(&self, _: &RunContext, _: &Value) -> Result<Outcome, StepError> {
        Err(StepError::Stop {
            cause: format!("`{NAME}` is run as the steps of its template, never itself"),
        })
    }

    async fn undo(
        &self,
        _: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        Ok(Outcome::Done(TakenBack::Nothing))
    }
}
