//! The list of all actions, and the way from a planned step to its action.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::action::{Action, RunContext};
use super::publish::{self, Publisher, Secrets};
use super::{
    catalog_register, debug_log, debug_wait, fetch_template, github_comment, github_commit_status,
    template_run,
};
use crate::catalog::expression;
use crate::clients::forge::{Forge, ForgeKind};
use crate::domain::action::ActionSpec;
use crate::domain::plan::PlannedStep;
use crate::domain::step::{Outcome, StepError, TakenBack};

/// All actions, each with the clients that it works with.
#[derive(Clone, Debug)]
pub struct Registry {
    actions: Arc<[Box<dyn Action>]>,
}

/// What definitions are checked against where there is no forge to act on (`idp check`), in a deployment with this kind.
pub fn specs(forge: ForgeKind) -> Vec<ActionSpec> {
    let mut specs = vec![
        fetch_template::FetchTemplate.spec(),
        publish::repository(),
        publish::only_on(forge),
        catalog_register::CatalogRegister.spec(),
        template_run::TemplateRun.spec(),
        debug_log::DebugLog.spec(),
        debug_wait::DebugWait.spec(),
    ];
    if forge == ForgeKind::GitHub {
        specs.extend([github_commit_status::spec(), github_comment::spec()]);
    }
    specs
}

impl Registry {
    /// The actions of this deployment.
    pub fn new(forge: Arc<dyn Forge>) -> Self {
        Self::with_secrets(forge, Secrets::default())
    }

    /// The actions of this deployment, which may hand these secrets to repositories.
    pub fn with_secrets(forge: Arc<dyn Forge>, secrets: Secrets) -> Self {
        let only_here = Publisher::only_here(Arc::clone(&forge), secrets.clone());
        let github = Arc::clone(&forge).github();
        let mut actions: Vec<Box<dyn Action>> = vec![
            Box::new(fetch_template::FetchTemplate),
            Box::new(Publisher::repository(forge, secrets)),
            Box::new(only_here),
            Box::new(catalog_register::CatalogRegister),
            Box::new(template_run::TemplateRun),
            Box::new(debug_log::DebugLog),
            Box::new(debug_wait::DebugWait),
        ];
        if let Some(github) = github {
            let status = github_commit_status::GitHubCommitStatus::new(Arc::clone(&github));
            actions.push(Box::new(status));
            actions.push(Box::new(github_comment::GitHubComment::new(github)));
        }
        Self::of(actions)
    }

    /// A list of one's own.
    pub fn of(actions: Vec<Box<dyn Action>>) -> Self {
        Self {
            actions: actions.into(),
        }
    }

    /// What definitions are checked against.
    pub fn specs(&self) -> Vec<ActionSpec> {
        self.actions.iter().map(|action| action.spec()).collect()
    }

    /// An action by its name.
    pub fn get(&self, name: &str) -> Option<&dyn Action> {
        self.actions
            .iter()
            .find(|action| action.spec().name == name)
            .map(AsRef::as_ref)
    }

    /// How long an action may take.
    pub fn timeout(&self, name: &str) -> Duration {
        self.get(name).map_or(Duration::ZERO, Action::timeout)
    }

    /// Runs a step: its input as planned, with what is known now filled in.
    pub async fn run(
        &self,
        step: &PlannedStep,
        outputs: &Map<String, Value>,
        context: &RunContext,
    ) -> Result<Outcome, StepError> {
        let (action, input) = self.filled(step, outputs)?;
        action.run(context, &input).await
    }

    /// Takes a step back; `output` is what it ended with, if it ended.
    pub async fn undo(
        &self,
        step: &PlannedStep,
        outputs: &Map<String, Value>,
        output: Option<&Value>,
        context: &RunContext,
    ) -> Result<Outcome<TakenBack>, StepError> {
        let (action, input) = self.filled(step, outputs)?;
        action.undo(context, &input, output).await
    }

    fn filled(
        &self,
        step: &PlannedStep,
        outputs: &Map<String, Value>,
    ) -> Result<(&dyn Action, Value), StepError> {
        let action = self.get(&step.action).ok_or_else(|| StepError::Stop {
            cause: format!("There is no action `{}` any more", step.action),
        })?;
        let input = step
            .input
            .fill(&mut |text| expression::after(text, outputs))
            .map_err(|error| unfilled(step, &error))?;
        Ok((action, input))
    }
}

fn unfilled(step: &PlannedStep, error: &expression::ExpressionError) -> StepError {
    StepError::Stop {
        cause: format!("The input of `{}` can't be filled in: {error}", step.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::forge;

    #[test]
    fn every_action_has_its_spec_in_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(Arc::new(forge(dir.path())));
        let names = |specs: Vec<ActionSpec>| -> Vec<_> { specs.iter().map(|s| s.name).collect() };
        assert_eq!(names(specs(ForgeKind::Local)), names(registry.specs()));
    }
}
