//! Planning all steps of a request, one after the other: each may see the files that those before it would make.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::action::{Blobs, PlanContext, Workspace};
use super::input::refused;
use super::registry::Registry;
use crate::catalog::Template;
use crate::catalog::flow::StepDraft;
use crate::domain::canonical::Digest;
use crate::domain::id::{RequestId, RequestNumber};
use crate::domain::person::GitHubAccount;
use crate::domain::plan::{Plan, PlannedStep, PlannedValue};
use crate::domain::step::{PlanError, StepPlan};
use crate::domain::tree::{Tree, TreeId};

/// How long the planning of one step may take, where its action isn't held to less anyway. It only looks: whatever gives
/// no answer for so long would hold a worker, and its request, for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The request.
    pub request: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The name of the one who asked.
    pub requester: &'a str,
    /// Their account on GitHub, if it was linked when they asked.
    pub github: Option<&'a GitHubAccount>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// The template that was chosen.
    pub template: Option<&'a Arc<Template>>,
    /// The steps, in the order of their running.
    pub drafts: &'a [StepDraft],
}

/// What planning brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Bytes that the plan's steps need, each once.
    pub blobs: Vec<Vec<u8>>,
}

impl Registry {
    /// Plans every step. The same order always gives the same plan, unless the world changed.
    pub async fn plan(&self, order: &Order<'_>) -> Result<Planned, PlanError> {
        let mut planned = Planned {
            plan: Plan {
                steps: Vec::with_capacity(order.drafts.len()),
            },
            blobs: Vec::new(),
        };
        let mut kept = BTreeSet::new();
        let mut workspace: Option<Workspace> = None;
        for draft in order.drafts {
            let mut step = self.plan_step(order, draft, workspace.as_ref()).await?;
            let blobs = std::mem::take(&mut step.blobs);
            if let Some(digest) = step.workspace {
                if draft.condition.is_some() {
                    return Err(refused(
                        format!("Step `{}` can't be planned.", draft.id),
                        "It makes files, and whether it runs waits for an earlier step; plans show every file.",
                    ));
                }
                workspace = Some(made(draft, digest, &blobs)?);
            }
            planned.blobs.extend(
                blobs
                    .into_iter()
                    .filter(|bytes| kept.insert(Digest::of(bytes))),
            );
            planned.plan.steps.push(assemble(draft, step));
        }
        let needed: BTreeSet<Digest> = planned
            .plan
            .steps
            .iter()
            .flat_map(|step| step.blobs.iter().copied())
            .collect();
        planned
            .blobs
            .retain(|bytes| needed.contains(&Digest::of(bytes)));
        Ok(planned)
    }

    async fn plan_step(
        &self,
        order: &Order<'_>,
        draft: &StepDraft,
        workspace: Option<&Workspace>,
    ) -> Result<StepPlan, PlanError> {
        let Some(action) = self.get(&draft.action) else {
            return Err(refused(
                format!("Step `{}` can't be planned.", draft.id),
                format!("There is no action `{}`.", draft.action),
            ));
        };
        let context = PlanContext {
            request: order.request,
            number: order.number,
            requester: order.requester,
            github: order.github,
            asked_at: order.asked_at,
            template: order.template,
            workspace,
        };
        let limit = action.timeout().min(PATIENCE);
        tokio::time::timeout(limit, action.plan(&context, &draft.input))
            .await
            .unwrap_or_else(|_| Err(unanswered(draft, limit)))
    }
}

fn unanswered(draft: &StepDraft, limit: Duration) -> PlanError {
    PlanError::Again {
        cause: format!(
            "Planning \"{}\" got no answer for {} s",
            draft.title,
            limit.as_secs()
        ),
        after: None,
    }
}

/// The working tree that a step made, out of the blobs that it made.
fn made(draft: &StepDraft, digest: Digest, blobs: &[Vec<u8>]) -> Result<Workspace, PlanError> {
    let blobs: Blobs = blobs.iter().cloned().collect();
    let tree = blobs.get(digest).map(Tree::decode);
    let Some(Ok(tree)) = tree else {
        tracing::error!(step = %draft.id, %digest, "A step planned a working tree that it didn't make");
        return Err(PlanError::Again {
            cause: "The files could not be planned".to_owned(),
            after: None,
        });
    };
    Ok(Workspace {
        id: TreeId::new(digest),
        tree: Arc::new(tree),
    })
}

fn assemble(draft: &StepDraft, step: StepPlan) -> PlannedStep {
    PlannedStep {
        id: draft.id.clone(),
        title: draft.title.clone(),
        action: draft.action.clone(),
        condition: draft.condition.clone(),
        input: pinned(&draft.input, step.pinned),
        facts: step.facts,
        claims: step.claims,
        blobs: step.needs,
    }
}

/// The input with the members that planning adds; they win over written ones of the same name.
fn pinned(input: &PlannedValue, pins: Vec<(String, Value)>) -> PlannedValue {
    if pins.is_empty() {
        return input.clone();
    }
    match input {
        PlannedValue::Known {
            value: Value::Object(map),
        } => {
            let mut map = map.clone();
            map.extend(pins);
            PlannedValue::known(Value::Object(map))
        }
        PlannedValue::Map { members } => {
            let mut members = members.clone();
            members.retain(|(name, _)| !pins.iter().any(|(pin, _)| pin == name));
            members.extend(
                pins.into_iter()
                    .map(|(name, value)| (name, PlannedValue::known(value))),
            );
            PlannedValue::Map { members }
        }
        PlannedValue::Known { .. } | PlannedValue::After { .. } | PlannedValue::List { .. } => {
            PlannedValue::known(Value::Object(pins.into_iter().collect()))
        }
    }
}
