//! What idp says on GitHub besides making repositories: webhooks of single repositories, statuses of commits, comments.
//! Each stands once, whatever breaks on the way, and is taken back without touching what others said.

use idp::clients::forge::github::{AppKey, Credentials, GitHubSettings, Undo, Webhook};
use idp::domain::plan::PlannedValue;
use idp::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use serde_json::{Value, json};

use super::publishing::{Bench, asked_at, calls, context, described, done, files, plain, request};
use super::server::levers::Trouble;
use super::server::world::Repo;
use super::server::{GitHub, ORG};

const ADDRESS: &str = "https://idp.example.com/github/webhooks";

fn with_webhooks(github: GitHub) -> Bench {
    let key = AppKey::from_pem(&github.private_key().to_owned().into()).unwrap();
    let settings = GitHubSettings {
        api_url: github.api_url().parse().unwrap(),
        git_url: github.git_url().parse().unwrap(),
        organisation: ORG.to_owned(),
        credentials: Credentials::App {
            id: github.app_id().to_string(),
            key,
        },
        undo: Undo::Delete,
        webhook: Some(Webhook {
            address: ADDRESS.parse().unwrap(),
            secret: "hunter3".to_owned().into(),
        }),
    };
    Bench::reached(github, settings)
}

#[tokio::test]
async fn a_repository_gets_one_webhook_of_its_own_where_that_is_wanted() {
    if !described() {
        return;
    }
    let (bench, files) = (with_webhooks(GitHub::start()), files(0));
    let plan = bench.plan(1, &plain(), &files).await.unwrap();
    let fact = plan.facts.iter().find(|fact| fact.noun == "webhook");
    assert_eq!(fact.unwrap().name, ADDRESS);
    assert!(!format!("{plan:?}").contains("hunter3"));
    let input = bench.planned(1, &plain(), &files).await;
    bench.github.clear_log();
    // The answer is lost after the webhook was made; the next try finds it there.
    let lost = Trouble::BreakAfter;
    bench.github.troubles("repos/create-webhook", 0, 1, lost);
    assert!(bench.run(1, &input, &files).await.is_err());
    let made = bench.run(1, &input, &files).await.unwrap();
    assert_eq!(bench.run(1, &input, &files).await.unwrap(), made);
    let hooks: Vec<Value> = hooks(&bench);
    assert_eq!(hooks.len(), 1, "{hooks:?}");
    assert_eq!(hooks[0]["config"]["url"], ADDRESS);
    assert_eq!(hooks[0]["config"]["content_type"], "json");
    assert_eq!(hooks[0]["config"]["secret"], "********", "it has one");
    assert_eq!(hooks[0]["events"], json!(["repository"]));
}

fn hooks(bench: &Bench) -> Vec<Value> {
    let all = |repo: &Repo| repo.hooks.values().cloned().collect();
    bench.github.repo("payments-api", all).unwrap()
}

#[tokio::test]
async fn a_webhook_costs_one_write_and_its_missing_permission_is_told_in_the_plan() {
    if !described() {
        return;
    }
    let (bench, files) = (with_webhooks(GitHub::start()), files(0));
    let input = bench.planned(1, &plain(), &files).await;
    bench.github.clear_log();
    bench.run(1, &input, &files).await.unwrap();
    let (with, _) = calls(&bench.github);
    assert!(with <= 12, "{with} writes");
    let without = Bench::new();
    let input = without.planned(1, &plain(), &files).await;
    without.github.clear_log();
    without.run(1, &input, &files).await.unwrap();
    assert_eq!(with, calls(&without.github).0 + 1);

    let github = GitHub::start();
    github.withdraw("repository_hooks");
    let refused = with_webhooks(github).plan(1, &plain(), &files).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("lacks the permission repository_hooks: write"),
        "{refused}"
    );
}

/// A repository of ours, and its first commit.
async fn standing() -> (Bench, String) {
    let (bench, files) = (Bench::new(), files(0));
    let made = bench.made(1, &plain(), &files).await;
    let commit = made.output["commitHash"].as_str().unwrap().to_owned();
    bench.github.clear_log();
    (bench, commit)
}

const REPO: &str = "github.com?owner=acme&repo=payments-api";

async fn plan(bench: &Bench, action: &str, input: &Value) -> Result<StepPlan, PlanError> {
    let context = idp::steps::PlanContext {
        request: request(1),
        number: idp::domain::id::RequestNumber(142),
        requester: "Priya Nair",
        github: None,
        asked_at: asked_at(),
        template: None,
        workspace: None,
    };
    let action = bench.registry.get(action).unwrap();
    action
        .plan(&context, &PlannedValue::known(input.clone()))
        .await
}

async fn run(bench: &Bench, action: &str, input: &Value) -> Result<Done, StepError> {
    let action = bench.registry.get(action).unwrap();
    action.run(&context(1, &files(0)), input).await.map(done)
}

async fn undo(bench: &Bench, action: &str, input: &Value) -> TakenBack {
    let action = bench.registry.get(action).unwrap();
    match action.undo(&context(1, &files(0)), input, None).await {
        Ok(Outcome::Done(taken)) => taken,
        other => panic!("{other:?}"),
    }
}

/// What is said of the repository's commits: context, state, description.
fn statuses(bench: &Bench) -> Vec<String> {
    let all = |repo: &Repo| {
        let one = |(_, status): &(String, Value)| {
            let part = |name: &str| status[name].as_str().unwrap_or("-").to_owned();
            [part("context"), part("state"), part("description")].join(" ")
        };
        repo.statuses.iter().map(one).collect()
    };
    bench.github.repo("payments-api", all).unwrap()
}

const STATUS: &str = "github:commit-status";

#[tokio::test]
async fn a_commits_status_is_said_once_and_taken_back_by_a_later_word() {
    if !described() {
        return;
    }
    let (bench, commit) = standing().await;
    let input = json!({
        "repoUrl": REPO, "commit": commit, "state": "success", "context": "idp/golden-path",
        "description": "Made from node-http", "targetUrl": "https://idp.example.com/142",
    });
    let planned = plan(&bench, STATUS, &input).await.unwrap();
    assert_eq!(
        planned.facts[0].name,
        "idp/golden-path in acme/payments-api"
    );
    assert_eq!(calls(&bench.github).0, 0, "planning only reads");
    let lost = Trouble::BreakAfter;
    bench
        .github
        .troubles("repos/create-commit-status", 0, 1, lost);
    let unsure = run(&bench, STATUS, &input).await.unwrap_err();
    assert!(matches!(unsure, StepError::Unknown { .. }), "{unsure:?}");
    for _ in 0..2 {
        run(&bench, STATUS, &input).await.unwrap();
    }
    let said = "idp/golden-path success Made from node-http".to_owned();
    assert_eq!(statuses(&bench), std::slice::from_ref(&said), "said once");
    for _ in 0..2 {
        assert_eq!(undo(&bench, STATUS, &input).await, TakenBack::Archived);
    }
    let taken_back = "idp/golden-path error Taken back".to_owned();
    assert_eq!(statuses(&bench), [said, taken_back]);
}

#[tokio::test]
async fn another_word_about_a_commit_is_nobodys_to_take_back() {
    if !described() {
        return;
    }
    let (bench, commit) = standing().await;
    let ours = json!({ "repoUrl": REPO, "commit": commit, "state": "success" });
    let theirs = json!({ "repoUrl": REPO, "commit": commit, "state": "failure" });
    assert_eq!(undo(&bench, STATUS, &ours).await, TakenBack::Nothing);
    run(&bench, STATUS, &ours).await.unwrap();
    run(&bench, STATUS, &theirs).await.unwrap();
    assert_eq!(undo(&bench, STATUS, &ours).await, TakenBack::Nothing);
    assert_eq!(statuses(&bench), ["idp success -", "idp failure -"]);
}

#[tokio::test]
async fn what_can_not_be_said_stops_with_a_sentence() {
    if !described() {
        return;
    }
    let (bench, commit) = standing().await;
    let nowhere =
        json!({ "repoUrl": "x?owner=acme&repo=gone", "commit": commit, "state": "success" });
    let stopped = run(&bench, STATUS, &nowhere).await.unwrap_err();
    assert_eq!(stopped.to_string(), "acme/gone doesn't exist");
    assert_eq!(undo(&bench, STATUS, &nowhere).await, TakenBack::Nothing);
    let no_id = json!({ "repoUrl": REPO, "commit": "main", "state": "success" });
    let stopped = run(&bench, STATUS, &no_id).await.unwrap_err();
    assert_eq!(stopped.to_string(), "`main` is no commit's id");
    let elsewhere =
        json!({ "repoUrl": "x?owner=other&repo=a", "commit": commit, "state": "success" });
    let refused = plan(&bench, STATUS, &elsewhere).await.unwrap_err();
    assert!(
        refused.to_string().contains("repositories of acme alone"),
        "{refused}"
    );
    bench.github.withdraw("statuses");
    let input = json!({ "repoUrl": REPO, "commit": commit, "state": "success" });
    let stopped = run(&bench, STATUS, &input).await.unwrap_err();
    let named = |cause: &str| cause.contains("statuses");
    assert!(
        matches!(&stopped, StepError::Stop { cause } if named(cause)),
        "{stopped}"
    );
    // Planned by another process, it is told before anybody approves.
    let bench = bench.restarted();
    let refused = plan(&bench, STATUS, &input).await.unwrap_err();
    assert!(
        matches!(&refused, PlanError::Refused(_)) && named(&refused.to_string()),
        "{refused}"
    );
}

const COMMENT: &str = "github:comment";

/// The texts of comments, on the pull request and on commits, without their marks.
fn comments(bench: &Bench) -> Vec<String> {
    let all = |repo: &Repo| {
        let talk = repo.talk.iter().map(|(_, comment)| comment);
        let commits = repo.comments.iter().map(|(_, comment)| comment);
        let text = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
        talk.chain(commits).map(text).collect::<Vec<String>>()
    };
    let texts = bench.github.repo("payments-api", all).unwrap();
    let plain = |text: String| text.split("\n\n<!-- idp").next().unwrap().to_owned();
    texts.into_iter().map(plain).collect()
}

#[tokio::test]
async fn a_comment_stands_once_whatever_breaks_and_says_the_last_word() {
    if !described() {
        return;
    }
    let (bench, commit) = standing().await;
    bench.github.world().repos.values_mut().for_each(|repo| {
        repo.pulls.insert(7);
    });
    let on_commit = |body: &str| json!({ "repoUrl": REPO, "commit": commit, "body": body });
    let on_pull = |body: &str| json!({ "repoUrl": REPO, "pullRequest": 7, "body": body });
    let planned = plan(&bench, COMMENT, &on_pull("Hello")).await.unwrap();
    assert_eq!(
        planned.facts[0].name,
        "on pull request 7 of acme/payments-api"
    );
    for (input, other, operation) in [
        (
            on_pull("Hello"),
            on_pull("Changed"),
            "issues/create-comment",
        ),
        (
            on_commit("Hello"),
            on_commit("Changed"),
            "repos/create-commit-comment",
        ),
    ] {
        bench.github.troubles(operation, 0, 1, Trouble::BreakAfter);
        assert!(run(&bench, COMMENT, &input).await.is_err());
        let page = run(&bench, COMMENT, &input).await.unwrap();
        assert!(
            page.output["commentUrl"]
                .as_str()
                .unwrap()
                .contains("payments-api")
        );
        assert_eq!(comments(&bench), ["Hello"], "once");
        assert_eq!(
            run(&bench, COMMENT, &other).await.unwrap().output,
            page.output
        );
        assert_eq!(comments(&bench), ["Changed"]);
        assert_eq!(undo(&bench, COMMENT, &other).await, TakenBack::Removed);
        assert_eq!(undo(&bench, COMMENT, &other).await, TakenBack::Nothing);
        assert!(comments(&bench).is_empty());
    }
    let unknown = json!({ "repoUrl": REPO, "pullRequest": 8, "body": "Hello" });
    assert!(matches!(
        run(&bench, COMMENT, &unknown).await,
        Err(StepError::Stop { .. })
    ));
    assert_eq!(undo(&bench, COMMENT, &unknown).await, TakenBack::Nothing);
}

#[tokio::test]
async fn a_comment_is_found_among_many_and_never_taken_for_somebody_elses() {
    if !described() {
        return;
    }
    let (bench, commit) = standing().await;
    let input = json!({ "repoUrl": REPO, "commit": commit, "body": "Ours" });
    run(&bench, COMMENT, &input).await.unwrap();
    let mut theirs = Vec::new();
    bench.github.world().repos.values_mut().for_each(|repo| {
        let (of, ours) = repo.comments.pop().unwrap();
        for n in 0..130 {
            let text = format!("theirs {n}, on <!-- idp --> marks");
            let mut comment = ours.clone();
            comment["id"] = json!(1_000_000_000_u64 + n);
            comment["body"] = json!(text);
            repo.comments.push((of.clone(), comment));
            theirs.push(text);
        }
    });
    run(&bench, COMMENT, &input).await.unwrap();
    let again = run(&bench, COMMENT, &input).await.unwrap();
    assert!(
        again.output["commentUrl"]
            .as_str()
            .unwrap()
            .contains("payments-api")
    );
    assert_eq!(comments(&bench).len(), 131);
    assert_eq!(undo(&bench, COMMENT, &input).await, TakenBack::Removed);
    assert_eq!(comments(&bench), theirs);
}

#[test]
fn the_local_forge_has_no_place_for_remarks() {
    let known = |forge| {
        let specs = idp::steps::specs(forge);
        specs.iter().any(|spec| spec.name == STATUS)
    };
    assert!(known(idp::clients::forge::ForgeKind::GitHub));
    assert!(!known(idp::clients::forge::ForgeKind::Local));
}
