//! `publish:github` against the strict server: made as planned, in few calls, through every crash and every bad answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idp::clients::forge::git::Git;
use idp::clients::forge::github::{AppKey, Credentials, GitHubForge, GitHubSettings, Undo};
use idp::clients::forge::{Forge, ForgeError, RepoName};
use idp::domain::canonical::Digest;
use idp::domain::id::{RequestId, RequestNumber, RunId};
use idp::domain::person::GitHubAccount;
use idp::domain::plan::PlannedValue;
use idp::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use idp::domain::tree::{Entry, Tree, TreeId, TreePath};
use idp::steps::action::Workspace;
use idp::steps::{Action, Blobs, PlanContext, Registry, RunContext, Secrets, StepKey};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::server::levers::Trouble;
use super::server::world::Kind;
use super::server::{GitHub, ORG, OWNER, bare, spec};
use crate::simulator::clients::found;

/// One bot with its own GitHub.
pub(super) struct Bench {
    pub(super) github: GitHub,
    forge: Arc<GitHubForge>,
    pub(super) registry: Registry,
    /// The requester's account on GitHub.
    linked: Option<GitHubAccount>,
}

pub(super) fn described() -> bool {
    found(&spec::file(), "publishing to the strict GitHub server")
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(GitHub::start(), Undo::Delete)
    }

    fn with(github: GitHub, undo: Undo) -> Self {
        let key = AppKey::from_pem(&github.private_key().to_owned().into()).unwrap();
        let id = github.app_id().to_string();
        Self::of(github, Credentials::App { id, key }, undo)
    }

    pub(super) fn of(github: GitHub, credentials: Credentials, undo: Undo) -> Self {
        let settings = GitHubSettings {
            api_url: github.api_url().parse().unwrap(),
            git_url: github.git_url().parse().unwrap(),
            organisation: ORG.to_owned(),
            credentials,
            undo,
            webhook: None,
        };
        Self::reached(github, settings)
    }

    pub(super) fn reached(github: GitHub, settings: GitHubSettings) -> Self {
        let git = Git::new(std::env::var_os("PATH").unwrap());
        let forge = Arc::new(GitHubForge::new(settings, git, Arc::new(Utc::now)).unwrap());
        let secrets: Secrets = [
            ("NPM_TOKEN", "hunter2".to_owned()),
            ("HUGE", "x".repeat(49 * 1024)),
        ]
        .map(|(name, secret)| (name.to_owned(), SecretString::from(secret)))
        .into_iter()
        .collect();
        let registry = Registry::with_secrets(forge.clone(), secrets);
        Self {
            github,
            forge,
            registry,
            linked: None,
        }
    }

    /// The same bot after a restart: nothing in memory.
    pub(super) fn restarted(self) -> Self {
        Self::with(self.github, Undo::Delete)
    }

    fn action(&self) -> &dyn Action {
        self.registry.get("publish:github").unwrap()
    }

    pub(super) async fn plan(
        &self,
        n: u128,
        input: &Value,
        files: &Files,
    ) -> Result<StepPlan, PlanError> {
        let context = PlanContext {
            request: request(n),
            number: RequestNumber(142),
            requester: "Priya Nair",
            github: self.linked.as_ref(),
            asked_at: asked_at(),
            template: None,
            workspace: Some(&files.workspace),
        };
        self.action()
            .plan(&context, &PlannedValue::known(input.clone()))
            .await
    }

    pub(super) async fn run(
        &self,
        n: u128,
        input: &Value,
        files: &Files,
    ) -> Result<Outcome, StepError> {
        self.action().run(&context(n, files), input).await
    }

    async fn undo(
        &self,
        n: u128,
        input: &Value,
        files: &Files,
    ) -> Result<Outcome<TakenBack>, StepError> {
        self.action().undo(&context(n, files), input, None).await
    }

    /// Plans, and fills the plan's pins in.
    pub(super) async fn planned(&self, n: u128, input: &Value, files: &Files) -> Value {
        let plan = self.plan(n, input, files).await.unwrap();
        let mut input = input.clone();
        for (name, value) in &plan.pinned {
            input[name] = value.clone();
        }
        input
    }

    pub(super) async fn made(&self, n: u128, input: &Value, files: &Files) -> Done {
        let input = self.planned(n, input, files).await;
        done(self.run(n, &input, files).await.unwrap())
    }
}

pub(super) fn done(outcome: Outcome) -> Done {
    match outcome {
        Outcome::Done(done) => done,
        Outcome::Wait { what, .. } => panic!("waits for {what}"),
    }
}

pub(super) fn asked_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

pub(super) fn request(n: u128) -> RequestId {
    RequestId::from_uuid(Uuid::from_u128(n))
}

fn payments() -> RepoName {
    RepoName::new(ORG, "payments-api").unwrap()
}

pub(super) struct Files {
    workspace: Workspace,
    blobs: Blobs,
}

pub(super) fn files(extra: usize) -> Files {
    let mut tree = Tree::new();
    let mut put = |path: String, text: String| {
        tree.insert(TreePath::new(path).unwrap(), Entry::file(text))
            .unwrap();
    };
    put("README.md".to_owned(), "# Payments".to_owned());
    put(
        ".github/workflows/ci.yml".to_owned(),
        "on: push\n".to_owned(),
    );
    for n in 0..extra {
        put(format!("src/{n}.txt"), format!("file {n}"));
    }
    let bytes = tree.encode();
    let id = TreeId::new(Digest::of(&bytes));
    Files {
        workspace: Workspace {
            id,
            tree: Arc::new(tree),
        },
        blobs: std::iter::once(bytes).collect(),
    }
}

pub(super) fn context(n: u128, files: &Files) -> RunContext {
    RunContext {
        key: StepKey {
            run: RunId::from_uuid(Uuid::from_u128(7)),
            step: "publish".to_owned(),
            generation: 0,
        },
        request: request(n),
        now: Utc::now(),
        since: Utc::now(),
        cancelled: CancellationToken::new(),
        blobs: files.blobs.clone(),
    }
}

/// What the shipped templates ask for.
pub(super) fn plain() -> Value {
    json!({
        "repoUrl": "github.com?owner=acme&repo=payments-api",
        "description": "Takes payments",
        "topics": ["nodejs"],
        "collaborators": [{ "team": "payments", "access": "push" }],
        "requiredStatusCheckContexts": ["test"],
        "deleteBranchOnMerge": true,
    })
}

/// Everything there is.
fn whole() -> Value {
    let mut input = plain();
    input["homepage"] = json!("https://pay.example.com");
    input["defaultBranch"] = json!("trunk");
    input["access"] = json!("acme/platform");
    input["environments"] = json!(["production"]);
    input["repoVariables"] = json!({ "REGION": "eu-west-1" });
    input["secrets"] = json!({ "NPM_TOKEN": "secret:NPM_TOKEN" });
    input["bypassPullRequestAllowances"] = json!({ "teams": ["security"], "users": ["olivia"] });
    input["hasWiki"] = json!(false);
    input["allowMergeCommit"] = json!(false);
    input
}

/// What the log counts: writes and reads, without tokens and git.
pub(super) fn calls(github: &GitHub) -> (usize, usize) {
    (github.count(Kind::Write), github.count(Kind::Read))
}

/// The repository as planned, whatever happened on the way.
fn stands_as_planned(github: &GitHub, commit: &str) {
    github
        .repo("payments-api", |repo| {
            assert_eq!(
                repo.shown["description"], "Takes payments",
                "the marker is gone"
            );
            assert_eq!(repo.visibility, "private");
            assert_eq!(repo.topics, ["nodejs"]);
            assert_eq!(repo.teams["payments"], "push");
            assert_eq!(repo.rulesets.len(), 1);
            assert_eq!(
                bare::branches(&repo.dir),
                [(repo.default_branch.clone(), commit.to_owned())]
            );
        })
        .expect("the repository stands");
    assert_eq!(github.world().repos.len(), 1, "exactly one");
}

#[tokio::test]
async fn a_service_is_made_as_planned_in_few_calls_however_many_files() {
    if !described() {
        return;
    }
    let mut seen = Vec::new();
    for extra in [0, 200] {
        let (bench, files) = (Bench::new(), files(extra));
        let input = bench.planned(1, &plain(), &files).await;
        assert_eq!(calls(&bench.github).0, 0, "planning only reads");
        bench.github.clear_log();
        let done = done(bench.run(1, &input, &files).await.unwrap());
        let (writes, reads) = calls(&bench.github);
        assert!(
            writes <= 12 && reads <= writes,
            "{writes} writes, {reads} reads"
        );
        seen.push((
            writes,
            reads,
            bench.github.count(Kind::Git),
            bench.github.count(Kind::Auth),
        ));
        stands_as_planned(&bench.github, done.output["commitHash"].as_str().unwrap());
        // Made again, nothing differs.
        let again = bench.run(1, &input, &files).await.unwrap();
        assert_eq!(again, Outcome::Done(done));
    }
    println!("writes, reads, git, tokens: {seen:?}");
    assert_eq!(seen[0], seen[1], "200 files cost no call more");
}

#[tokio::test]
async fn more_variables_than_fit_a_page_are_told_again_without_harm() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let variables: serde_json::Map<String, Value> = (0..40)
        .map(|n| (format!("VARIABLE_{n}"), Value::from(format!("value {n}"))))
        .collect();
    let mut asked = plain();
    asked["repoVariables"] = Value::Object(variables);
    let input = bench.planned(1, &asked, &files).await;
    let made = bench.run(1, &input, &files).await.unwrap();
    bench.github.clear_log();
    assert_eq!(bench.run(1, &input, &files).await.unwrap(), made);
    let told_again = bench.github.count(Kind::Write);
    assert!(told_again < 40, "{told_again} writes");
}

#[tokio::test]
async fn whoever_linked_their_account_is_named_as_a_co_author() {
    if !described() {
        return;
    }
    let (mut bench, files) = (Bench::new(), files(0));
    bench.linked = Some(GitHubAccount {
        id: "7".to_owned(),
        login: "priya-nair".to_owned(),
    });
    let input = bench.planned(1, &plain(), &files).await;
    // What was approved is made, whatever is linked since.
    bench.linked = None;
    let made = done(bench.run(1, &input, &files).await.unwrap());
    stands_as_planned(&bench.github, made.output["commitHash"].as_str().unwrap());
    let dir = bench.github.repo("payments-api", |repo| repo.dir.clone());
    let message = bare::git(&dir.unwrap(), &["log", "-1", "--format=%B", "main"]).unwrap();
    let host = url::Url::parse(bench.github.git_url()).unwrap();
    let named = format!(
        "\nCo-authored-by: Priya Nair <7+priya-nair@users.noreply.{}>\n",
        host.host_str().unwrap()
    );
    assert!(message.contains(&named), "{message}");
}

#[tokio::test]
async fn everything_that_a_repository_can_be_told_is_told() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let plan = bench.plan(1, &whole(), &files).await.unwrap();
    let facts: Vec<String> = plan
        .facts
        .iter()
        .map(|fact| {
            format!(
                "{} {} {} ({})",
                fact.kind,
                fact.noun,
                fact.name,
                fact.detail.as_deref().unwrap_or("-")
            )
        })
        .collect();
    insta::assert_snapshot!(facts.join("\n"));
    bench.github.clear_log();
    let done = bench.made(1, &whole(), &files).await;
    let (writes, _) = calls(&bench.github);
    assert!(writes <= 12, "{writes} writes");
    bench.github.repo("payments-api", |repo| {
        assert_eq!(repo.default_branch, "trunk");
        assert_eq!(repo.teams["platform"], "admin");
        assert_eq!(repo.shown["has_wiki"], false);
        assert_eq!(repo.shown["homepage"], "https://pay.example.com");
        assert_eq!(repo.shelf.variables["REGION"].value, "eu-west-1");
        assert!(repo.shelf.secrets.contains_key("NPM_TOKEN"));
        assert!(
            repo.environments
                .values()
                .any(|one| one.name == "production")
        );
        let ruleset = repo.rulesets.values().next().unwrap();
        assert_eq!(ruleset["bypass_actors"].as_array().unwrap().len(), 2);
    });
    assert_eq!(
        done.output["repoContentsUrl"],
        format!("{}/acme/payments-api/blob/trunk", bench.github.git_url())
    );
    let told = format!("{plan:?}{done:?}");
    assert!(
        !told.contains("hunter2"),
        "no secret in a plan or an output"
    );
}

#[tokio::test]
async fn what_is_only_hidden_is_not_taken_for_gone() {
    if !described() {
        return;
    }
    let files = files(0);
    let undone = async |bench: &Bench| {
        let input = bench.planned(1, &plain(), &files).await;
        let made = done(bench.run(1, &input, &files).await.unwrap());
        bench.github.delete("payments-api");
        let action = bench.action();
        let context = context(1, &files);
        action.undo(&context, &input, Some(&made.output)).await
    };
    let gone = Ok(Outcome::Done(TakenBack::Nothing));
    let hidden = |ended: &Result<_, StepError>| matches!(ended, Err(StepError::Unknown { .. }));
    // An App with all repositories, and with some of them.
    assert_eq!(undone(&Bench::new()).await, gone);
    let bench = Bench::new();
    let input = bench.planned(1, &plain(), &files).await;
    let made = done(bench.run(1, &input, &files).await.unwrap());
    bench.github.world().app.selected = Some(std::collections::BTreeSet::new());
    let ended = bench.restarted();
    let ended = ended
        .action()
        .undo(&context(1, &files), &input, Some(&made.output))
        .await;
    assert!(hidden(&ended), "{ended:?}");
    // An owner's token, and that of somebody who is a member only, or not even that any more.
    let scopes = ["repo", "workflow", "read:org", "delete_repo"];
    for (role, sure) in [
        (Some("admin"), true),
        (Some("member"), false),
        (None, false),
    ] {
        let github = GitHub::start();
        let token = github.classic_token(OWNER, &scopes);
        let bench = Bench::of(github, Credentials::Token(token.into()), Undo::Delete);
        let input = bench.planned(1, &plain(), &files).await;
        let made = done(bench.run(1, &input, &files).await.unwrap());
        bench.github.delete("payments-api");
        match role {
            Some(role) => {
                let members = &mut bench.github.world().org.members;
                members.insert(OWNER.to_owned(), role.to_owned());
            }
            None => drop(bench.github.world().org.members.remove(OWNER)),
        }
        let action = bench.action();
        let context = context(1, &files);
        let ended = action.undo(&context, &input, Some(&made.output)).await;
        assert_eq!(
            (ended == gone, hidden(&ended)),
            (sure, !sure),
            "{role:?}: {ended:?}"
        );
    }
}

#[tokio::test]
async fn a_crash_at_any_call_leaves_exactly_one_repository_as_planned() {
    if !described() {
        return;
    }
    for trouble in [
        Trouble::BreakBefore,
        Trouble::BreakAfter,
        Trouble::Status(502),
    ] {
        let mut reached = 0;
        for at in 0.. {
            let (mut bench, files) = (Bench::new(), files(0));
            let input = bench.planned(1, &plain(), &files).await;
            // From this call on nothing gets through any more: the process is dead.
            bench.github.troubles("*", at, 1, trouble);
            let first = bench.run(1, &input, &files).await;
            if bench.github.world().levers.left() > 0 {
                assert!(first.is_ok());
                break;
            }
            reached = at;
            bench = bench.restarted();
            let mut tries = 0;
            let end = loop {
                match bench.run(1, &input, &files).await {
                    Ok(outcome) => break done(outcome),
                    Err(StepError::Stop { cause }) => panic!("{trouble:?} at {at}: {cause}"),
                    Err(error) => {
                        tries += 1;
                        assert!(tries < 5, "{trouble:?} at {at}: {error}");
                    }
                }
            };
            stands_as_planned(&bench.github, end.output["commitHash"].as_str().unwrap());
            let made = bench.github.log();
            let made = made
                .iter()
                .filter(|call| call.operation == "repos/create-in-org");
            assert!(made.filter(|call| call.status == Some(201)).count() <= 1);
        }
        assert!(reached >= 10, "{reached} calls were broken");
    }
}

#[tokio::test]
async fn somebody_elses_repository_is_named_with_its_team_and_left_alone() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let done = bench.made(2, &plain(), &files).await;
    let refused = bench.plan(1, &plain(), &files).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "acme/payments-api exists (team payments). Choose another name."
    );
    // Taken between plan and run.
    let mut input = plain();
    input["repoUrl"] = json!("github.com?owner=acme&repo=late");
    let planned = bench.planned(1, &input, &files).await;
    bench.made(3, &input, &files).await;
    let stopped = bench.run(1, &planned, &files).await.unwrap_err();
    assert_eq!(
        stopped,
        StepError::Stop {
            cause: "acme/late exists already (team payments)".to_owned()
        }
    );
    bench.undo(1, &planned, &files).await.unwrap();
    assert_eq!(
        bench.github.world().repos.len(),
        2,
        "an undo touches nobody else's"
    );
    let head = bench
        .github
        .repo("payments-api", |repo| bare::branches(&repo.dir))
        .unwrap();
    assert_eq!(head[0].1, done.output["commitHash"]);
}

#[tokio::test]
async fn an_undo_takes_back_its_own_until_somebody_else_pushes() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let input = bench.planned(1, &plain(), &files).await;
    let undone = async || bench.undo(1, &input, &files).await.unwrap();
    assert_eq!(undone().await, Outcome::Done(TakenBack::Nothing));
    bench.run(1, &input, &files).await.unwrap();
    assert_eq!(undone().await, Outcome::Done(TakenBack::Removed));
    assert_eq!(undone().await, Outcome::Done(TakenBack::Nothing));
    assert!(bench.github.world().repos.is_empty());

    bench.run(1, &input, &files).await.unwrap();
    bench
        .github
        .foreign_push("payments-api", "mine.txt", "mine");
    let kept = bench.undo(1, &input, &files).await.unwrap_err();
    assert_eq!(
        kept,
        StepError::Stop {
            cause: "Somebody else has pushed to acme/payments-api".to_owned()
        }
    );
    // Run again, what others built on top of our commit stays.
    bench.run(1, &input, &files).await.unwrap();
    assert!(
        bench
            .github
            .repo("payments-api", |repo| bare::branches(&repo.dir).len())
            == Some(1)
    );

    // A tag of theirs on our own commit is nothing that would be lost; one on another commit is.
    let bench = Bench::new();
    bench.run(1, &input, &files).await.unwrap();
    let dir = bench
        .github
        .repo("payments-api", |repo| repo.dir.clone())
        .unwrap();
    let theirs = "-c user.name=S -c user.email=s@example.com commit-tree HEAD^{tree} -m theirs";
    let theirs: Vec<&str> = theirs.split(' ').collect();
    let commit = bare::git(&dir, &theirs).unwrap();
    bare::git(&dir, &["tag", "v1", commit.trim()]).unwrap();
    let kept = bench.undo(1, &input, &files).await.unwrap_err();
    assert_eq!(
        kept.to_string(),
        "Somebody else has pushed to acme/payments-api"
    );

    let bench = Bench::with(GitHub::start(), Undo::Archive);
    bench
        .run(1, &bench.planned(1, &plain(), &files).await, &files)
        .await
        .unwrap();
    assert_eq!(
        bench.action().spec().undo,
        idp::domain::action::Undo::Archives
    );
    let undone = bench.undo(1, &input, &files).await.unwrap();
    assert_eq!(undone, Outcome::Done(TakenBack::Archived));
    assert_eq!(
        bench.github.repo("payments-api", |repo| repo.archived),
        Some(true)
    );
    // Retried after all, what is ours is opened again.
    let done = done(bench.run(1, &input, &files).await.unwrap());
    stands_as_planned(&bench.github, done.output["commitHash"].as_str().unwrap());
    assert_eq!(
        bench.github.repo("payments-api", |repo| repo.archived),
        Some(false)
    );
}

#[tokio::test]
async fn a_repository_deleted_during_the_run_is_said_and_made_again_by_a_retry() {
    if !described() {
        return;
    }
    // Before its settings, and in the middle of them.
    for operation in [
        "repos/update",
        "repos/replace-all-topics",
        "repos/create-repo-ruleset",
    ] {
        let (bench, files) = (Bench::new(), files(0));
        let input = bench.planned(1, &plain(), &files).await;
        bench.github.trouble(operation, 0, Trouble::Deleted);
        let gone = bench.run(1, &input, &files).await.unwrap_err();
        let said = "acme/payments-api doesn't exist".to_owned();
        assert_eq!(gone, StepError::Stop { cause: said }, "{operation}");
        assert_eq!(bench.github.world().repos.len(), 0);
        bench.undo(1, &input, &files).await.unwrap();
        let again = done(bench.run(1, &input, &files).await.unwrap());
        stands_as_planned(&bench.github, again.output["commitHash"].as_str().unwrap());
    }
}

/// What planning says against a GitHub that was changed before.
async fn refusal(change: impl FnOnce(&GitHub), input: &Value) -> String {
    let bench = Bench::new();
    change(&bench.github);
    let said = bench.plan(1, input, &files(0)).await.unwrap_err();
    assert!(bench.github.world().repos.is_empty());
    match said {
        PlanError::Refused(refusal) => refusal.to_string(),
        PlanError::Again { cause, .. } => panic!("would be tried again: {cause}"),
    }
}

#[tokio::test]
async fn what_cant_be_made_is_said_in_the_plan() {
    if !described() {
        return;
    }
    let with = |name: &str, value: Value| {
        let mut input = plain();
        input[name] = value;
        input
    };
    let mut said = Vec::new();
    said.push(refusal(|github| github.withdraw("workflows"), &plain()).await);
    said.push(refusal(|github| github.uninstall(), &plain()).await);
    said.push(refusal(|github| github.delete_team("payments"), &plain()).await);
    said.push(
        refusal(
            |_| {},
            &with("repoUrl", json!("github.com?owner=other&repo=x")),
        )
        .await,
    );
    said.push(
        refusal(
            |_| {},
            &with(
                "collaborators",
                json!([{ "user": "nobody-here", "access": "pull" }]),
            ),
        )
        .await,
    );
    said.push(refusal(|_| {}, &with("secrets", json!({ "NPM_TOKEN": "hunter2" }))).await);
    said.push(
        refusal(
            |_| {},
            &with("secrets", json!({ "NPM_TOKEN": "secret:HUGE" })),
        )
        .await,
    );
    said.push(
        refusal(
            |_| {},
            &with("secrets", json!({ "GITHUB_X": "secret:NPM_TOKEN" })),
        )
        .await,
    );
    insta::assert_snapshot!(said.join("\n"));
}

/// What a run says against a GitHub that was changed between plan and run.
async fn stop(change: impl FnOnce(&GitHub)) -> String {
    let (bench, files) = (Bench::new(), files(0));
    let input = bench.planned(1, &plain(), &files).await;
    change(&bench.github);
    match bench.run(1, &input, &files).await {
        Err(StepError::Stop { cause }) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_changed_since_the_plan_stops_the_run_with_its_reason() {
    if !described() {
        return;
    }
    let mut said = Vec::new();
    said.push(stop(|github| github.uninstall()).await);
    said.push(stop(|github| github.suspend(true)).await);
    said.push(stop(|github| github.withdraw("administration")).await);
    said.push(stop(|github| github.withdraw("workflows")).await);
    said.push(stop(|github| github.delete_team("payments")).await);
    said.push(stop(|github| github.forbid("private")).await);
    said.push(stop(|github| github.org_ruleset(&json!([{ "type": "creation" }]))).await);
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn revoked_tokens_and_a_clock_that_is_off_are_got_over() {
    if !described() {
        return;
    }
    for skew in [-1_000, 1_000] {
        let (bench, files) = (Bench::new(), files(0));
        bench.github.skew(skew);
        let input = bench.planned(1, &plain(), &files).await;
        bench.github.revoke_tokens();
        bench.run(1, &input, &files).await.unwrap();
        // An hour later every token has ended.
        bench.github.advance(std::time::Duration::from_hours(2));
        bench.run(1, &input, &files).await.unwrap();
    }
}

#[tokio::test]
async fn a_personal_token_does_the_same_and_its_missing_scope_is_named() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let token = github.classic_token("olivia", &["repo", "workflow", "read:org"]);
    let bench = Bench::of(github, Credentials::Token(token.into()), Undo::Delete);
    let files = files(0);
    let done = bench.made(1, &plain(), &files).await;
    stands_as_planned(&bench.github, done.output["commitHash"].as_str().unwrap());

    let github = GitHub::start();
    let token = github.classic_token("olivia", &["repo", "read:org"]);
    let bench = Bench::of(github, Credentials::Token(token.into()), Undo::Delete);
    let refused = bench.plan(1, &plain(), &files).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "The repository can't be made. idp's GitHub token lacks the scope workflow."
    );
    bench.github.revoke_tokens();
    let refused = bench.plan(1, &plain(), &files).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "The repository can't be made. GitHub refused: it doesn't accept idp's token."
    );
}

#[tokio::test]
async fn a_refused_rate_says_until_when() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let input = bench.planned(1, &plain(), &files).await;
    bench.github.world().limits.content_a_minute = 2;
    bench.github.world().limits.wait = 37;
    match bench.run(1, &input, &files).await {
        Err(StepError::Again {
            cause,
            after: Some(after),
        }) => {
            assert_eq!(cause, "GitHub asks to wait");
            assert!((36..=37).contains(&after.num_seconds()), "{after}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_repository_renamed_during_the_run_is_recognised() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let input = bench.planned(1, &plain(), &files).await;
    bench.run(1, &input, &files).await.unwrap();
    bench.github.rename("payments-api", "payments");
    let stopped = bench.run(1, &input, &files).await.unwrap_err();
    assert_eq!(
        stopped.to_string(),
        "GitHub refused: acme/payments-api was renamed to acme/payments"
    );
    let found = bench.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!(
        (found.repo.name(), found.made_by),
        ("payments", Some(request(1)))
    );
    bench.undo(1, &input, &files).await.unwrap();
    assert!(bench.github.world().repos.is_empty());

    // Its default branch renamed: what was pushed is there, and nothing is pushed a second time beside it.
    bench.run(1, &input, &files).await.unwrap();
    bench.github.rename_branch("payments-api", "main", "trunk");
    let said = bench.run(1, &input, &files).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "GitHub refused: acme/payments-api has no branch main any more"
    );
    assert!(matches!(
        bench.forge.remove(&payments(), request(9)).await,
        Err(ForgeError::Taken { .. })
    ));
}

#[tokio::test]
async fn a_permission_that_is_granted_later_counts_without_a_restart() {
    if !described() {
        return;
    }
    let (bench, files) = (Bench::new(), files(0));
    let granted = bench.github.world().app.granted.clone();
    let input = bench.planned(1, &plain(), &files).await;
    bench.github.withdraw("administration");
    let refused = bench.plan(2, &plain(), &files).await.unwrap_err();
    let lacks = "lacks the permission administration";
    assert!(refused.to_string().contains(lacks), "{refused}");
    let stopped = bench.run(1, &input, &files).await.unwrap_err();
    assert!(stopped.to_string().contains(lacks), "{stopped}");
    bench.github.world().app.granted = granted;
    bench.run(1, &input, &files).await.unwrap();
    bench.plan(1, &plain(), &files).await.unwrap();
}
