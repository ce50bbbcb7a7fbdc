//! `idp.toml` while idp runs: what changes in it is in force at once, and is evidence.

use serde_json::{Value, json};

use crate::support::serve::{API_TOKEN, Served, Site, until};
use crate::support::slack::{self, Fault};

const TOML: &str = r##"
[teams.payments]
title = "Payments"
members = ["U0PRIYA"]
leads = ["U0ALEX"]

[groups]
engineers = ["U0PRIYA", "U0ALEX"]
platform = ["U0ALEX"]
security = ["U0ALEX"]

[channels]
default = "#platform"
"##;

/// One more team, which the definitions don't name.
const CORE: &str = r#"
[teams.core]
members = ["U0PRIYA"]
leads = ["U0ALEX"]
"#;

async fn get(served: &Served, path: &str) -> Value {
    let url = format!("{}/api/requests{path}", served.url);
    let call = reqwest::Client::new().get(url).bearer_auth(API_TOKEN);
    call.send().await.unwrap().json().await.unwrap()
}

async fn asks(served: &Served, name: &str) -> (u16, Value) {
    let body = json!({ "command": "new-service", "by": "ops", "values": { "name": name, "template": "static-site",
        "owner": "payments", "visibility": "private", "headline": "Hello" } });
    let url = format!("{}/api/requests", served.url);
    let call = reqwest::Client::new().post(url).bearer_auth(API_TOKEN);
    let answer = call.json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn ready(served: &Served) -> (u16, String) {
    let answer = reqwest::get(format!("{}/readyz", served.url))
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The rows of this kind on the chain of what belongs to no request, as `idp audit export` prints them.
async fn rows(site: &Site, kind: &str) -> Vec<Value> {
    let exported = site.runs(&["audit", "export"]).await;
    let text = String::from_utf8(exported.stdout).unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["chain"] == "system" && row["body"]["kind"] == kind)
        .map(|row| row["body"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_new_requests_without_a_restart_and_lets_others_finish() {
    let site = Site::new(TOML).await;
    let served = site.serve().await;
    site.knows("U0ALEX", "platform").await;
    let (status, taken) = asks(&served, "payments-api").await;
    assert_eq!(status, 201, "{taken}");
    let number = format!("/{}", taken["number"]);
    let card = site
        .fake
        .until(|fake| {
            let messages = fake.messages("C0PLATFORM");
            let mut cards = messages.into_iter();
            cards.find(|m| m["blocks"].to_string().contains("request.approve"))
        })
        .await;

    site.configure(&format!("paused = 'Moving house until 14:00'\n{TOML}"));
    served.says("Read the configuration again").await;
    let answer = site.types(&served, "U0PRIYA", "new-service").await;
    assert!(
        answer.text.contains("Moving house until 14:00"),
        "{}",
        answer.text
    );
    let (status, refused) = asks(&served, "ledger-api").await;
    assert_eq!(status, 422);
    assert!(refused.to_string().contains("Moving house"), "{refused}");

    // What stands already goes its way.
    let press = slack::press(&site.fake, "U0ALEX", "C0PLATFORM", &card, "request.approve");
    site.presses(&served, &press).await;
    until("the run never succeeded", async || {
        let shown = get(&served, &number).await;
        (shown["run"]["state"] == "succeeded").then_some(())
    })
    .await;

    site.configure(TOML);
    until("it stays paused", async || {
        let opened = site.fake.calls("views.open").len();
        site.types(&served, "U0PRIYA", "new-service").await;
        (site.fake.calls("views.open").len() > opened).then_some(())
    })
    .await;
    let kept = rows(&site, "configuration.changed").await;
    let told: Vec<(&Value, &Value)> = kept.iter().map(|r| (&r["changed"], &r["paused"])).collect();
    assert_eq!(
        told,
        [
            (&json!(["paused"]), &json!("Moving house until 14:00")),
            (&json!(["paused"]), &Value::Null)
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_changes_nothing_and_a_good_one_brings_its_teams() {
    let site = Site::new(TOML).await;
    let served = site.serve().await;

    site.configure(&format!("pausd = 'x'\n{TOML}"));
    let log = served.says("The configuration is broken").await;
    assert!(log.contains("did you mean `paused`?"), "{log}");
    assert_eq!(asks(&served, "payments-api").await.0, 201);

    let more = TOML.replace(
        "security = [\"U0ALEX\"]",
        "security = [\"U0ALEX\", \"U0SAM\"]",
    );
    site.configure(&format!(
        "listen = '127.0.0.1:9'\norganisation = 'acme'\n[slack]\nbot_token = 'xoxb-geheim'\n{more}{CORE}"
    ));
    let log = served.says("only a start reads it").await;
    assert!(log.contains(r#"["listen", "slack.bot_token"]"#), "{log}");
    assert!(!log.contains("geheim"), "{log}");

    site.types(&served, "U0PRIYA", "new-service").await;
    let offered = site.fake.calls("views.open").pop().unwrap();
    assert!(
        offered.to_string().contains(r#""value":"core""#),
        "{offered:#}"
    );
    let kept = until("nothing was kept", async || {
        let rows = rows(&site, "configuration.changed").await;
        (!rows.is_empty()).then_some(rows)
    })
    .await;
    assert_eq!(kept.len(), 1);
    // On the local forge the organisation is taken over too, so the log doesn't ask for a start.
    assert_eq!(
        kept[0]["changed"],
        json!(["groups.security", "organisation", "teams.core"])
    );
    assert!(!kept[0].to_string().contains("geheim"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_that_are_read_again_are_evidence() {
    let site = Site::new(&format!("commands_dir = 'commands'\n{TOML}")).await;
    std::fs::create_dir(site.path("commands")).unwrap();
    let shipped = include_str!("../../commands/new-service.yaml");
    let file = site.path("commands/new-service.yaml");
    std::fs::write(&file, shipped).unwrap();
    let served = site.serve().await;

    let changed = shipped.replace("title: Create a service", "title: Create a thing");
    std::fs::write(&file, changed).unwrap();
    served.says("Read the definitions again").await;
    std::fs::write(&file, shipped.replace("onFailure: ask", "onFailure: asc")).unwrap();
    served.says("A definition is broken").await;
    let kept = until("nothing was kept", async || {
        let rows = rows(&site, "definitions.reloaded").await;
        (rows.len() == 2).then_some(rows)
    })
    .await;
    assert_eq!(kept[0]["changed"], json!(["command new-service"]));
    assert!(kept[1]["problems"].to_string().contains("asc"), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_is_ready_once_it_knows_its_workspace() {
    let site = Site::new(TOML).await;
    for _ in 0..4 {
        site.fake.fault("auth.test", Fault::Page(503));
    }
    let served = site.begins().await;
    let (status, why) = ready(&served).await;
    assert_eq!(status, 503);
    assert!(why.starts_with("slack: not reached"), "{why}");
    let early = site.types(&served, "U0PRIYA", "new-service").await;
    assert!(early.text.contains("only just started"), "{}", early.text);
    until("it is never ready", async || {
        (ready(&served).await.0 == 200).then_some(())
    })
    .await;
    assert_eq!(site.fake.calls("auth.test").len(), 5);
    let later = site.types(&served, "U0PRIYA", "help").await;
    assert!(later.text.contains("new-service"), "{}", later.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_pauses_sending_and_readyz_and_the_log_say_so() {
    let site = Site::new(TOML).await;
    let served = site.serve().await;
    site.knows("U0ALEX", "platform").await;
    let revoked = Fault::Code("token_revoked");
    site.fake.fault("chat.postMessage", revoked.clone());
    site.fake.fault("auth.test", revoked);
    let (status, taken) = asks(&served, "payments-api").await;
    assert_eq!(status, 201, "{taken}");
    served.says("Slack refuses our token: sending pauses").await;
    let told = until("readiness doesn't tell", async || {
        let (status, why) = ready(&served).await;
        (status == 503).then_some(why)
    });
    assert_eq!(
        told.await,
        "token: refused for Acme; sending is paused until it is good again\n"
    );
    assert_eq!(site.fake.calls("chat.postMessage").len(), 1);
    assert_eq!(rows(&site, "token.refused").await.len(), 1);
    // What needs no message goes on.
    let help = site.types(&served, "U0PRIYA", "help").await;
    assert!(help.text.contains("new-service"), "{}", help.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_with_another_state_key_is_turned_away() {
    let site = Site::new(TOML).await;
    drop(site.serve().await);
    let mut other = site.idp(&["serve"]);
    other.env("IDP_STATE_KEY", "another0another0another0another0");
    let refused = tokio::task::spawn_blocking(move || other.output().unwrap());
    let refused = refused.await.unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("not the one that this database was begun with"),
        "{said}"
    );
    drop(site.serve().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repositories_are_closed_behind_a_proxy_that_says_nothing_of_itself() {
    let site = Site::new("public_url = 'https://idp.example.com'").await;
    let served = site.serve().await;
    // What a plain `proxy_pass` sends: the bot's own address as the host, and not a word of where it came from.
    let status = async |served: &Served| {
        let answer = reqwest::get(format!("{}/git", served.url)).await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status(&served).await, 401);
    drop(served);
    site.configure("");
    let open = site.serve().await;
    assert_eq!(status(&open).await, 200);
    let told = site.types(&open, "U0PRIYA", "login").await;
    let so = "nothing to log in to: the git server is open";
    assert!(told.text.contains(so), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_gives_a_token_for_git_to_one_person_once() {
    let site = Site::new(&format!("public_url = 'https://idp.example.com'\n{TOML}")).await;
    let served = site.serve().await;
    site.knows("U0PRIYA", "platform").await;
    let answer = site.types(&served, "U0PRIYA", "Login").await;
    let said = &answer.text;
    let link = said.split("https://idp.example.com").nth(1);
    let link = link.unwrap_or_else(|| panic!("{said}"));
    let end = link.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c)));
    let path = &link[..end.unwrap_or(link.len())];
    let url = format!("{}{path}", served.url);

    // A preview reads the page and uses nothing up.
    let page = reqwest::get(&url).await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let press = async || reqwest::Client::new().post(&url).send().await.unwrap();
    let shown = press().await;
    assert_eq!(shown.status(), 200);
    let shown = shown.text().await.unwrap();
    let token = shown.split("<code>").nth(1).unwrap();
    let (token, _) = token.split_once('<').unwrap();
    assert_eq!(press().await.status(), 410);

    let git = async |token: &str| {
        let call = reqwest::Client::new().get(format!("{}/git", served.url));
        call.basic_auth("priya", Some(token)).send().await.unwrap()
    };
    assert_eq!(git(token).await.status(), 200);
    assert_eq!(git("else").await.status(), 401);
    assert_eq!(rows(&site, "login.opened").await.len(), 1);

    // Neither the link nor the token is kept anywhere.
    let pool = site.database.pool(1).await;
    let kept: String = sqlx::query_scalar(
        "select concat((select string_agg(reply::text, '') from inbox), (select string_agg(login::text, '') from login))",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let link = path.rsplit('/').next().unwrap();
    assert!(!kept.contains(link) && !kept.contains(token), "{kept}");

    // Whoever left has no token any more.
    sqlx::query("update account set active = false where external_id = 'U0PRIYA'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(git(token).await.status(), 401);
}
