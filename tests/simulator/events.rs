//! Events: which are sent, how they are retried.

use serde_json::json;

use super::harness::{Answer, App, Sim, eventually};

#[tokio::test]
async fn a_mention_and_a_direct_message_reach_the_app_and_small_talk_does_not() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .say("priya", "#platform", None, "lunch?")
        .await
        .unwrap();
    sim.world
        .say("priya", "#random", None, "@idp are you here?")
        .await
        .unwrap();
    let root = sim
        .world
        .say("priya", "#platform", None, "hello @idp!")
        .await
        .unwrap()
        .ts
        .unwrap();
    eventually("the mention", || app.received().len() == 1).await;
    let mention = app.only().payload();
    assert_eq!(app.only().path, "/slack/events");
    assert_eq!(mention["type"], "event_callback");
    assert_eq!(mention["event"]["type"], "app_mention");
    assert_eq!(
        mention["event"]["text"],
        format!("hello <@{}>!", sim.world.app().user_id)
    );
    assert_eq!(mention["event"]["ts"], root);
    assert!(mention["event_id"].as_str().unwrap().starts_with("Ev"));
    assert_eq!(mention["authorizations"][0]["is_bot"], true);

    let dm = sim.world.bot_dm("priya").unwrap();
    sim.world.say("priya", &dm, None, "hi").await.unwrap();
    eventually("the message", || app.received().len() == 2).await;
    let message = app.received()[1].payload();
    assert_eq!(message["event"]["channel_type"], "im");
    assert_eq!(message["event"]["text"], "hi");
}

#[tokio::test]
async fn an_address_is_verified_before_it_hears_of_anything() {
    let app = App::start(|_| Answer::Empty).await;
    app.gives_back(false);
    let sim = Sim::with_app(&app).await;
    let says = async |text: &str| {
        let said = sim.world.say("priya", "#platform", None, text).await;
        said.unwrap();
    };
    says("hello @idp!").await;
    let failed = || {
        let log = json!(sim.world.log());
        log["deliveries"].to_string().contains("url_verification")
    };
    eventually("the refusal", failed).await;
    assert_eq!(app.received().len(), 0);
    app.gives_back(true);
    says("hello again @idp!").await;
    let again = || {
        let heard = app.received();
        heard.iter().any(|one| one.body.contains("hello again"))
    };
    eventually("the mention", again).await;
}

#[tokio::test]
async fn the_app_hears_of_its_own_direct_messages() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let dm = sim.world.bot_dm("priya").unwrap();
    let posted = sim
        .call("chat.postMessage", json!({ "channel": dm, "text": "one" }))
        .await;
    eventually("its own message", || app.received().len() == 1).await;
    let event = app.only().payload()["event"].clone();
    assert_eq!(
        (event["type"].as_str(), event["ts"].as_str()),
        (Some("message"), posted["ts"].as_str())
    );
    assert_eq!(event["bot_id"], json!(sim.world.app().bot_id));
    sim.call(
        "chat.update",
        json!({ "channel": dm, "ts": posted["ts"], "text": "two" }),
    )
    .await;
    eventually("its own edit", || app.received().len() == 2).await;
    let event = app.received()[1].payload()["event"].clone();
    assert_eq!(event["subtype"], "message_changed");
    assert_eq!(event["message"]["text"], "two");
    sim.call(
        "chat.postMessage",
        json!({ "channel": "#platform", "text": "loud" }),
    )
    .await;
    sim.world.say("priya", &dm, None, "last").await.unwrap();
    eventually("the next event", || app.received().len() == 3).await;
    assert_eq!(
        app.received()[2].payload()["event"]["text"],
        "last",
        "nothing from channels"
    );
}

#[tokio::test]
async fn a_deleted_message_is_told_and_a_root_with_replies_as_a_tombstone() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let root = sim
        .world
        .say("priya", "#platform", None, "root")
        .await
        .unwrap()
        .ts
        .unwrap();
    let reply = sim
        .world
        .say("tom", "#platform", Some(&root), "reply")
        .await
        .unwrap()
        .ts
        .unwrap();
    sim.world
        .change_settings(|settings| settings.events.push("message.channels".into()));
    sim.world.delete_message("#platform", &root).unwrap();
    eventually("the tombstone", || app.received().len() == 1).await;
    let event = app.only().payload()["event"].clone();
    assert_eq!(event["subtype"], "message_changed");
    assert_eq!(event["message"]["subtype"], "tombstone");
    assert_eq!(event["message"]["ts"], root);
    sim.world.delete_message("#platform", &reply).unwrap();
    eventually("the deletion", || app.received().len() == 2).await;
    let event = app.received()[1].payload()["event"].clone();
    assert_eq!(
        (event["subtype"].as_str(), event["deleted_ts"].as_str()),
        (Some("message_deleted"), Some(reply.as_str()))
    );
}

#[tokio::test]
async fn the_app_hears_of_changes_in_the_workspace() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .group_member("payments-leads", "priya", true)
        .unwrap();
    sim.world.kick("#platform", "idp").unwrap();
    sim.world.deactivate("gil", true).unwrap();
    eventually("three events", || app.received().len() == 3).await;
    let mut got: Vec<_> = app
        .received()
        .iter()
        .map(|got| got.payload()["event"]["type"].as_str().unwrap().to_owned())
        .collect();
    got.sort();
    assert_eq!(
        got,
        [
            "member_left_channel",
            "subteam_members_changed",
            "user_change"
        ]
    );
}

#[tokio::test]
async fn an_event_is_retried_three_times_with_number_and_reason() {
    let app = App::start(|_| Answer::Status(500)).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .change_settings(|settings| settings.event_retries_s = vec![0, 0, 0]);
    sim.world
        .say("priya", "#platform", None, "@idp")
        .await
        .unwrap();
    eventually("three retries", || app.received().len() == 4).await;
    let got = app.received();
    assert_eq!(got[0].header("x-slack-retry-num"), None);
    for (number, retry) in got.iter().enumerate().skip(1) {
        assert_eq!(
            retry.header("x-slack-retry-num"),
            Some(number.to_string().as_str())
        );
        assert_eq!(retry.header("x-slack-retry-reason"), Some("http_error"));
        assert_eq!(retry.payload()["event_id"], got[0].payload()["event_id"]);
    }
}

#[tokio::test]
async fn an_app_can_decline_retries() {
    let app = App::start(|got| match got.payload()["event"]["text"].as_str() {
        Some("last") => Answer::Empty,
        _ => Answer::StatusNoRetry(500),
    })
    .await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .change_settings(|settings| settings.event_retries_s = vec![0, 0, 0]);
    sim.world
        .say("priya", "#platform", None, "@idp")
        .await
        .unwrap();
    eventually("the record", || {
        sim.world
            .log()
            .deliveries
            .iter()
            .any(|record| record.answer.is_some())
    })
    .await;
    // A later event through the same path shows that no retry of the first was under way.
    let dm = sim.world.bot_dm("priya").unwrap();
    sim.world.say("priya", &dm, None, "last").await.unwrap();
    eventually("the later event", || app.received().len() == 2).await;
    assert_eq!(app.received()[1].payload()["event"]["text"], "last");
}
