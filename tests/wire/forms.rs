//! The form on Slack: opened in time, drawn again, and nothing lost where time runs out.

use idp::catalog::Sources;
use serde_json::{Value, json};

use super::bot::Bot;
use crate::support::slack::{self, Fault, TEAM, filled};

/// What Slack tells of a choice in a field that acts at once: the field, and all that stands in the view.
async fn chooses(bot: &Bot, view: &Value, field: &str, typed: &[(&str, Value)]) -> slack::Answer {
    let view = filled(view, typed);
    let blocks = view["blocks"].as_array().unwrap();
    let ends = format!(":{field}");
    let block = blocks
        .iter()
        .find(|b| b["block_id"].as_str().is_some_and(|id| id.ends_with(&ends)))
        .unwrap();
    assert_eq!(block["dispatch_action"], true, "{block:#}");
    let (id, action) = (
        block["block_id"].as_str().unwrap(),
        &block["element"]["action_id"],
    );
    let state = &view["state"]["values"][id][action.as_str().unwrap()];
    let action = json!({ "type": state["type"], "block_id": id, "action_id": action,
        "selected_option": state["selected_option"], "action_ts": "1.1" });
    let payload = json!({ "view": view, "actions": [action] });
    bot.interacts(&slack::interaction(
        &bot.fake,
        "block_actions",
        "U0PRIYA",
        payload,
    ))
    .await
}

pub async fn sends(bot: &Bot, view: &Value, typed: &[(&str, Value)]) -> slack::Answer {
    let view = json!({ "view": filled(view, typed) });
    let payload = slack::interaction(&bot.fake, "view_submission", "U0PRIYA", view);
    bot.interacts(&payload).await
}

const SERVICE: [(&str, &str); 4] = [
    ("name", "payments-api"),
    ("template", "static-site"),
    ("owner", "payments"),
    ("visibility", "private"),
];

fn service() -> Vec<(&'static str, Value)> {
    SERVICE
        .iter()
        .map(|(name, value)| (*name, json!(value)))
        .collect()
}

#[tokio::test]
async fn a_form_that_comes_too_late_leaves_a_button_that_opens_it() {
    let bot = Bot::start().await;
    let command = slack::command(&bot.fake, "U0PRIYA", "new-service");
    let trigger = &command
        .iter()
        .find(|(name, _)| *name == "trigger_id")
        .unwrap()
        .1;
    bot.fake.expire(trigger);
    let answer = slack::deliver(&bot.url, "/slack/commands", &slack::form(&command)).await;
    assert_eq!(answer.json["response_type"], "ephemeral", "{}", answer.text);
    let message = json!({ "ts": "1.5", "blocks": answer.json["blocks"] });
    let press = slack::press(&bot.fake, "U0PRIYA", "C0PLATFORM", &message, "form.open");
    let answer = bot.interacts(&press).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(bot.fake.last_view()["callback_id"], "form.page");
}

#[tokio::test]
async fn a_slack_that_does_not_answer_costs_no_more_than_three_seconds() {
    let bot = Bot::start().await;
    bot.fake.fault(
        "views.open",
        Fault::Hang(std::time::Duration::from_secs(20)),
    );
    let answer = bot.types("U0PRIYA", "new-service").await;
    assert!(answer.took.as_millis() < 3_000, "{:?}", answer.took);
    assert_eq!(answer.json["response_type"], "ephemeral");
}

#[tokio::test]
async fn what_was_typed_survives_our_mistakes() {
    let bot = Bot::start().await;
    bot.types("U0PRIYA", "new-service").await;
    let view = bot.fake.last_view();
    bot.app.pool.close().await;
    let answer = sends(&bot, &view, &service()).await;
    assert_eq!(answer.json["response_action"], "errors", "{}", answer.text);
    assert!(
        answer
            .text
            .contains("what you typed was not sent. Reference E-"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn an_answer_that_takes_too_long_follows_later() {
    let bot = Bot::start().await;
    bot.types("U0PRIYA", "new-service").await;
    let view = bot.fake.last_view();

    let mut held = bot.app.pool.begin().await.unwrap();
    sqlx::query("lock table inbox in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let typed = service();
    let (asked, sent) = tokio::join!(bot.types("U0PRIYA", "help"), sends(&bot, &view, &typed));
    assert!(asked.took.as_millis() < 3_000 && sent.took.as_millis() < 3_000);
    assert!(asked.text.contains("Still working"), "{}", asked.text);
    assert_eq!(sent.json["response_action"], "update");
    assert!(sent.text.contains("Still working"), "{}", sent.text);
    bot.fake
        .show(view["id"].as_str().unwrap(), &sent.json["view"]);

    held.rollback().await.unwrap();
    let followed = bot.fake.wait_for("response_url", 1).await;
    assert!(followed[0].to_string().contains("new-service"));
    bot.fake.wait_for("views.update", 1).await;
    assert_eq!(bot.fake.last_view()["callback_id"], "form.page");
}

#[tokio::test]
async fn an_event_that_takes_too_long_is_delivered_again() {
    let bot = Bot::start().await;
    let mention = json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": "A0IDP", "event_id": "Ev1",
        "event": { "type": "app_mention", "user": "U0PRIYA", "channel": "C0PLATFORM", "ts": "2.2",
            "text": "<@U0BOT> help" },
        "authorizations": [{ "team_id": TEAM, "user_id": "U0BOT", "is_bot": true }] })
    .to_string();
    let mut held = bot.app.pool.begin().await.unwrap();
    sqlx::query("lock table inbox in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let first = slack::deliver(&bot.url, "/slack/events", &mention).await;
    assert_eq!(first.status, 503, "{}", first.text);
    assert!(first.took.as_millis() < 3_000);
    held.rollback().await.unwrap();
    let again = slack::deliver(&bot.url, "/slack/events", &mention).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(bot.count("inbox").await, 1);
    bot.fake.wait_for("chat.postEphemeral", 1).await;
}

/// A template that asks for nothing more, and one that asks for a port.
fn short_and_long() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, parameters) in [
        (
            "long",
            "parameters: [{ title: More, properties: { port: { type: integer, title: Port, default: 80 } } }]",
        ),
        ("short", "parameters: []"),
    ] {
        let template = format!(
            "apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {{ name: {name}, title: {name}, tags: [recommended] }}
spec:
  type: service
  {parameters}
  steps:
    - {{ id: publish, name: Publish, action: \"publish:local\", input: {{ repoUrl: \"local?owner=acme&repo=x\" }} }}
"
        );
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("template.yaml"), template).unwrap();
    }
    folder
}

#[tokio::test]
async fn the_last_button_says_that_it_is_the_last_whatever_template_is_chosen() {
    let templates = short_and_long();
    let sources = Sources {
        commands: None,
        templates: Some(templates.path().to_owned()),
    };
    let bot = Bot::with(sources, |_| ()).await;
    bot.types("U0PRIYA", "new-service").await;
    let first = bot.fake.last_view();
    assert_eq!(
        first["submit"]["text"], "Next",
        "the long one is preselected"
    );

    // Another template, while a name stands there already.
    let typed = [
        ("name", json!("payments-api")),
        ("template", json!("short")),
    ];
    let answer = chooses(&bot, &first, "template", &typed).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    bot.fake.wait_for("views.update", 1).await;
    let short = bot.fake.last_view();
    assert_eq!(short["submit"]["text"], "Ask for approval");
    assert!(short.to_string().contains("payments-api"), "{short:#}");
    let ids = |view: &Value| -> Vec<Value> {
        let blocks = view["blocks"].as_array().unwrap().iter();
        blocks.map(|b| b["block_id"].clone()).collect()
    };
    assert_eq!(
        ids(&first),
        ids(&short),
        "Slack keeps what is typed meanwhile"
    );

    // Two changes before the first one is drawn: the second call finds another hash, and is made again.
    let long = [("template", json!("long"))];
    chooses(&bot, &first, "template", &long).await;
    let calls = bot.fake.wait_for("views.update", 3).await;
    assert!(calls[1]["hash"].is_string() && calls[2]["hash"].is_null());
    assert_eq!(bot.fake.last_view()["submit"]["text"], "Next");

    // The short one's only page is the last one.
    let typed = [
        ("name", json!("payments-api")),
        ("template", json!("short")),
        ("owner", json!("payments")),
    ];
    let answer = sends(&bot, &bot.fake.last_view(), &typed).await;
    assert_eq!(
        answer.json["view"]["callback_id"], "reading",
        "{}",
        answer.text
    );
    assert_eq!(bot.count("request").await, 1);

    // A choice that comes in after the form was sent draws nothing over the answer.
    chooses(&bot, &first, "template", &long).await;
    bot.tasks.close();
    bot.tasks.wait().await;
    assert_eq!(bot.fake.calls("views.update").len(), 3);
}

#[tokio::test]
async fn a_hurried_person_types_a_name_and_nothing_else() {
    let bot = Bot::start().await;
    bot.types("U0PRIYA", "new-service").await;
    let first = bot.fake.last_view();
    let chosen = |field: &str| {
        let blocks = first["blocks"].as_array().unwrap().iter();
        let ends = format!(":{field}");
        let mut own =
            blocks.filter(|b| b["block_id"].as_str().is_some_and(|id| id.ends_with(&ends)));
        own.next().unwrap()["element"]["initial_option"]["value"].clone()
    };
    assert_eq!(chosen("template"), "node-http", "the recommended one");
    assert_eq!(chosen("owner"), "payments");
    assert!(
        !first.to_string().contains("dispatch_action"),
        "each template has one page of its own: nothing to follow"
    );
    let answer = sends(&bot, &first, &[("name", json!("payments-api"))]).await;
    let second = bot
        .fake
        .show(first["id"].as_str().unwrap(), &answer.json["view"]);
    assert_eq!(second["submit"]["text"], "Ask for approval");
    sends(&bot, &second, &[]).await;
    assert_eq!(bot.count("request").await, 1);
}
