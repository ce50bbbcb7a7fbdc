//! What `publish:local`, `publish:github` and `publish:repository` share: one way to make a repository, put the rendered
//! files into it, tell it what it should be, and take it back, on whichever forge.
//!
//! The plan looks whether the name is free and whether everybody who gets a right is there, and pins the tree, the
//! author and the date, so that every run of it makes the same commit. The run makes sure: what this very request made
//! before a crash is gone on with, what anybody else made is left alone.

mod facts;
mod input;
mod schema;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use self::input::{Input, Pinned};
pub use self::secrets::Secrets;
use super::action::{Action, PlanContext, RunContext, Workspace};
use super::forge::{LIMIT, unmade, unplanned};
use super::input::{must_be_known, read, read_planned, refused};
use crate::catalog::entity;
use crate::clients::forge::{
    Forge, ForgeError, ForgeKind, Ident, Removal, RepoName, RepoSettings, RepoSpec, RepoState,
    Survey,
};
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::{Claim, PlannedValue};
use crate::domain::refusal::Refusal;
use crate::domain::step::{Done, Outcome, PlanError, Record, StepError, StepPlan, TakenBack};
use crate::domain::tree::{Tree, TreePath};

/// How long making a repository may take: a dozen calls at GitHub's pace, and a push.
const TIMEOUT: Duration = Duration::from_mins(4);

/// What can't be done, for refusals.
const WHAT: &str = "The repository can't be made.";

/// Makes repositories on one forge.
#[derive(Clone, Debug)]
pub struct Publisher {
    spec: ActionSpec,
    forge: Arc<dyn Forge>,
    secrets: Secrets,
}

/// `publish:repository`, with all that a repository can be told; where the forge keeps no settings, they are left out
/// of its plans.
pub(super) fn repository() -> ActionSpec {
    spec("publish:repository", schema::full())
}

/// The action that is about the deployment's kind of forge alone: `publish:github`, with the inputs that Backstage's
/// action of this name has, or `publish:local`, whose forge keeps no settings.
pub(super) fn only_on(forge: ForgeKind) -> ActionSpec {
    match forge {
        ForgeKind::GitHub => spec("publish:github", schema::full()),
        ForgeKind::Local => spec("publish:local", schema::plain()),
    }
}

fn spec(name: &'static str, input: Value) -> ActionSpec {
    ActionSpec {
        name,
        title: "Create repository",
        input,
        outputs: &["remoteUrl", "repoContentsUrl", "commitHash"],
        undo: Undo::Can,
        limit: Some(LIMIT),
    }
}

impl Publisher {
    /// `publish:repository` on this forge.
    pub fn repository(forge: Arc<dyn Forge>, secrets: Secrets) -> Self {
        Self::new(repository(), forge, secrets)
    }

    /// The action that is about this kind of forge alone.
    pub fn only_here(forge: Arc<dyn Forge>, secrets: Secrets) -> Self {
        Self::new(only_on(forge.kind()), forge, secrets)
    }

    fn new(spec: ActionSpec, forge: Arc<dyn Forge>, secrets: Secrets) -> Self {
        let undo = if forge.archives() {
            Undo::Archives
        } else {
            spec.undo
        };
        Self {
            spec: ActionSpec { undo, ..spec },
            forge,
            secrets,
        }
    }
}

#[async_trait]
impl Action for Publisher {
    fn spec(&self) -> ActionSpec {
        self.spec.clone()
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        let known_now: Vec<&str> = schema::names()
            .filter(|name| !MAY_WAIT.contains(name))
            .collect();
        must_be_known(self.spec.name, input, &known_now)?;
        let read: Input = read_planned(self.spec.name, input)?;
        let wrong = |why: String| refused(WHAT, format!("{why}."));
        let target = read.target().map_err(wrong)?;
        let Some(workspace) = context.workspace else {
            return Err(refused(WHAT, "No step before it makes any files."));
        };
        let files = source(&workspace.tree, target.source.as_ref()).map_err(wrong)?;
        if files.is_empty() {
            return Err(refused(WHAT, "It would be empty."));
        }
        let settings = self.settings(&read, &files).map_err(wrong)?;
        let pinned = Pinned {
            tree: workspace.id,
            team: team(workspace),
            author: context.requester.to_owned(),
            co_author: self.co_author(context),
            at: context.asked_at.timestamp(),
            request: context.number.0,
        };
        let spec = read.spec(&target, context.request, pinned.team.clone());
        let webhook = self.survey(context, &spec, &settings).await?;
        let mut facts = facts::of(&target, &files);
        facts.extend(facts::of_settings(&settings, &target));
        facts.extend(facts::waiting(input));
        facts.extend(webhook.map(facts::webhook));
        Ok(StepPlan {
            facts,
            claims: vec![Claim {
                kind: "repository".to_owned(),
                name: target.repo.key(),
            }],
            needs: vec![workspace.id.digest()],
            pinned: vec![("pinned".to_owned(), json!(pinned))],
            ..StepPlan::default()
        })
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        match self.make(context, input).await {
            Ok(done) => Ok(Outcome::Done(done)),
            Err(Unmade::Step(error)) => Err(error),
            Err(Unmade::Forge(error)) => unmade(context, error),
        }
    }

    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        output: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        let read: Input = read(self.spec.name, input)?;
        let target = read.target().map_err(|cause| StepError::Stop { cause })?;
        match self.forge.remove(&target.repo, context.request).await {
            Ok(Removal::Removed) => Ok(Outcome::Done(TakenBack::Removed)),
            Ok(Removal::Archived) => Ok(Outcome::Done(TakenBack::Archived)),
            Ok(Removal::WasGone) if output.is_some() => self.gone(context, &target.repo).await,
            // Somebody else's: then this step made nothing that could be taken back.
            Ok(Removal::WasGone) | Err(ForgeError::Taken { .. }) => {
                Ok(Outcome::Done(TakenBack::Nothing))
            }
            Err(error) => unmade(context, error),
        }
    }
}

impl Publisher {
    /// A repository that had stood isn't found: it is gone, unless it is only hidden from us by now.
    async fn gone(
        &self,
        context: &RunContext,
        repo: &RepoName,
    ) -> Result<Outcome<TakenBack>, StepError> {
        match self.forge.sees_all(repo).await {
            Ok(true) => Ok(Outcome::Done(TakenBack::Nothing)),
            Ok(false) => Err(StepError::Unknown {
                cause: format!("{repo} isn't found, and idp may not see every repository there"),
                check: format!("whether {repo} still exists"),
                after: None,
            }),
            Err(error) => unmade(context, error),
        }
    }

    async fn make(&self, context: &RunContext, input: &Value) -> Result<Done, Unmade> {
        let read: Input = read(self.spec.name, input)?;
        let stop = |cause: String| StepError::Stop { cause };
        let target = read.target().map_err(stop)?;
        let pinned = read
            .pinned
            .clone()
            .ok_or_else(|| stop(format!("`{}` was not planned", self.spec.name)))?;
        let tree = context.blobs.tree(pinned.tree)?;
        let tree = source(&tree, target.source.as_ref()).map_err(stop)?;
        let settings = self.settings(&read, &tree).map_err(stop)?;
        let spec = read.spec(&target, context.request, pinned.team.clone());
        context.check_cancelled()?;
        let made = self.forge.ensure_repo(&spec).await?;
        context.check_cancelled()?;
        let commit = read.commit(&pinned, &target.repo);
        let id = self.forge.push(&spec, Arc::new(tree), &commit).await?;
        context.check_cancelled()?;
        self.forge.settle(&spec, &settings).await?;
        let urls = self.forge.urls(&target.repo, &target.branch);
        Ok(Done {
            output: json!({ "remoteUrl": urls.remote, "repoContentsUrl": urls.contents, "commitHash": id }),
            records: made
                .id
                .map(|id| Record::Repository {
                    page: urls.page,
                    id,
                })
                .into_iter()
                .collect(),
            ..Done::default()
        })
    }

    /// Who asked, as commits on this forge name people, so that it shows them as an author.
    fn co_author(&self, context: &PlanContext<'_>) -> Option<String> {
        let address = self.forge.commit_address(context.github?)?;
        Some(Ident::new(context.requester, &address).to_string())
    }

    /// What the repository is told, as far as this forge keeps it.
    fn settings(&self, read: &Input, files: &Tree) -> Result<RepoSettings, String> {
        let settings = read.settings(files, &self.secrets)?;
        Ok(if self.forge.keeps_settings() {
            settings
        } else {
            RepoSettings::default()
        })
    }

    /// Refuses what can't be made: a name that somebody else holds, people who aren't there, rights that we lack. Says
    /// the address of the webhook that it would get.
    async fn survey(
        &self,
        context: &PlanContext<'_>,
        spec: &RepoSpec,
        settings: &RepoSettings,
    ) -> Result<Option<String>, PlanError> {
        match self.forge.survey(spec, settings).await {
            Ok(Survey {
                found: Some(state), ..
            }) if state.made_by != Some(context.request) => Err(PlanError::Refused(taken(&state))),
            Ok(Survey { hindrances, .. }) if !hindrances.is_empty() => {
                Err(refused(WHAT, hindrances.join(" ")))
            }
            // What this very request made (a plan made again just before a retry) doesn't stand in its way.
            Ok(Survey { webhook, .. }) => Ok(webhook),
            Err(error) => Err(unplanned(context, WHAT, error)),
        }
    }
}

/// Inputs that may wait for an earlier step: what is planned doesn't depend on them.
const MAY_WAIT: [&str; 6] = [
    "description",
    "homepage",
    "gitCommitMessage",
    "gitAuthorName",
    "gitAuthorEmail",
    "repoVariables",
];

/// Why there is no repository: the forge's reason, or our own.
enum Unmade {
    Forge(ForgeError),
    Step(StepError),
}

impl From<ForgeError> for Unmade {
    fn from(error: ForgeError) -> Self {
        Self::Forge(error)
    }
}

impl From<StepError> for Unmade {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

fn taken(state: &RepoState) -> Refusal {
    let team = state
        .team
        .as_deref()
        .map(|team| format!(" (team {team})"))
        .unwrap_or_default();
    Refusal::new(format!("{} exists{team}.", state.repo)).instead("Choose another name.")
}

fn source(tree: &Tree, folder: Option<&TreePath>) -> Result<Tree, String> {
    match folder {
        None => Ok(tree.clone()),
        Some(folder) => tree.within(folder).map_err(|error| error.to_string()),
    }
}

/// Whom the rendered catalog file names as owner. Where it can't be read, `catalog:register` says so.
fn team(workspace: &Workspace) -> Option<String> {
    let entities = entity::read(&workspace.tree.get("catalog-info.yaml")?.bytes).ok()?;
    entity::main_entity(&entities)?.team().map(str::to_owned)
}
