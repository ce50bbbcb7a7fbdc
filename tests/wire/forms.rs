//! The form from the command to the request: opened in time, filled in, sent back with errors, turned back.

use serde_json::{Map, Value, json};

use super::bot::Bot;
use crate::support::slack::{self, Fault};

/// What somebody types into the view: field name to Slack's state of its element.
fn filled(view: &Value, typed: &[(&str, Value)]) -> Value {
    let mut values = Map::new();
    for block in view["blocks"].as_array().unwrap() {
        let (Some(id), element) = (block["block_id"].as_str(), &block["element"]) else {
            continue;
        };
        let Some(action) = element["action_id"].as_str() else {
            continue;
        };
        let name = id.rsplit(':').next().unwrap();
        let state = typed.iter().find(|(field, _)| *field == name).map_or_else(
            || {
                json!({ "type": element["type"], "value": element["initial_value"],
                    "selected_option": element["initial_option"], "selected_options": [] })
            },
            |(_, value)| match element["type"].as_str().unwrap() {
                "plain_text_input" => json!({ "type": "plain_text_input", "value": value }),
                kind => json!({ "type": kind, "selected_option": { "value": value } }),
            },
        );
        values.insert(id.to_owned(), json!({ action: state }));
    }
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    view
}

async fn sends(bot: &Bot, view: &Value, typed: &[(&str, Value)]) -> slack::Answer {
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
async fn a_command_opens_its_form_and_the_form_becomes_a_request() {
    let bot = Bot::start().await;
    let answer = bot.types("U0PRIYA", "new-service").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let first = bot.fake.last_view();
    assert_eq!(first["callback_id"], "form.page");

    // A wrong name stays at its field, and the page stays.
    let mut wrong = service();
    wrong[0].1 = json!("Payments API");
    let answer = sends(&bot, &first, &wrong).await;
    assert_eq!(answer.json["response_action"], "errors", "{}", answer.text);
    let errors = answer.json["errors"].as_object().unwrap();
    assert!(
        errors.keys().all(|block| block.ends_with(":name")),
        "{errors:?}"
    );

    let answer = sends(&bot, &first, &service()).await;
    assert_eq!(answer.json["response_action"], "update", "{}", answer.text);
    let second = bot
        .fake
        .show(first["id"].as_str().unwrap(), &answer.json["view"]);
    assert_ne!(second["private_metadata"], first["private_metadata"]);

    // Back, and what was typed is there.
    let back = json!({ "view": filled(&second, &[]), "actions": [second["blocks"].as_array().unwrap().iter()
        .find_map(|b| b["elements"].as_array()?.iter().find(|e| e["action_id"] == "form.back").cloned()).unwrap()] });
    let back = slack::interaction(&bot.fake, "block_actions", "U0PRIYA", back);
    let answer = bot.interacts(&back).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    bot.fake.wait_for("views.update", 1).await;
    let again = bot.fake.last_view();
    assert!(again.to_string().contains("payments-api"), "{again:#}");

    let answer = sends(&bot, &again, &[]).await;
    let second = bot
        .fake
        .show(again["id"].as_str().unwrap(), &answer.json["view"]);
    let answer = sends(&bot, &second, &[]).await;
    assert_eq!(answer.json["response_action"], "update", "{}", answer.text);
    assert_eq!(
        answer.json["view"]["callback_id"], "reading",
        "{}",
        answer.text
    );
    assert_eq!(bot.count("request").await, 1);

    // The same form sent again is one request still.
    let answer = sends(&bot, &second, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(bot.count("request").await, 1);
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
