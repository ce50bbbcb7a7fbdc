//! `github:commit-status`: says on GitHub how a commit fares, such as the first one of a new repository, so that rules
//! about branches and whoever looks at a pull request know it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::forge::{LIMIT, ours, parse_repo_url, surveyed, unmade};
use super::input;
use crate::clients::forge::ForgeError;
use crate::clients::forge::github::GitHubForge;
use crate::clients::forge::github::remark::{CommitStatus, MAX_DESCRIPTION, StatusState};
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::{Fact, FactKind, PlannedValue};
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};

const NAME: &str = "github:commit-status";

/// What can't be done, for refusals.
const WHAT: &str = "The commit's status can't be set.";

/// Whose word it is unless the definition says otherwise.
const CONTEXT: &str = "idp";

/// What is said of a status that is taken back. Statuses can't be deleted; the newest counts.
const TAKEN_BACK: &str = "Taken back";

/// Says how commits fare.
#[derive(Clone, Debug)]
pub struct GitHubCommitStatus(Arc<GitHubForge>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    repo_url: String,
    /// Known only in `run` where an earlier step makes the commit.
    commit: Option<String>,
    state: StatusState,
    context: Option<String>,
    description: Option<String>,
    target_url: Option<String>,
}

impl Input {
    fn context(&self) -> &str {
        self.context.as_deref().unwrap_or(CONTEXT)
    }

    fn status(&self) -> CommitStatus {
        CommitStatus {
            context: self.context().to_owned(),
            state: self.state,
            description: self.description.clone(),
            target_url: self.target_url.clone(),
        }
    }

    fn commit(&self) -> Result<&str, StepError> {
        let commit = self.commit.as_deref().unwrap_or_default();
        let is_id = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then_some(commit).ok_or_else(|| StepError::Stop {
            cause: format!("`{commit}` is no commit's id"),
        })
    }
}

/// What it is, without the client that does it.
pub(super) fn spec() -> ActionSpec {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let mut description = text("A short sentence");
    description["maxLength"] = MAX_DESCRIPTION.into();
    ActionSpec {
        name: NAME,
        title: "Set commit status",
        input: json!({
            "type": "object", "additionalProperties": false, "required": ["repoUrl", "commit", "state"],
            "properties": {
                "repoUrl": text("The repository: `github.com?owner=OWNER&repo=NAME`"),
                "commit": text("The commit's id"),
                "state": {
                    "enum": ["pending", "success", "failure", "error"], "description": "How the commit fares",
                },
                "context": {
                    "type": "string", "minLength": 1, "maxLength": 255, "default": CONTEXT,
                    "description": "Whose word it is; the newest status of a context counts",
                },
                "description": description,
                "targetUrl": text("Where to read more"),
            },
        }),
        outputs: &[],
        undo: Undo::Can,
        limit: Some(LIMIT),
    }
}

impl GitHubCommitStatus {
    /// On this GitHub.
    pub fn new(github: Arc<GitHubForge>) -> Self {
        Self(github)
    }
}

#[async_trait]
impl Action for GitHubCommitStatus {
    fn spec(&self) -> ActionSpec {
        spec()
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        input::must_be_known(NAME, input, &["repoUrl", "state", "context"])?;
        let read: Input = input::read_planned(NAME, input)?;
        let repo = ours(&self.0, WHAT, &read.repo_url)?;
        surveyed(context, WHAT, self.0.survey_status(&repo).await)?;
        Ok(StepPlan {
            facts: vec![Fact {
                kind: FactKind::Changes,
                noun: "commit status".to_owned(),
                name: format!("{} in {repo}", read.context()),
                detail: Some(read.state.to_string()),
                headline: false,
            }],
            ..StepPlan::default()
        })
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let read: Input = input::read(NAME, input)?;
        let repo = parse_repo_url(&read.repo_url).map_err(|cause| StepError::Stop { cause })?;
        match self.0.status(&repo, read.commit()?, &read.status()).await {
            Ok(()) => Ok(Outcome::Done(Done {
                output: json!({}),
                ..Done::default()
            })),
            Err(error) => unmade(context, error),
        }
    }

    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        let read: Input = input::read(NAME, input)?;
        let repo = parse_repo_url(&read.repo_url).map_err(|cause| StepError::Stop { cause })?;
        let nothing = Ok(Outcome::Done(TakenBack::Nothing));
        let Ok(commit) = read.commit() else {
            return nothing;
        };
        let taken_back = CommitStatus {
            state: StatusState::Error,
            description: Some(TAKEN_BACK.to_owned()),
            ..read.status()
        };
        match self.0.latest_status(&repo, commit, read.context()).await {
            // Somebody said something else since, or nothing was said: not ours to change.
            Ok(latest) if latest != Some(read.status()) && latest != Some(taken_back.clone()) => {
                return nothing;
            }
            Err(ForgeError::Missing { .. }) => return nothing,
            Err(error) => return unmade(context, error),
            Ok(_) => {}
        }
        match self.0.status(&repo, commit, &taken_back).await {
            Ok(()) => Ok(Outcome::Done(TakenBack::Archived)),
            Err(ForgeError::Missing { .. }) => nothing,
            Err(error) => unmade(context, error),
        }
    }
}
