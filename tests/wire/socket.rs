//! Socket Mode: answers ride on acknowledgements, connections are renewed, and a stop loses nothing.

use std::time::Duration;

use idp::web::slack::socket::Times;
use serde_json::{Value, json};

use super::bot::Bot;
use crate::support::slack;

fn command(bot: &Bot, text: &str) -> Value {
    slack::command(&bot.fake, "U0PRIYA", text)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

#[tokio::test]
async fn an_acknowledgement_carries_the_answer() {
    let bot = Bot::start().await;
    bot.connect();
    bot.fake
        .envelope("slash_commands", "e1", command(&bot, "help"))
        .await;
    let ack = bot.fake.ack("e1").await;
    assert_eq!(ack["payload"]["response_type"], "ephemeral", "{ack:#}");

    // A form is opened before the acknowledgement, which then says nothing.
    bot.fake
        .envelope("slash_commands", "e2", command(&bot, "new-service"))
        .await;
    let ack = bot.fake.ack("e2").await;
    assert_eq!(ack, json!({ "envelope_id": "e2" }));
    assert_eq!(bot.fake.calls("views.open").len(), 1);
}

#[tokio::test]
async fn many_at_once_are_answered_each() {
    let bot = Bot::start().await;
    bot.connect();
    for n in 0..40 {
        bot.fake
            .envelope("slash_commands", &format!("e{n}"), command(&bot, "help"))
            .await;
    }
    for n in 0..40 {
        bot.fake.ack(&format!("e{n}")).await;
    }
    assert_eq!(bot.count("inbox").await, 40);
}

#[tokio::test]
async fn an_old_connection_is_read_until_its_end() {
    let bot = Bot::start().await;
    bot.connect();
    bot.fake
        .until(|fake| (fake.connections() == 1).then_some(()))
        .await;
    for _ in 0..2 {
        bot.fake
            .say_on(
                0,
                &json!({ "type": "disconnect", "reason": "refresh_requested" }),
            )
            .await;
    }
    bot.fake
        .until(|fake| (fake.connections() == 2).then_some(()))
        .await;
    for (connection, id) in [(0, "old"), (1, "new")] {
        let envelope = json!({ "envelope_id": id, "type": "slash_commands", "accepts_response_payload": true,
            "payload": command(&bot, "help") });
        bot.fake.say_on(connection, &envelope).await;
        bot.fake.ack(id).await;
    }
    assert_eq!(bot.fake.connections(), 2);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let bot = Bot::start().await;
    bot.connect();
    bot.fake
        .envelope("slash_commands", "e1", command(&bot, "help"))
        .await;
    bot.fake.ack("e1").await;
    bot.app.pool.close().await;
    let event = json!({ "type": "event_callback", "team_id": slack::TEAM, "event_id": "Ev1",
        "event": { "type": "subteam_updated" } });
    bot.fake.envelope("events_api", "e2", event).await;
    bot.fake
        .envelope("slash_commands", "e3", command(&bot, "help"))
        .await;
    let ack = bot.fake.ack("e3").await;
    assert!(
        ack["payload"]["text"]
            .as_str()
            .unwrap()
            .contains("Reference E-")
    );
    assert!(!bot.fake.acked("e2"));
}

#[tokio::test]
async fn odd_words_on_the_line_are_survived() {
    let bot = Bot::start().await;
    bot.connect();
    for odd in [
        json!(7),
        json!({}),
        json!({ "type": "novelty", "envelope_id": "odd" }),
        json!({ "type": "interactive" }),
    ] {
        bot.fake.say(&odd).await;
    }
    bot.fake
        .envelope("slash_commands", "e1", command(&bot, "help"))
        .await;
    bot.fake.ack("e1").await;
}

/// Short enough to be waited for, where a test is about this time; the others stay as they are.
const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_line_that_falls_silent_is_replaced() {
    let bot = Bot::start().await;
    bot.connect_in(Times {
        silence: SOON,
        first_wait: Duration::ZERO,
        ..Times::default()
    });
    bot.fake
        .until(|fake| (fake.connections() == 2).then_some(()))
        .await;
    bot.fake.until(|fake| fake.is_closed(0).then_some(())).await;
}

#[tokio::test]
async fn a_line_with_answered_pings_is_kept() {
    let bot = Bot::start().await;
    bot.connect_in(Times {
        ping: SOON / 10,
        silence: SOON * 10,
        ..Times::default()
    });
    bot.fake
        .until(|fake| (fake.pings() > 20).then_some(()))
        .await;
    assert_eq!(bot.fake.connections(), 1);
}

#[tokio::test]
async fn a_line_that_never_greets_is_given_up() {
    let bot = Bot::start().await;
    bot.fake.greets_nobody_once();
    bot.connect_in(Times {
        greeting: SOON,
        first_wait: Duration::ZERO,
        ..Times::default()
    });
    bot.fake
        .until(|fake| (fake.connections() == 1).then_some(()))
        .await;
    assert_eq!(bot.fake.calls("apps.connections.open").len(), 2);
}

#[tokio::test]
async fn an_old_connection_that_slack_keeps_open_is_left_in_time() {
    let bot = Bot::start().await;
    bot.connect_in(Times {
        drain: SOON,
        ..Times::default()
    });
    bot.fake
        .until(|fake| (fake.connections() == 1).then_some(()))
        .await;
    let refresh = json!({ "type": "disconnect", "reason": "warning" });
    bot.fake.say_on(0, &refresh).await;
    bot.fake.until(|fake| fake.is_closed(0).then_some(())).await;
    bot.fake
        .until(|fake| (fake.connections() == 2).then_some(()))
        .await;
    assert!(!bot.fake.is_closed(1));
}

#[tokio::test]
async fn a_stop_drains() {
    let bot = Bot::start().await;
    bot.connect();
    bot.fake
        .envelope("slash_commands", "e1", command(&bot, "help"))
        .await;
    bot.fake.ack("e1").await;
    bot.stop.cancel();
    bot.tasks.close();
    tokio::time::timeout(slack::PATIENCE, bot.tasks.wait())
        .await
        .unwrap();
    bot.fake.until(|fake| fake.all_closed().then_some(())).await;
}

#[tokio::test]
async fn readiness_tells_of_the_socket() {
    let bot = Bot::start().await;
    let ready = async || {
        let answer = reqwest::get(format!("{}/readyz", bot.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    bot.fake
        .fault("apps.connections.open", slack::Fault::Code("invalid_auth"));
    bot.connect();
    bot.fake.wait_for("apps.connections.open", 1).await;
    let (status, text) = ready().await;
    assert_eq!(status, 503);
    assert!(text.contains("slack socket"), "{text}");
    // It tries again by itself.
    bot.fake
        .until(|fake| (fake.connections() == 1).then_some(()))
        .await;
    let deadline = std::time::Instant::now() + slack::PATIENCE;
    while ready().await.0 != 200 {
        assert!(std::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}
