//! What Slack alone delivers, and what it is answered.

use serde_json::json;

use super::bot::Bot;
use crate::support::slack::{self, Fault, TEAM};

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let bot = Bot::start().await;
    let now: i64 = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let signed = |at: i64, body: &str| (at.to_string(), slack::sign(&at.to_string(), body));
    let long = format!("text={}", "a".repeat(2 * 1024 * 1024));
    let (timestamp, signature) = signed(now, &long);
    let long = slack::deliver_as(&bot.url, "/slack/commands", &long, &timestamp, &signature).await;
    assert_eq!(long.status, 413);
    assert_eq!(bot.count("inbox").await, 0);
}

#[tokio::test]
async fn what_slack_never_sends_is_refused() {
    let bot = Bot::start().await;
    for odd in [
        "",
        "hello",
        "payload=nonsense",
        "{\"half\":",
        "payload=%7B%7D&x=%FF",
    ] {
        let answer = slack::deliver(&bot.url, "/slack/interactions", odd).await;
        assert!(
            matches!(answer.status, 200 | 400),
            "{odd}: {}",
            answer.status
        );
        assert_eq!(answer.text, "", "{odd}");
    }
}

#[tokio::test]
async fn slacks_own_checks_pass() {
    let bot = Bot::start().await;
    let body =
        json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1a" }).to_string();
    let answer = slack::deliver(&bot.url, "/slack/events", &body).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "3eZbrw1a"));
    let answer = slack::deliver(&bot.url, "/slack/commands", "ssl_check=1&token=x").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

#[tokio::test]
async fn another_workspace_is_told_so() {
    let bot = Bot::start().await;
    let mut command = slack::command(&bot.fake, "U0STRANGER", "new-service");
    for (name, value) in &mut command {
        if *name == "team_id" {
            *value = "T0OTHER".into();
        }
    }
    let answer = slack::deliver(&bot.url, "/slack/commands", &slack::form(&command)).await;
    assert_eq!(answer.json["response_type"], "ephemeral");
    assert!(answer.text.contains("isn't connected"), "{}", answer.text);
    assert!(bot.fake.calls("views.open").is_empty());
}

#[tokio::test]
async fn a_mention_is_answered_where_it_was_made() {
    let bot = Bot::start().await;
    let event = |id: &str, more: serde_json::Value| {
        let mut event = json!({ "type": "app_mention", "user": "U0PRIYA", "channel": "C0PLATFORM", "ts": "2.2",
            "thread_ts": "1.1", "text": "<@U0BOT> help" });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": "A0IDP", "event_id": id, "event": event,
            "authorizations": [{ "team_id": TEAM, "user_id": "U0BOT", "is_bot": true }] })
        .to_string()
    };
    let answer = slack::deliver(&bot.url, "/slack/events", &event("Ev1", json!({}))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let said = bot.fake.wait_for("chat.postEphemeral", 1).await;
    assert_eq!(said[0]["user"], "U0PRIYA");
    assert_eq!(said[0]["thread_ts"], "1.1");

    let direct =
        json!({ "type": "message", "channel_type": "im", "channel": "D0PRIYA", "thread_ts": null });
    slack::deliver(&bot.url, "/slack/events", &event("Ev2", direct)).await;
    let said = bot.fake.wait_for("chat.postMessage", 1).await;
    assert_eq!(said[0]["channel"], "D0PRIYA");
}

#[tokio::test]
async fn a_press_is_acknowledged_first_and_answered_after() {
    let bot = Bot::start().await;
    let message = json!({ "ts": "1.5", "blocks": [{ "type": "actions", "elements": [{ "type": "button",
        "action_id": "request.approve", "value": "0193d1a0-0000-7000-8000-000000000001" }] }] });
    let press = slack::press(
        &bot.fake,
        "U0ALEX",
        "C0PLATFORM",
        &message,
        "request.approve",
    );
    let answer = bot.interacts(&press).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let said = bot.fake.wait_for("response_url", 1).await;
    assert_eq!(said[0]["response_type"], "ephemeral");
    assert_eq!(said[0]["replace_original"], false);
}

#[tokio::test]
async fn a_database_that_is_away_is_our_fault_and_says_so() {
    let bot = Bot::start().await;
    bot.app.pool.close().await;
    let answer = bot.types("U0PRIYA", "help").await;
    assert_eq!(answer.status, 200);
    let text = answer.json["text"].as_str().unwrap();
    assert!(
        text.starts_with("Something broke on our side; nothing was asked for. Reference E-"),
        "{text}"
    );

    // An event can be delivered again, so Slack is asked to.
    let event = json!({ "type": "event_callback", "team_id": TEAM, "event_id": "Ev1",
        "event": { "type": "subteam_updated" } });
    let answer = slack::deliver(&bot.url, "/slack/events", &event.to_string()).await;
    assert_eq!((answer.status, answer.text.as_str()), (503, ""));

    let ready = reqwest::get(format!("{}/readyz", bot.url)).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().starts_with("database:"));
}

#[tokio::test]
async fn health_and_metrics_are_shown() {
    let bot = Bot::start().await;
    bot.types("U0PRIYA", "help").await;
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", bot.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").await, (200, "ok\n".to_owned()));
    let (_, metrics) = get("/metrics").await;
    let counted = r#"idp_deliveries_total{platform="slack",outcome="taken"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(
        metrics.contains(r#"idp_messages{state="waiting"} 0"#),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[tokio::test]
async fn an_answer_that_slack_refuses_harms_nobody() {
    let bot = Bot::start().await;
    bot.fake
        .fault("chat.postEphemeral", Fault::Code("channel_not_found"));
    let event = json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": "A0IDP", "event_id": "Ev9",
        "event": { "type": "app_mention", "user": "U0PRIYA", "channel": "C0PLATFORM", "ts": "2.2", "text": "help" } });
    let answer = slack::deliver(&bot.url, "/slack/events", &event.to_string()).await;
    assert_eq!(answer.status, 200);
    bot.fake.wait_for("chat.postEphemeral", 1).await;
    assert_eq!(bot.types("U0PRIYA", "help").await.status, 200);
}
