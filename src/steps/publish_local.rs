//! `publish:local`: makes a repository on the local forge and puts the rendered files into it.
//!
//! The plan looks whether the name is free and pins the tree, the author and the date, so that every run of it makes
//! the same commit. The run makes sure: what this very request made before a crash is gone on with, what anybody else
//! made is left alone.

use std::fmt::Write as _;
use std::sync::Arc;

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext, Workspace};
use super::input::{self, refused};
use crate::catalog::entity;
use crate::clients::forge::{
    Branch, CommitSpec, Forge, ForgeError, Ident, RepoName, RepoSpec, RepoState, Visibility,
};
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::{Claim, Fact, FactKind, PlannedValue};
use crate::domain::refusal::Refusal;
use crate::domain::step::{Done, Outcome, PlanError, StepError, StepPlan};
use crate::domain::tree::{Mode, Tree, TreeId, TreePath};

const NAME: &str = "publish:local";

/// Who commits. The author is whoever asked.
const COMMITTER: (&str, &str) = ("idp", "noreply@idp.localhost");

/// Makes a repository.
#[derive(Debug)]
pub struct PublishLocal {
    forge: Arc<dyn Forge>,
}

impl PublishLocal {
    /// On this forge.
    pub fn new(forge: Arc<dyn Forge>) -> Self {
        Self { forge }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    repo_url: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    repo_visibility: Option<Visibility>,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    source_path: Option<String>,
    #[serde(default)]
    git_commit_message: Option<String>,
    #[serde(default)]
    git_author_name: Option<String>,
    #[serde(default)]
    git_author_email: Option<String>,
    /// Pinned by the plan.
    #[serde(default)]
    pinned: Option<Pinned>,
}

/// What the plan adds: all that a commit's id depends on and the input doesn't say.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Pinned {
    /// The working tree at the time of the step.
    tree: TreeId,
    /// The team that the rendered catalog file names as owner.
    team: Option<String>,
    /// Who asked.
    author: String,
    /// When they asked, in seconds since 1970.
    at: i64,
    /// The request's number.
    request: i64,
}

/// The input, checked.
struct Target {
    repo: RepoName,
    visibility: Visibility,
    branch: Branch,
    source: Option<TreePath>,
}

impl Input {
    fn target(&self) -> Result<Target, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let source = self
            .source_path
            .as_deref()
            .map(|path| path.trim_start_matches("./").trim_matches('/'));
        Ok(Target {
            repo: parse_repo_url(&self.repo_url)?,
            visibility: self.repo_visibility.unwrap_or(Visibility::Private),
            branch: self
                .default_branch
                .as_deref()
                .map_or(Ok(Branch::main()), str::parse)
                .map_err(|e| text(&e))?,
            source: match source {
                None | Some("" | ".") => None,
                Some(path) => Some(TreePath::new(path).map_err(|e| text(&e))?),
            },
        })
    }

    fn commit(&self, pinned: &Pinned, repo: &RepoName) -> CommitSpec {
        let mut message = self
            .git_commit_message
            .clone()
            .unwrap_or_else(|| format!("Create {}", repo.name()));
        let _infallible = write!(message, "\n\nRequest: {}", pinned.request);
        CommitSpec {
            author: Ident::new(
                self.git_author_name.as_deref().unwrap_or(&pinned.author),
                self.git_author_email.as_deref().unwrap_or(COMMITTER.1),
            ),
            committer: Ident::new(COMMITTER.0, COMMITTER.1),
            at: pinned.at,
            message,
        }
    }
}

/// Backstage's way to name a repository: `HOST?owner=OWNER&repo=NAME`. There is one local forge, whatever the host.
fn parse_repo_url(url: &str) -> Result<RepoName, String> {
    let (_, query) = url
        .split_once('?')
        .ok_or_else(|| format!("`repoUrl` should be `HOST?owner=OWNER&repo=NAME`, not `{url}`"))?;
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| format!("`repoUrl`: {error}"))?;
    let part = |wanted: &str| {
        let found = pairs
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone());
        found.ok_or_else(|| format!("`repoUrl` names no `{wanted}`: `{url}`"))
    };
    RepoName::new(part("owner")?, part("repo")?).map_err(|error| error.to_string())
}

/// What definitions are checked against; it needs no forge.
pub(super) fn spec() -> ActionSpec {
    let text = |what: &str| json!({ "type": "string", "description": what });
    ActionSpec {
        name: NAME,
        title: "Create repository",
        input: json!({
            "type": "object", "additionalProperties": false, "required": ["repoUrl"],
            "properties": {
                "repoUrl": text("`HOST?owner=OWNER&repo=NAME`"),
                "description": text("A line about the repository"),
                "repoVisibility": { "enum": ["private", "internal", "public"], "default": "private" },
                "defaultBranch": { "type": "string", "default": "main" },
                "sourcePath": text("The folder of the rendered files that becomes the repository; default: all"),
                "gitCommitMessage": text("Default: `Create NAME`"),
                "gitAuthorName": text("Default: whoever asked"),
                "gitAuthorEmail": text("Default: an address that nobody reads"),
            },
        }),
        outputs: &["remoteUrl", "repoContentsUrl", "commitHash"],
        undo: Undo::Can,
    }
}

#[async_trait]
impl Action for PublishLocal {
    fn spec(&self) -> ActionSpec {
        spec()
    }

    /// A tree of the largest size onto a slow disk, with its check afterwards.
    fn timeout(&self) -> Duration {
        Duration::from_mins(2)
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        let what = "The repository can't be made.";
        input::must_be_known(
            NAME,
            input,
            &["repoUrl", "repoVisibility", "defaultBranch", "sourcePath"],
        )?;
        let read: Input = input::read_planned(NAME, input)?;
        let target = read
            .target()
            .map_err(|why| refused(what, format!("{why}.")))?;
        let Some(workspace) = context.workspace else {
            return Err(refused(what, "No step before it makes any files."));
        };
        let files = source(&workspace.tree, target.source.as_ref())
            .map_err(|why| refused(what, format!("{why}.")))?;
        if files.is_empty() {
            return Err(refused(what, "It would be empty."));
        }
        self.check_free(context, &target.repo).await?;
        let pinned = Pinned {
            tree: workspace.id,
            team: team(workspace),
            author: context.requester.to_owned(),
            at: context.asked_at.timestamp(),
            request: context.number.0,
        };
        Ok(StepPlan {
            facts: facts(&target, &files),
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
        let read: Input = input::read(NAME, input)?;
        let target = read.target().map_err(|cause| StepError::Stop { cause })?;
        let pinned = pins(&read)?;
        let tree = context.blobs.tree(pinned.tree)?;
        let tree =
            source(&tree, target.source.as_ref()).map_err(|cause| StepError::Stop { cause })?;
        let spec = RepoSpec {
            repo: target.repo.clone(),
            request: context.request,
            team: pinned.team.clone(),
            description: read.description.clone().unwrap_or_default(),
            visibility: target.visibility,
            default_branch: target.branch.clone(),
        };
        context.check_cancelled()?;
        self.forge
            .ensure_repo(&spec)
            .await
            .map_err(|error| failed(context, error))?;
        context.check_cancelled()?;
        let commit = read.commit(&pinned, &target.repo);
        let pushed = self
            .forge
            .push(&target.repo, context.request, Arc::new(tree), &commit)
            .await;
        let id = pushed.map_err(|error| failed(context, error))?;
        let urls = self.forge.urls(&target.repo, &target.branch);
        Ok(Outcome::Done(Done {
            output: json!({ "remoteUrl": urls.remote, "repoContentsUrl": urls.contents, "commitHash": id }),
            ..Done::default()
        }))
    }

    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        _: Option<&Value>,
    ) -> Result<(), StepError> {
        let read: Input = input::read(NAME, input)?;
        let target = read.target().map_err(|cause| StepError::Stop { cause })?;
        match self.forge.remove(&target.repo, context.request).await {
            // Somebody else's: then this step made nothing that could be taken back.
            Ok(_) | Err(ForgeError::Taken { .. }) => Ok(()),
            Err(error) => Err(failed(context, error)),
        }
    }
}

impl PublishLocal {
    /// Whether the name is free, or held by what this very request made (a plan made again just before a retry).
    async fn check_free(
        &self,
        context: &PlanContext<'_>,
        repo: &RepoName,
    ) -> Result<(), PlanError> {
        match self.forge.look(repo).await {
            Ok(None) => Ok(()),
            Ok(Some(state)) if state.made_by == Some(context.request) => Ok(()),
            Ok(Some(state)) => Err(PlanError::Refused(taken(&state))),
            Err(error) => {
                tracing::warn!(request = %context.request, "Looking for {repo}: {}", error.detail());
                match StepError::from(error) {
                    StepError::Again { cause, after } => Err(PlanError::Again { cause, after }),
                    StepError::Stop { cause } | StepError::Unknown { cause, .. } => {
                        Err(PlanError::Again { cause, after: None })
                    }
                }
            }
        }
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

/// The log gets the cause, the card its sentence.
fn failed(context: &RunContext, error: ForgeError) -> StepError {
    tracing::warn!(step = %context.key, request = %context.request, "{}", error.detail());
    error.into()
}

fn pins(read: &Input) -> Result<Pinned, StepError> {
    read.pinned.clone().ok_or_else(|| StepError::Stop {
        cause: format!("`{NAME}` was not planned"),
    })
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

fn facts(target: &Target, files: &Tree) -> Vec<Fact> {
    let creates = |noun: String, name: String, detail: String, headline| Fact {
        kind: FactKind::Creates,
        noun,
        name,
        detail: Some(detail),
        headline,
    };
    let count = if files.len() == 1 {
        "1 file".to_owned()
    } else {
        format!("{} files", files.len())
    };
    let repository = creates(
        format!("{} repository", target.visibility),
        target.repo.to_string(),
        count,
        true,
    );
    let each = files.iter().map(|(path, entry)| {
        let size = entry.bytes.len();
        let detail = match entry.mode {
            Mode::File => format!("{size} bytes"),
            Mode::Executable => format!("{size} bytes, executable"),
            Mode::Symlink => format!("link to {}", String::from_utf8_lossy(&entry.bytes)),
        };
        creates("file".to_owned(), path.to_string(), detail, false)
    });
    std::iter::once(repository).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        done, filled, forge, known, planning, request, running, workspace,
    };
    use super::*;
    use crate::steps::Blobs;

    const FILES: &[(&str, &str)] = &[
        ("README.md", "# Payments"),
        (
            "catalog-info.yaml",
            "kind: Component\nmetadata: { name: payments-api }\nspec: { owner: payments }\n",
        ),
        ("site/index.html", "<h1>Hi</h1>"),
    ];

    fn input() -> Value {
        json!({ "repoUrl": "local?owner=acme&repo=payments-api", "description": "Takes payments" })
    }

    fn payments() -> RepoName {
        RepoName::new("acme", "payments-api").unwrap()
    }

    #[tokio::test]
    async fn what_is_planned_is_made_once_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        assert_eq!(
            forge.look(&payments()).await.unwrap(),
            None,
            "planning has no side effects"
        );
        let said: Vec<_> = plan
            .facts
            .iter()
            .map(|f| format!("{} {} {} {:?}", f.kind, f.noun, f.name, f.detail))
            .collect();
        assert_eq!(
            said[0],
            "creates private repository acme/payments-api Some(\"3 files\")"
        );
        assert_eq!(said[3], "creates file site/index.html Some(\"11 bytes\")");
        assert_eq!(plan.claims[0].name, "acme/payments-api");
        assert_eq!(
            plan,
            publish
                .plan(&planning(1, Some(&files)), &known(&input()))
                .await
                .unwrap()
        );

        let filled = filled(&input(), &plan);
        let context = running(1, blobs, 0);
        let first = done(publish.run(&context, &filled).await.unwrap());
        let again = done(publish.run(&context, &filled).await.unwrap());
        assert_eq!(first, again);
        let state = forge.look(&payments()).await.unwrap().unwrap();
        assert_eq!(
            first.output,
            json!({
                "remoteUrl": "http://127.0.0.1:8484/git/acme/payments-api.git",
                "repoContentsUrl": "http://127.0.0.1:8484/git/acme/payments-api/blob/main",
                "commitHash": state.head.unwrap().to_string(),
            })
        );
        assert_eq!(
            (state.made_by, state.team.as_deref()),
            (Some(request(1)), Some("payments"))
        );
        // Planned again just before a retry, its own repository doesn't stand in the way; anybody else's does.
        assert!(
            publish
                .plan(&planning(1, Some(&files)), &known(&input()))
                .await
                .is_ok()
        );
        let other = publish
            .plan(&planning(2, Some(&files)), &known(&input()))
            .await
            .unwrap_err();
        assert_eq!(
            other.to_string(),
            "acme/payments-api exists (team payments). Choose another name."
        );

        publish
            .undo(&context, &filled, Some(&first.output))
            .await
            .unwrap();
        publish.undo(&context, &filled, None).await.unwrap();
        assert_eq!(forge.look(&payments()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_another_request_made_meanwhile_is_neither_adopted_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let filled = filled(&input(), &plan);
        publish
            .run(&running(2, blobs.clone(), 0), &filled)
            .await
            .unwrap();
        let said = publish
            .run(&running(1, blobs.clone(), 0), &filled)
            .await
            .unwrap_err();
        assert_eq!(
            said,
            StepError::Stop {
                cause: "acme/payments-api exists already (team payments)".to_owned()
            }
        );
        publish
            .undo(&running(1, blobs, 0), &filled, None)
            .await
            .unwrap();
        assert_eq!(
            forge.look(&payments()).await.unwrap().unwrap().made_by,
            Some(request(2))
        );
    }

    #[tokio::test]
    async fn a_forge_that_is_away_is_asked_again() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let filled = filled(&input(), &plan);
        std::fs::rename(dir.path().join("git"), dir.path().join("away")).unwrap();
        let planned = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await;
        assert!(matches!(planned, Err(PlanError::Again { .. })));
        assert!(matches!(
            publish.run(&running(1, blobs.clone(), 0), &filled).await,
            Err(StepError::Again { .. })
        ));
        assert!(matches!(
            publish.undo(&running(1, blobs, 0), &filled, None).await,
            Err(StepError::Again { .. })
        ));
    }

    #[tokio::test]
    async fn a_cancelled_step_lets_go_before_it_makes_anything() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let context = running(1, blobs, 0);
        context.cancelled.cancel();
        assert!(matches!(
            publish.run(&context, &filled(&input(), &plan)).await,
            Err(StepError::Again { .. })
        ));
        assert_eq!(forge.look(&payments()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn inputs_that_name_no_repository_are_refused_at_plan() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, _) = workspace(FILES);
        for (input, why) in [
            (json!({ "repoUrl": "acme/payments-api" }), "should be"),
            (json!({ "repoUrl": "local?owner=acme" }), "names no `repo`"),
            (
                json!({ "repoUrl": "local?owner=..&repo=x" }),
                "can't be the name of an owner",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=%2e%2e" }),
                "can't be the name of a repository",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "defaultBranch": "a..b" }),
                "can't be the name of a branch",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "sourcePath": "../x" }),
                "has `.` or `..` in it",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "sourcePath": "nowhere" }),
                "It would be empty",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "repoVisibility": "secret" }),
                "unknown variant `secret`",
            ),
        ] {
            let said = publish
                .plan(&planning(1, Some(&files)), &known(&input))
                .await
                .unwrap_err()
                .to_string();
            assert!(said.contains(why), "{input}: {said}");
        }
        let without = publish
            .plan(&planning(1, None), &known(&input()))
            .await
            .unwrap_err();
        assert_eq!(
            without.to_string(),
            "The repository can't be made. No step before it makes any files."
        );
    }

    #[tokio::test]
    async fn a_folder_of_the_files_can_be_the_repository() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, _) = workspace(FILES);
        let input = json!({ "repoUrl": "local?owner=acme&repo=site", "sourcePath": "./site", "repoVisibility": "public" });
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input))
            .await
            .unwrap();
        let names: Vec<_> = plan.facts.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(
            (names, plan.facts[0].noun.as_str()),
            (vec!["acme/site", "index.html"], "public repository")
        );
        assert!(
            publish
                .run(&running(1, Blobs::default(), 0), &filled(&input, &plan))
                .await
                .is_err(),
            "without its blob"
        );
    }
}
