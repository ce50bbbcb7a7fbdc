//! `debug:log`: a line in the log, and the names of the files made so far.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::input;
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use crate::domain::tree::TreeId;

const NAME: &str = "debug:log";

/// Writes to the log.
#[derive(Debug)]
pub struct DebugLog;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    #[serde(default)]
    message: String,
    #[serde(default)]
    list_workspace: bool,
    /// Pinned by the plan: the files made so far, where they are to be listed.
    tree: Option<TreeId>,
}

#[async_trait]
impl Action for DebugLog {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: NAME,
            title: "Write to the log",
            input: json!({ "type": "object", "additionalProperties": false, "properties": {
                "message": { "type": "string", "description": "What to write" },
                "listWorkspace": { "type": "boolean", "description": "Whether to name the files made so far" },
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

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        input::must_be_known(NAME, input, &["listWorkspace"])?;
        let read: Input = input::read_planned(NAME, input)?;
        let files = context.workspace.filter(|_| read.list_workspace);
        Ok(StepPlan {
            needs: files.iter().map(|files| files.id.digest()).collect(),
            pinned: files
                .iter()
                .map(|files| ("tree".to_owned(), json!(files.id)))
                .collect(),
            ..StepPlan::default()
        })
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let read: Input = input::read(NAME, input)?;
        let files: Vec<String> = match read.tree {
            Some(id) => context
                .blobs
                .tree(id)?
                .iter()
                .map(|(path, _)| path.to_string())
                .collect(),
            None => Vec::new(),
        };
        tracing::info!(step = %context.key, request = %context.request, ?files, "{}", read.message);
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
        Ok(Outcome::Done(TakenBack::Nothing)) // a line in the log is not taken back, and stands for nothing
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{done, filled, known, planning, running, workspace};
    use super::*;
    use crate::steps::Blobs;

    #[tokio::test]
    async fn the_files_so_far_are_needed_only_when_they_are_listed() {
        let (files, blobs) = workspace(&[("README.md", "# A")]);
        for (list, needs) in [(false, vec![]), (true, vec![files.id.digest()])] {
            let input = json!({ "message": "hello", "listWorkspace": list });
            let plan = DebugLog
                .plan(&planning(1, Some(&files)), &known(&input))
                .await
                .unwrap();
            assert_eq!(plan.needs, needs);
            let blobs = if list {
                blobs.clone()
            } else {
                Blobs::default()
            };
            done(
                DebugLog
                    .run(&running(1, blobs, 0), &filled(&input, &plan))
                    .await
                    .unwrap(),
            );
        }
    }
}
