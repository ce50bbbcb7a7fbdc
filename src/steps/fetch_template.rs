//! `fetch:template`: renders the skeleton of a template. All of it happens in the plan, so what is approved are the
//! very bytes; running only says that they are there.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::input::refused;
use crate::catalog::{Template, render};
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use crate::domain::tree::{Tree, TreeId};

pub(super) const NAME: &str = "fetch:template";

/// Renders files.
#[derive(Debug)]
pub struct FetchTemplate;

#[async_trait]
impl Action for FetchTemplate {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: NAME,
            title: "Render files",
            input: render::FetchTemplate::schema(),
            outputs: &[],
            undo: Undo::Nothing,
            limit: None,
        }
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        let what = "The files can't be rendered.";
        let Some(template) = context.template.cloned() else {
            return Err(refused(what, "No template was chosen."));
        };
        let Some(input) = input.as_known() else {
            return Err(refused(
                what,
                "A value in them waits for an earlier step; plans show every file.",
            ));
        };
        let before = context
            .workspace
            .map(|workspace| (*workspace.tree).clone())
            .unwrap_or_default();
        // Seconds of work for a large template, so off the threads that serve others; fuel bounds what never ends.
        let rendered =
            tokio::task::spawn_blocking(move || render_onto(before, &template, &input)).await;
        let tree = match rendered {
            Ok(tree) => tree.map_err(|why| refused(what, format!("{why}.")))?,
            Err(error) => {
                tracing::error!(%error, "Rendering broke off");
                return Err(PlanError::Again {
                    cause: "Rendering the files broke off".to_owned(),
                    after: None,
                });
            }
        };
        let bytes = tree.encode();
        let id = TreeId::new(crate::domain::canonical::Digest::of(&bytes));
        Ok(StepPlan {
            blobs: vec![bytes],
            pinned: vec![("tree".to_owned(), json!(id))],
            workspace: Some(id.digest()),
            ..StepPlan::default()
        })
    }

    async fn run(&self, _: &RunContext, _: &Value) -> Result<Outcome, StepError> {
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
        Ok(Outcome::Done(TakenBack::Nothing)) // nothing outside idp
    }
}

/// The files so far with the rendered ones added; the error is a sentence without its full stop.
pub(super) fn render_onto(
    before: Tree,
    template: &Template,
    input: &Value,
) -> Result<Tree, String> {
    let read = render::FetchTemplate::read(input).map_err(|error| error.to_string())?;
    let rendered = render::tree(template, &read).map_err(|error| error.to_string())?;
    before
        .merge(rendered, read.existing)
        .map_err(|error| error.to_string())
}
