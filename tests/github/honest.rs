//! The server is what it says: GitHub's own client works against it, and what GitHub refuses, it refuses.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::server::levers::Trouble;
use super::server::world::Kind;
use super::server::{GitHub, ORG, OWNER, spec};
use crate::simulator::clients::{found, root};

const PATIENCE: Duration = Duration::from_mins(2);

/// A bare client: what it sends is what a test says.
struct Caller {
    client: Client,
    api: String,
    token: String,
}

impl Caller {
    fn new(github: &GitHub, token: String) -> Self {
        let client = Client::builder()
            .user_agent("honest")
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            api: github.api_url().to_owned(),
            token,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut call = self
            .client
            .request(method, format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(body) = body {
            call = call.json(&body);
        }
        call.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None).await
    }

    async fn create(&self, body: Value) -> Response {
        let path = format!("/orgs/{ORG}/repos");
        self.send(Method::POST, &path, Some(body)).await
    }
}

/// Whether the description is there; without it the suite says so and is left out.
fn described() -> bool {
    found(&spec::file(), "the strict GitHub server")
}

async fn message(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["message"].as_str().unwrap().to_owned())
}

/// A JWT with these times against the clock, signed with the App's key.
fn jwt(github: &GitHub, issued: i64, expires: i64) -> String {
    let now = Utc::now().timestamp();
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let claims =
        json!({ "iat": now + issued, "exp": now + expires, "iss": github.app_id().to_string() });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&head), encode(&claims));
    let der: String = github
        .private_key()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let key = KeyPair::from_der(&STANDARD.decode(der).unwrap()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Runs a script of `tests/clients/` against a fresh server.
async fn node(script: &str, prepare: impl FnOnce(&GitHub)) {
    let modules = root().join(".tools/node/node_modules");
    if !described() || !found(&modules.join("octokit"), script) {
        return;
    }
    let github = GitHub::start();
    prepare(&github);
    let output = tokio::process::Command::new("node")
        .arg(root().join("tests/clients").join(script))
        .env("NODE_PATH", modules)
        .env("GITHUB_API_URL", github.api_url())
        .env("GITHUB_GIT_URL", github.git_url())
        .env("GITHUB_ORG", ORG)
        .env("GITHUB_APP_ID", github.app_id().to_string())
        .env("GITHUB_APP_PRIVATE_KEY", github.private_key())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, output).await;
    let output = output
        .unwrap_or_else(|_| panic!("the client doesn't end"))
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}\n{}\n{:#?}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        github.take_faults(),
    );
}

#[tokio::test]
async fn octokit_creates_pushes_sets_and_deletes() {
    node("github.mjs", |_| {}).await;
}

#[tokio::test]
async fn octokit_knows_its_limits_and_waits() {
    let low = |github: &GitHub| {
        let limits = &mut github.world().limits;
        (limits.content_a_minute, limits.wait) = (3, 1);
    };
    node("github-limits.mjs", low).await;
}

#[tokio::test]
async fn what_github_would_not_take_is_refused_and_remembered() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let caller = Caller::new(&github, github.installation_token());
    let unknown_field = caller
        .create(json!({ "name": "a", "visbility": "private" }))
        .await;
    assert_eq!(unknown_field.status(), 422);
    let wrong_type = caller
        .create(json!({ "name": "a", "private": "yes" }))
        .await;
    assert_eq!(wrong_type.status(), 422);
    assert_eq!(
        caller.create(json!({ "private": true })).await.status(),
        422
    );
    assert_eq!(
        caller.get("/orgs/acme/repos?sort=names").await.status(),
        422
    );
    assert_eq!(caller.get("/orgs/acme/repositories").await.status(), 404);
    let faults = github.take_faults().join("\n");
    for part in [
        "visbility",
        "\"yes\"",
        "\"name\" is a required",
        "names",
        "no operation GET /orgs/acme/repositories",
    ] {
        assert!(faults.contains(part), "{part}\n{faults}");
    }
    assert!(github.repo("a", |_| ()).is_none());
}

#[tokio::test]
async fn a_test_that_leaves_faults_fails() {
    if !described() {
        return;
    }
    let ended = tokio::task::spawn(async {
        let github = GitHub::start();
        let caller = Caller::new(&github, github.installation_token());
        caller
            .create(json!({ "name": "a", "visbility": "private" }))
            .await;
    });
    assert!(ended.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn the_apps_jwt_is_held_to_githubs_clock() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let app = async |issued, expires| {
        message(
            Caller::new(&github, jwt(&github, issued, expires))
                .get("/app")
                .await,
        )
        .await
    };
    let good = Caller::new(&github, jwt(&github, -60, 540))
        .get("/app")
        .await;
    assert_eq!(good.status(), 200);
    let (status, said) = app(-600, -1).await;
    assert!(
        status == 401 && said.contains("must be a numeric value representing the future time"),
        "{said}"
    );
    let (status, said) = app(-60, 660).await;
    assert!(
        status == 401 && said.contains("too far in the future"),
        "{said}"
    );
    let (status, said) = app(30, 500).await;
    assert!(
        status == 401 && said.contains("'Issued at' claim"),
        "{said}"
    );
    github.skew(-120);
    let (_, said) = app(0, 540).await;
    assert!(
        said.contains("too far") || said.contains("'Issued at' claim"),
        "{said}"
    );
    let stranger = format!("{}x", jwt(&github, -60, 300));
    let (status, said) = message(Caller::new(&github, stranger).get("/app").await).await;
    assert_eq!(
        (status, &*said),
        (401, "A JSON web token could not be decoded")
    );
}

#[tokio::test]
async fn tokens_expire_and_are_revoked_and_leave_with_the_app() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let app = Caller::new(&github, jwt(&github, -60, 540));
    let path = format!(
        "/app/installations/{}/access_tokens",
        github.world().app.installation
    );
    let token = async || {
        let answer = app
            .send(
                Method::POST,
                &path,
                Some(json!({ "permissions": { "contents": "read" } })),
            )
            .await;
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let caller = Caller::new(&github, token().await);
    assert_eq!(caller.get("/installation/repositories").await.status(), 200);
    github.skew(3601);
    assert_eq!(
        message(caller.get("/installation/repositories").await).await,
        (401, "Bad credentials".to_owned())
    );
    github.skew(0);
    let caller = Caller::new(&github, token().await);
    github.uninstall();
    assert_eq!(caller.get("/installation/repositories").await.status(), 401);
    assert_eq!(app.send(Method::POST, &path, None).await.status(), 404);
    assert_eq!(app.get("/orgs/acme/installation").await.status(), 404);
}

#[tokio::test]
async fn a_person_does_what_token_and_role_allow() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let weak = Caller::new(&github, github.classic_token(OWNER, &["read:org"]));
    let refused = weak.create(json!({ "name": "a", "private": true })).await;
    assert_eq!(refused.headers()["x-oauth-scopes"], "read:org");
    assert_eq!(refused.headers()["x-accepted-oauth-scopes"], "repo");
    assert_eq!(refused.status(), 403);
    let strong = Caller::new(&github, github.classic_token(OWNER, &["repo"]));
    assert_eq!(
        strong
            .create(json!({ "name": "a", "private": true }))
            .await
            .status(),
        201
    );
    let (status, said) = message(strong.send(Method::DELETE, "/repos/acme/a", None).await).await;
    assert!(status == 403 && said.contains("delete_repo"), "{said}");
    let fine = github.fine_grained_token(
        "priya-nair",
        &[("administration", "write"), ("metadata", "read")],
    );
    assert_eq!(
        Caller::new(&github, fine.clone())
            .create(json!({ "name": "b" }))
            .await
            .status(),
        403
    );
    assert_eq!(
        Caller::new(&github, fine)
            .get("/repos/acme/a")
            .await
            .status(),
        404
    );
    assert_eq!(
        strong.get("/user").await.json::<Value>().await.unwrap()["login"],
        OWNER
    );
}

#[tokio::test]
async fn a_visibility_that_is_forbidden_and_a_name_that_moved() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let caller = Caller::new(&github, github.installation_token());
    github.forbid("public");
    let (status, _) = message(
        caller
            .create(json!({ "name": "a", "visibility": "public" }))
            .await,
    )
    .await;
    assert_eq!(status, 422);
    let made: Value = caller
        .create(json!({ "name": "a", "visibility": "internal" }))
        .await
        .json()
        .await
        .unwrap();
    github.rename("a", "b");
    let redirect = caller.get("/repos/acme/a/topics?per_page=5").await;
    assert_eq!(redirect.status(), 301);
    let to = redirect.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(
        to,
        format!(
            "{}/repositories/{}/topics?per_page=5",
            github.api_url(),
            made["id"]
        )
    );
    assert_eq!(
        caller
            .get(to.strip_prefix(github.api_url()).unwrap())
            .await
            .status(),
        200
    );
    assert_eq!(
        caller
            .send(Method::DELETE, "/repos/acme/a", None)
            .await
            .status(),
        307
    );
    assert_eq!(
        caller
            .create(json!({ "name": "a", "private": true }))
            .await
            .status(),
        201
    );
    assert_ne!(
        caller
            .get("/repos/acme/a")
            .await
            .json::<Value>()
            .await
            .unwrap()["id"],
        made["id"]
    );
    github.transfer("b", "eve-elsewhere");
    assert_eq!(caller.get("/repos/acme/b").await.status(), 404);
}

#[tokio::test]
async fn limits_refuse_and_notice_who_comes_back_too_early() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let caller = Caller::new(&github, github.installation_token());
    {
        let limits = &mut github.world().limits;
        (limits.content_a_minute, limits.on_their_way) = (2, Duration::ZERO);
    }
    for name in ["a", "b"] {
        assert_eq!(
            caller
                .create(json!({ "name": name, "private": true }))
                .await
                .status(),
            201
        );
    }
    let refused = caller.create(json!({ "name": "c", "private": true })).await;
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["retry-after"].as_bytes()
        ),
        (403, &b"60"[..])
    );
    assert!(message(refused).await.1.contains("secondary rate limit"));
    assert_eq!(
        caller.get("/repos/acme/a").await.status(),
        200,
        "reads go on"
    );
    assert_eq!(
        caller
            .create(json!({ "name": "c", "private": true }))
            .await
            .status(),
        403
    );
    assert!(github.take_faults()[0].contains("came back before its time"));
    github.advance(Duration::from_secs(61));
    assert_eq!(
        caller
            .create(json!({ "name": "c", "private": true }))
            .await
            .status(),
        201
    );

    let now = github.world().now();
    let who = format!("installation ID {}", github.world().app.installation);
    github.world().limits.exhaust(&who, now);
    let refused = caller.get("/repos/acme/a").await;
    assert_eq!(refused.headers()["x-ratelimit-remaining"].as_bytes(), b"0");
    let (status, said) = message(refused).await;
    assert!(
        status == 403 && said.starts_with("API rate limit exceeded for installation ID"),
        "{said}"
    );
    github.advance(Duration::from_secs(3600));
    let answer = caller.get("/repos/acme/a").await;
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let again = caller.client.get(format!("{}/repos/acme/a", caller.api));
    let again = again
        .bearer_auth(&caller.token)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn levers_break_calls_before_and_after_their_effect() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let caller = Caller::new(&github, github.installation_token());
    let url = format!("{}/orgs/{ORG}/repos", github.api_url());
    let create = async |name: &str| {
        let body = json!({ "name": name, "private": true });
        caller
            .client
            .post(&url)
            .bearer_auth(&caller.token)
            .json(&body)
            .send()
            .await
    };
    github.trouble("repos/create-in-org", 1, Trouble::BreakBefore);
    assert_eq!(create("a").await.unwrap().status(), 201);
    assert!(create("b").await.is_err());
    assert!(github.repo("b", |_| ()).is_none());
    github.trouble("repos/create-in-org", 0, Trouble::BreakAfter);
    assert!(create("b").await.is_err());
    assert!(github.repo("b", |_| ()).is_some());
    github.troubles("*", 0, 2, Trouble::Status(502));
    assert_eq!(caller.get("/repos/acme/a").await.status(), 502);
    assert_eq!(caller.get("/repos/acme/a").await.status(), 502);
    assert_eq!(caller.get("/repos/acme/a").await.status(), 200);
    assert_eq!(
        (github.count(Kind::Write), github.count(Kind::Read)),
        (3, 3)
    );
    assert_eq!(github.world().levers.left(), 0);
}

#[tokio::test]
async fn a_person_links_by_the_device_flow() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let client = Client::builder().user_agent("honest").build().unwrap();
    let id = github.world().app.client_id.clone();
    let post = async |path: &str, form: &[(&str, &str)]| -> Value {
        let call = client.post(format!("{}{path}", github.git_url()));
        let answer = call
            .header("accept", "application/json")
            .body(serde_urlencoded::to_string(form).unwrap())
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    };
    let begun = post("/login/device/code", &[("client_id", &id)]).await;
    let code = begun["device_code"].as_str().unwrap();
    let form = [
        ("client_id", &*id),
        ("device_code", code),
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
    ];
    let poll = async || post("/login/oauth/access_token", &form).await;
    assert_eq!(poll().await["error"], "authorization_pending");
    assert_eq!(
        poll().await["interval"],
        10,
        "asked again at once: slow_down"
    );
    github.advance(Duration::from_secs(10));
    github.authorise_device(begun["user_code"].as_str().unwrap(), Some("priya-nair"));
    let given = poll().await;
    let person = Caller::new(&github, given["access_token"].as_str().unwrap().to_owned());
    assert_eq!(
        person.get("/user").await.json::<Value>().await.unwrap()["login"],
        "priya-nair"
    );
    assert_eq!(
        poll().await["error"],
        "expired_token",
        "a code is good once"
    );
    let late = post("/login/device/code", &[("client_id", &id)]).await;
    github.advance(Duration::from_secs(901));
    let form = [
        form[0],
        ("device_code", late["device_code"].as_str().unwrap()),
        form[2],
    ];
    assert_eq!(
        post("/login/oauth/access_token", &form).await["error"],
        "expired_token"
    );
}

#[tokio::test]
async fn what_happens_on_github_meanwhile() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let caller = Caller::new(&github, github.installation_token());
    assert_eq!(
        caller
            .create(json!({ "name": "a", "private": true }))
            .await
            .status(),
        201
    );
    github.clear_log();

    let head = github.foreign_push("a", "stranger.txt", "hello");
    github.rename_branch("a", "main", "trunk");
    let branches: Value = caller
        .get("/repos/acme/a/branches")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&branches[0]["name"], &branches[0]["commit"]["sha"]),
        (&json!("trunk"), &json!(head))
    );
    let file: Value = caller
        .get("/repos/acme/a/contents/stranger.txt")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(file["content"], STANDARD.encode("hello"));
    github.org_ruleset(&json!([{ "type": "deletion" }]));
    let rules: Value = caller
        .get("/repos/acme/a/rules/branches/trunk")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&rules[0]["type"], &rules[0]["ruleset_source_type"]),
        (&json!("deletion"), &json!("Organization"))
    );

    assert_eq!(caller.get("/orgs/acme/teams/payments").await.status(), 200);
    github.delete_team("payments");
    assert_eq!(caller.get("/orgs/acme/teams/payments").await.status(), 404);
    github.withdraw("members");
    assert_eq!(caller.get("/orgs/acme/teams/security").await.status(), 403);
    assert_eq!(github.count(Kind::Read), 6);
    github.grant(&[("metadata", "read")]);
    let weak = Caller::new(&github, github.installation_token());
    assert_eq!(
        weak.create(json!({ "name": "b", "private": true }))
            .await
            .status(),
        403
    );
    github.suspend(true);
    assert_eq!(caller.get("/repos/acme/a").await.status(), 403);
    github.suspend(false);
    let enterprise = Caller {
        api: github.enterprise_api_url(),
        ..caller
    };
    assert_eq!(enterprise.get("/repos/acme/a").await.status(), 200);
    github.delete("a");
    assert_eq!(enterprise.get("/repos/acme/a").await.status(), 404);
    github.revoke_tokens();
    assert_eq!(enterprise.get("/repos/acme/a").await.status(), 401);
    assert_eq!(github.log().last().unwrap().status, Some(401));
}

/// Not a test: the server by hand, for trying `idp serve` against it. It stays until its standard input closes.
#[test]
#[ignore = "runs until its standard input closes"]
fn serve_by_hand() {
    let github = GitHub::start();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("app.pem");
    std::fs::write(&key, github.private_key()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let scopes = [
        "repo",
        "workflow",
        "read:org",
        "delete_repo",
        "admin:repo_hook",
    ];
    println!("GITHUB_API_URL={}", github.api_url());
    println!("GITHUB_GIT_URL={}", github.git_url());
    println!("GITHUB_ORG={ORG}");
    println!("GITHUB_TOKEN={}", github.classic_token(OWNER, &scopes));
    let lacking = github.classic_token(OWNER, &["repo", "read:org"]);
    println!("# One that lacks a scope: GITHUB_TOKEN={lacking}");
    println!("GITHUB_APP_ID={}", github.app_id());
    println!("GITHUB_APP_PRIVATE_KEY_FILE={}", key.display());
    let _closed = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    for fault in github.take_faults() {
        println!("GitHub would not have taken this: {fault}");
    }
}
