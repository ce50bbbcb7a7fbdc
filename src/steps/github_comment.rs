//! `github:comment`: one comment on a pull request or a commit, which stands once however often the step runs, and says
//! what the last run of it said.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::forge::{LIMIT, ours, parse_repo_url, surveyed, unmade};
use super::input;
use crate::clients::forge::github::GitHubForge;
use crate::clients::forge::github::remark::{About, Comment, MAX_COMMENT};
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::{Fact, FactKind, PlannedValue};
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};

const NAME: &str = "github:comment";

/// What can't be done, for refusals.
const WHAT: &str = "The comment can't be made.";

/// Comments.
#[derive(Clone, Debug)]
pub struct GitHubComment(Arc<GitHubForge>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    repo_url: String,
    pull_request: Option<u64>,
    /// Known only in `run` where an earlier step makes the commit.
    commit: Option<String>,
    #[serde(default)]
    body: String,
}

impl Input {
    fn about(&self) -> Option<About> {
        match (self.pull_request, &self.commit) {
            (Some(number), _) => Some(About::PullRequest(number)),
            (None, Some(id)) => Some(About::Commit(id.clone())),
            (None, None) => None,
        }
    }
}

/// What it is, without the client that does it.
pub(super) fn spec() -> ActionSpec {
    ActionSpec {
        name: NAME,
        title: "Comment on GitHub",
        input: json!({
            "type": "object", "additionalProperties": false, "required": ["repoUrl", "body"],
            "properties": {
                "repoUrl": {
                    "type": "string", "description": "The repository: `github.com?owner=OWNER&repo=NAME`",
                },
                "pullRequest": { "type": "integer", "minimum": 1, "description": "The pull request's number" },
                "commit": { "type": "string", "description": "The commit's id, instead of a pull request" },
                "body": {
                    "type": "string", "minLength": 1, "maxLength": MAX_COMMENT - ROOM,
                    "description": "What it says, in Markdown",
                },
            },
            "oneOf": [{ "required": ["pullRequest"] }, { "required": ["commit"] }],
        }),
        outputs: &["commentUrl"],
        undo: Undo::Can,
        limit: Some(LIMIT),
    }
}

/// Left for the mark behind the text, in characters.
const ROOM: usize = 256;

impl GitHubComment {
    /// On this GitHub.
    pub fn new(github: Arc<GitHubForge>) -> Self {
        Self(github)
    }
}

/// One comment for each step of each request, whatever generation of its run makes it.
fn mark(context: &RunContext) -> String {
    let step: String = context.key.step.chars().take(100).collect();
    format!("{}/{step}", context.request)
}

#[async_trait]
impl Action for GitHubComment {
    fn spec(&self) -> ActionSpec {
        spec()
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        input::must_be_known(NAME, input, &["repoUrl", "pullRequest"])?;
        let read: Input = input::read_planned(NAME, input)?;
        let repo = ours(&self.0, WHAT, &read.repo_url)?;
        // Which commit it is may not be known yet; what it takes to comment on one is.
        let about = read.about().unwrap_or(About::Commit(String::new()));
        surveyed(context, WHAT, self.0.survey_comment(&repo, &about).await)?;
        Ok(StepPlan {
            facts: vec![Fact {
                kind: FactKind::Creates,
                noun: "comment".to_owned(),
                name: format!("on {about} of {repo}"),
                detail: None,
                headline: true,
            }],
            ..StepPlan::default()
        })
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let read: Input = input::read(NAME, input)?;
        let stop = |cause: String| StepError::Stop { cause };
        let repo = parse_repo_url(&read.repo_url).map_err(stop)?;
        let comment = Comment {
            about: read
                .about()
                .ok_or_else(|| stop("It isn't said what to comment on".to_owned()))?,
            mark: mark(context),
            body: read.body,
        };
        match self.0.comment(&repo, &comment).await {
            Ok(page) => Ok(Outcome::Done(Done {
                output: json!({ "commentUrl": page }),
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
        let Some(about) = read.about() else {
            return Ok(Outcome::Done(TakenBack::Nothing));
        };
        match self.0.uncomment(&repo, &about, &mark(context)).await {
            Ok(true) => Ok(Outcome::Done(TakenBack::Removed)),
            Ok(false) => Ok(Outcome::Done(TakenBack::Nothing)),
            Err(error) => unmade(context, error),
        }
    }
}
