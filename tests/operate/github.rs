//! `idp doctor` before GitHub: each story is one deployment and what it is told.

use std::process::Command;

use crate::github::server::{GitHub, ORG, OWNER, spec};
use crate::simulator::clients::found;
use crate::support::serve::Site;

const SCOPES: [&str; 4] = ["repo", "workflow", "read:org", "delete_repo"];

fn described() -> bool {
    found(&spec::file(), "idp doctor before the strict GitHub server")
}

/// What is told of GitHub, in lines with their blanks made one. `who` says who idp is there.
async fn told(github: &GitHub, who: impl FnOnce(&mut Command)) -> String {
    let site = Site::new("").await;
    let mut doctor = site.idp(&["doctor"]);
    doctor
        .env("GITHUB_API_URL", github.api_url())
        .env("GITHUB_GIT_URL", github.git_url())
        .env("GITHUB_ORG", ORG)
        .env("GITHUB_WEBHOOK_SECRET", "s3cret")
        .env("IDP_PUBLIC_URL", "https://idp.example.com");
    who(&mut doctor);
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap());
    let text = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let mut ours = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            ours = words.get(1) == Some(&"github");
        }
        if ours {
            lines.push(words.join(" "));
        }
    }
    let said = lines.join("\n");
    said.replace(github.git_url(), "https://github.test")
}

async fn as_app(github: &GitHub) -> String {
    told(github, |doctor| {
        doctor
            .env("GITHUB_APP_ID", github.app_id().to_string())
            .env("GITHUB_APP_PRIVATE_KEY", github.private_key());
    })
    .await
}

async fn with_token(github: &GitHub, token: &str) -> String {
    told(github, |doctor| {
        doctor.env("GITHUB_TOKEN", token);
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_app_and_a_good_token_are_good_line_by_line() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    insta::assert_snapshot!(as_app(&github).await, @r"
    ok github App acme-idp in acme
    ok github rights all 5 permissions that idp needs
    ok github organisation acme has no rule in the way
    ok github clock right within a minute
    ok github rate 4999 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
    let token = github.classic_token(OWNER, &SCOPES);
    insta::assert_snapshot!(with_token(&github, &token).await, @r"
    ok github token of olivia, admin of acme
    ok github rights all 3 scopes that idp needs
    ok github organisation acme has no rule in the way
    ok github clock right within a minute
    ok github rate 4996 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
    let token = github.fine_grained_token(OWNER, &[("members", "read")]);
    insta::assert_snapshot!(with_token(&github, &token).await, @r"
    ok github token of olivia, admin of acme
    note github rights teams can be read; what else a fine-grained token may, GitHub doesn't tell: docs/github.md lists what it needs
    ok github organisation acme has no rule in the way
    ok github clock right within a minute
    ok github rate 4992 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_named_with_what_it_costs() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    github.withdraw("workflows");
    github.withdraw("secrets");
    let said = as_app(&github).await;
    insta::assert_snapshot!(said, @r"
    ok github App acme-idp in acme
    fail github rights `workflows: write` is missing: templates with `.github/workflows` are refused in the plan
    fix: grant it at https://github.test/organizations/acme/settings/apps/acme-idp/permissions, and accept it at https://github.test/organizations/acme/settings/installations/58110042/permissions/update
    note github rights without `secrets: write`, templates with `secrets` are refused in the plan
    ok github organisation acme has no rule in the way
    ok github clock right within a minute
    ok github rate 4999 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
    let token = github.classic_token(OWNER, &["repo", "read:org"]);
    let said = with_token(&github, &token).await;
    insta::assert_snapshot!(said, @r#"
    ok github token of olivia, admin of acme
    fail github rights `workflow` is missing: templates with `.github/workflows` are refused in the plan
    fix: add the scope to the token: https://github.test/settings/tokens
    note github rights without `delete_repo`, what is taken back can't be deleted (or set `undo = "archive"` under `[github]`)
    ok github organisation acme has no rule in the way
    ok github clock right within a minute
    ok github rate 4996 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    "#);
    let token = github.fine_grained_token(OWNER, &[("contents", "write")]);
    let said = with_token(&github, &token).await;
    assert!(
        said.contains("fail github rights `members: read` is missing"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_and_an_app_that_is_not_installed_are_told_apart() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let token = github.classic_token(OWNER, &SCOPES);
    github.revoke_tokens();
    let said = with_token(&github, &token).await;
    insta::assert_snapshot!(said, @r"
    fail github GitHub refuses the token: Bad credentials
    fix: make a new one at https://github.test/settings/tokens and give it as `GITHUB_TOKEN`, or use an App (docs/github.md)
    ok github clock right within a minute
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
    github.suspend(true);
    let said = as_app(&github).await;
    assert!(
        said.contains("fail github the App acme-idp is suspended in acme"),
        "{said}"
    );
    github.uninstall();
    let said = as_app(&github).await;
    insta::assert_snapshot!(said, @r"
    fail github the App acme-idp isn't installed in acme
    fix: install it for all repositories: https://github.test/apps/acme-idp/installations/new
    ok github clock right within a minute
    ok github rate 4994 of this hour's 5000 calls are left
    ok github webhooks signed ones, at https://idp.example.com/github/webhooks
    ");
    let said = told(&github, |doctor| {
        doctor
            .env("GITHUB_APP_ID", "7")
            .env("GITHUB_APP_PRIVATE_KEY", github.private_key());
    });
    let said = said.await;
    assert!(
        said.contains("fail github GitHub knows no App of this id fix: ")
            || said.contains("fail github GitHub knows no App of this id\nfix: "),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_a_wrong_clock_and_a_github_that_is_away_are_told() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    github.forbid("private");
    github.forbid("public");
    github.skew(600);
    let said = as_app(&github).await;
    assert!(
        said.contains("fail github organisation acme lets nobody make repositories"),
        "{said}"
    );
    assert!(said.contains("warn github clock"), "{said}");
    assert!(said.contains("behind GitHub's"), "{said}");
    assert!(said.starts_with("ok github App acme-idp in acme"), "{said}");
    let said = told(&github, |doctor| {
        doctor
            .env("GITHUB_TOKEN", "ghp_x")
            .env("GITHUB_API_URL", "http://127.0.0.1:9");
    });
    let said = said.await;
    assert!(said.contains("GitHub doesn't say who we are"), "{said}");
    assert!(said.contains("let this machine reach"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_is_not_on_github_is_told_with_the_nearest_right_word() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let site = Site::new(
        r#"
        [teams.payments]
        members = ["group:github:acme/payments"]
        leads = ["group:github:acme/payment-leads"]

        [groups]
        engineers = ["group:github:acme/payments"]
        platform = ["U0ALEX", "U0SAM"]
        security = ["U0ALEX", "U0SAM", "U0MO"]
        "#,
    )
    .await;
    let mut doctor = site.idp(&["doctor"]);
    doctor
        .env("GITHUB_API_URL", github.api_url())
        .env("GITHUB_GIT_URL", github.git_url())
        .env("GITHUB_ORG", ORG)
        .env("GITHUB_APP_ID", github.app_id().to_string())
        .env("GITHUB_APP_PRIVATE_KEY", github.private_key());
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap());
    let text = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let said = words.join(" ");
    assert!(
        said.contains(
            "fail groups there is no team acme/payment-leads on GitHub fix: did you mean `github:acme/payments-leads`?"
        ),
        "{text}"
    );
    assert!(said.contains("fail teams `payments` has no lead"), "{text}");
    assert!(
        said.contains("fail github links nobody can link their account"),
        "{text}"
    );
    assert!(!said.contains("`engineers` has nobody"), "{text}");
}
