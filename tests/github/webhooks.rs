//! GitHub's webhook: what is let in, what it changes, and that it counts once, whatever the order.

use std::path::PathBuf;

use hmac::{Hmac, KeyInit, Mac};
use idp::chat::github::parse::{Headers, Parsed, parse};
use idp::chat::github::verify::verify;
use idp::domain::event::Event;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::simulator::clients::{found, root};
use crate::wire::bot::{Bot, GITHUB_APP, WEBHOOK_SECRET};

const MODULES: &str = ".tools/node/node_modules/@octokit";

/// GitHub's published examples, by kind.
fn examples() -> Option<Vec<(String, Value)>> {
    let file = root()
        .join(MODULES)
        .join("webhooks-examples/api.github.com/index.json");
    if !found(&file, "GitHub's webhook examples") {
        return None;
    }
    let kinds: Vec<Value> = read(file);
    let all = kinds.iter().flat_map(|kind| {
        let examples = kind["examples"].as_array().unwrap();
        examples
            .iter()
            .map(|one| (kind["name"].as_str().unwrap().to_owned(), one.clone()))
    });
    Some(all.collect())
}

fn read<T: serde::de::DeserializeOwned>(file: PathBuf) -> T {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// An example that was changed is still what GitHub could send.
fn fits(kind: &str, payload: &Value) {
    let mut schema: Value = read(root().join(MODULES).join("webhooks-schemas/schema.json"));
    let name = match payload["action"].as_str() {
        Some(action) => format!("{kind}${action}"),
        None => format!("{kind}$event"),
    };
    assert!(schema["definitions"][&name].is_object(), "no schema {name}");
    schema["$ref"] = json!(format!("#/definitions/{name}"));
    schema.as_object_mut().unwrap().remove("oneOf");
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(payload)
        .map(|e| format!("{} {e}", e.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{name}");
}

fn sign(body: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn event_of(kind: &str, payload: &Value) -> Parsed {
    let body = payload.to_string();
    let signature = sign(&body, WEBHOOK_SECRET);
    let verified = verify(
        Some(&signature),
        body.into(),
        &WEBHOOK_SECRET.to_owned().into(),
    )
    .unwrap();
    let headers = Headers {
        event: Some(kind),
        delivery: Some("72d3162e"),
        ..Headers::default()
    };
    parse(headers, &verified).unwrap_or_else(|e| panic!("{kind}: {e}"))
}

#[test]
fn every_published_example_is_read() {
    let Some(examples) = examples() else {
        return;
    };
    let (mut acted, mut all) = (0, 0);
    for (kind, payload) in &examples {
        all += 1;
        let event = match event_of(kind, payload) {
            Parsed::Ping => {
                assert_eq!(kind, "ping");
                continue;
            }
            Parsed::Inbound { delivery, .. } => delivery.event,
        };
        let action = payload["action"].as_str().unwrap_or_default();
        let right = match (&**kind, action) {
            (
                "repository",
                "created" | "renamed" | "transferred" | "archived" | "unarchived" | "deleted",
            ) => {
                matches!(event, Event::RepositoryChanged { .. })
            }
            ("installation", "created" | "unsuspend") => event == Event::Installed,
            ("installation", "deleted" | "suspend") => event == Event::Uninstalled,
            ("organization" | "membership" | "team", _) => event == Event::GroupsChanged,
            _ => matches!(event, Event::Other { .. }),
        };
        assert!(right, "{kind}.{action}: {event:?}");
        acted += usize::from(!matches!(event, Event::Other { .. }));
    }
    assert!(all > 300 && acted > 20, "{acted} of {all}");
}

/// A delivery of ours to the bot.
struct Sent<'a> {
    id: &'a str,
    kind: &'a str,
    app: &'a str,
    secret: &'a str,
}

impl<'a> Sent<'a> {
    fn new(id: &'a str, kind: &'a str) -> Self {
        Self {
            id,
            kind,
            app: GITHUB_APP,
            secret: WEBHOOK_SECRET,
        }
    }

    async fn to(&self, bot: &Bot, payload: &Value) -> u16 {
        let body = payload.to_string();
        let call = reqwest::Client::new()
            .post(format!("{}/github/webhooks", bot.url))
            .header("x-hub-signature-256", sign(&body, self.secret))
            .header("x-github-event", self.kind)
            .header("x-github-delivery", self.id)
            .header("x-github-hook-installation-target-type", "integration")
            .header("x-github-hook-installation-target-id", self.app);
        call.body(body).send().await.unwrap().status().as_u16()
    }
}

/// The published example of a repository's fate, about payments-api, as of a minute.
fn repository(action: &str, name: &str, minute: u32) -> Option<Value> {
    let examples = examples()?;
    let of = |want: &str| {
        let mut found = examples
            .iter()
            .filter(|(kind, one)| kind == "repository" && one["action"] == want);
        found
            .find(|(_, one)| one["organization"].is_object())
            .map(|(_, one)| one.clone())
    };
    let mut payload = of(action).or_else(|| of("created"))?;
    payload["action"] = json!(action);
    let text = payload
        .to_string()
        .replace("Octocoders", "acme")
        .replace("acme/Hello-World", &format!("acme/{name}"));
    payload = serde_json::from_str(&text).unwrap();
    payload["organization"]["id"] = json!(9001);
    payload["repository"]["id"] = json!(186_853_002);
    payload["repository"]["name"] = json!(name);
    payload["repository"]["archived"] = json!(action == "archived");
    payload["repository"]["updated_at"] = json!(format!("2026-11-23T12:{minute:02}:00Z"));
    if action == "renamed" {
        payload["changes"]["repository"]["name"]["from"] = json!("payments-api");
    }
    fits("repository", &payload);
    Some(payload)
}

/// A service that an earlier request made, known by its page only.
async fn has_service(bot: &Bot) {
    let statements = "
        insert into blob (sha256, bytes, created_at) values (sha256('x'), 'x', idp_now());
        insert into request (id, command, command_digest, subject, requester_id, requester_account_id, inputs, state,
                             since, slash, origin, created_at)
        select '00000000-0000-7000-8000-000000000001', 'new-service', sha256('x'), 'payments-api', person_id, id, '{}',
               'approved', idp_now(), '/idp', 'chat', idp_now() from account limit 1;
        insert into service (id, name, owner, entity, repository, catalog_url, request_id, claims, created_at)
        values ('00000000-0000-7000-8000-000000000002', 'payments-api', 'payments', 'component:default/payments-api',
                'https://github.com/acme/payments-api',
                'https://github.com/acme/payments-api/blob/main/catalog-info.yaml',
                '00000000-0000-7000-8000-000000000001',
                '[{\"kind\": \"repository\", \"name\": \"acme/payments-api\"}, {\"kind\": \"service\", \"name\": \"payments-api\"}, {\"kind\": \"repository\", \"name\": \"payments-api\"}]',
                idp_now())";
    sqlx::raw_sql(statements)
        .execute(&bot.app.pool)
        .await
        .unwrap();
}

/// What the service says of its repository.
async fn service(bot: &Bot) -> String {
    let columns =
        "concat_ws(' ', forge_repository, repository, catalog_url, repository_state, claims::text)";
    let query = format!("select {columns} from service");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(&bot.app.pool)
        .await
        .unwrap()
}

async fn evidence(bot: &Bot) -> i64 {
    let query = "select count(*) from audit where kind like 'repository.%'";
    sqlx::query_scalar(query)
        .fetch_one(&bot.app.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_service_follows_its_repository_in_the_order_of_what_happened() {
    let Some(renamed) = repository("renamed", "payments", 10) else {
        return;
    };
    let bot = Bot::start().await;
    has_service(&bot).await;
    assert_eq!(Sent::new("d1", "repository").to(&bot, &renamed).await, 202);
    let after = "186853002 https://github.com/acme/payments https://github.com/acme/payments/blob/main/catalog-info.yaml \
                 active [{\"kind\": \"repository\", \"name\": \"acme/payments\"}, {\"kind\": \"service\", \"name\": \"payments-api\"}, {\"kind\": \"repository\", \"name\": \"payments\"}]";
    assert_eq!(service(&bot).await, after);
    assert_eq!(evidence(&bot).await, 1);

    assert_eq!(Sent::new("d1", "repository").to(&bot, &renamed).await, 202);
    assert_eq!(
        (evidence(&bot).await, bot.count("inbox").await),
        (1, 1),
        "the same delivery counts once"
    );

    let late = repository("archived", "payments-api", 5).unwrap();
    assert_eq!(Sent::new("d0", "repository").to(&bot, &late).await, 202);
    assert_eq!(
        service(&bot).await,
        after,
        "what happened before the rename comes too late"
    );

    let archived = repository("archived", "payments", 20).unwrap();
    Sent::new("d2", "repository").to(&bot, &archived).await;
    assert!(service(&bot).await.contains(" archived "));
    let deleted = repository("deleted", "payments", 30).unwrap();
    Sent::new("d3", "repository").to(&bot, &deleted).await;
    assert_eq!(bot.count("service").await, 0, "its names are free again");
    let unarchived = repository("unarchived", "payments", 40).unwrap();
    Sent::new("d4", "repository").to(&bot, &unarchived).await;
    assert_eq!(evidence(&bot).await, 3);
}

#[tokio::test]
async fn a_new_repository_of_an_old_name_is_not_the_services() {
    let Some(created) = repository("created", "payments-api", 10) else {
        return;
    };
    let bot = Bot::start().await;
    has_service(&bot).await;
    let before = service(&bot).await;
    assert_eq!(Sent::new("d1", "repository").to(&bot, &created).await, 202);
    assert_eq!(service(&bot).await, before);
}

#[tokio::test]
async fn only_github_is_let_in_and_only_our_organisation_counts() {
    let Some(deleted) = repository("deleted", "payments-api", 10) else {
        return;
    };
    let bot = Bot::start().await;
    has_service(&bot).await;
    let before = service(&bot).await;
    let forged = Sent {
        secret: "guessed",
        ..Sent::new("d1", "repository")
    };
    assert_eq!(forged.to(&bot, &deleted).await, 401);
    let unsigned = reqwest::Client::new().post(format!("{}/github/webhooks", bot.url));
    assert_eq!(
        unsigned
            .body(deleted.to_string())
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let mut elsewhere = deleted.clone();
    elsewhere["organization"]["id"] = json!(1);
    elsewhere["organization"]["login"] = json!("other");
    assert_eq!(
        Sent::new("d2", "repository").to(&bot, &elsewhere).await,
        202
    );
    let other_app = Sent {
        app: "1",
        ..Sent::new("d3", "repository")
    };
    assert_eq!(other_app.to(&bot, &deleted).await, 202);
    assert_eq!(
        Sent::new("d4", "ping")
            .to(&bot, &json!({ "zen": "Keep it logically awesome." }))
            .await,
        200
    );
    assert_eq!(
        Sent::new("d5", "repository").to(&bot, &json!([])).await,
        400
    );
    assert_eq!(Sent::new("", "repository").to(&bot, &deleted).await, 400);
    assert_eq!((service(&bot).await, bot.count("inbox").await), (before, 0));
}

#[tokio::test]
async fn an_app_that_leaves_is_known_to_be_gone_until_it_is_back() {
    let Some(examples) = examples() else {
        return;
    };
    let bot = Bot::start().await;
    let installation = |action: &str| {
        let mut found = examples
            .iter()
            .filter(|(kind, one)| kind == "installation" && one["action"] == action);
        // The older ones lack what the schema asks for.
        let mut payload = found.next_back().unwrap().1.clone();
        payload["installation"]["account"]["login"] = json!("acme");
        payload["installation"]["account"]["id"] = json!(9001);
        fits("installation", &payload);
        payload
    };
    let revoked = async || {
        let query = "select revoked_at is not null from installation where platform = 'github' and external_id = '9001'";
        sqlx::query_scalar::<_, bool>(query)
            .fetch_one(&bot.app.pool)
            .await
            .unwrap()
    };
    for (id, action, gone) in [
        ("i1", "created", false),
        ("i2", "suspend", true),
        ("i3", "unsuspend", false),
        ("i4", "deleted", true),
    ] {
        assert_eq!(
            Sent::new(id, "installation")
                .to(&bot, &installation(action))
                .await,
            202
        );
        assert_eq!(revoked().await, gone, "{action}");
    }
}
