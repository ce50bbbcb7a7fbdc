//! Commands and presses on their way to the app: signatures, deadlines, replicas, answers.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::harness::{Answer, App, Sim, eventually};
use idp::sandbox::acts::{Press, Surface};
use idp::sandbox::world::MessageRef;

fn on(channel: &str, ts: &str, action_id: &str) -> Press {
    let surface = Surface::Message(MessageRef {
        channel: channel.into(),
        ts: ts.into(),
    });
    Press {
        surface,
        block_id: None,
        action_id: action_id.into(),
        value: json!(null),
    }
}

#[tokio::test]
async fn a_command_is_a_signed_form() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .say("priya", "#platform", None, "/idp new-service a & b")
        .await
        .unwrap();

    let got = app.only();
    assert_eq!(got.path, "/slack/commands");
    let timestamp = got.header("x-slack-request-timestamp").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"sandbox-signing-secret").unwrap();
    mac.update(format!("v0:{timestamp}:{}", got.body).as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(got.header("x-slack-signature"), Some(signature.as_str()));

    let payload = got.payload();
    assert_eq!(payload["command"], "/idp");
    assert_eq!(payload["text"], "new-service a &amp; b");
    assert_eq!(payload["user_name"], "priya");
    assert_eq!(payload["channel_name"], "platform");
    assert_eq!(payload["team_domain"], "acme");
    assert!(
        sim.texts("priya", "#platform").is_empty(),
        "an empty answer shows nothing"
    );
}

#[tokio::test]
async fn an_answer_in_the_acknowledgement_is_private_unless_it_says_otherwise() {
    let app = App::start(|got| match got.payload()["text"].as_str().unwrap() {
        "loud" => Answer::Json(json!({ "response_type": "in_channel", "text": "for all" })),
        _ => Answer::Json(json!({ "text": "for you" })),
    })
    .await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .say("priya", "#random", None, "/idp quiet")
        .await
        .unwrap();
    sim.world
        .say("priya", "#random", None, "/idp loud")
        .await
        .unwrap();
    assert_eq!(sim.texts("priya", "#random"), ["for you", "for all"]);
    assert_eq!(sim.texts("tom", "#random"), ["for all"]);
}

#[tokio::test]
async fn an_app_that_does_not_answer_in_three_seconds_failed() {
    let app = App::start(|_| Answer::Never).await;
    let sim = Sim::with_app(&app).await;
    let outcome = sim
        .world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    assert_eq!(
        outcome.problem.as_deref(),
        Some("/idp failed with the error \"operation_timeout\"")
    );
    assert_eq!(sim.texts("priya", "#platform"), [outcome.problem.unwrap()]);
    assert!(sim.texts("alex", "#platform").is_empty());
    let log = sim.world.log();
    assert!(
        log.deliveries[0]
            .failure
            .as_ref()
            .unwrap()
            .starts_with("no answer"),
        "{log:?}"
    );
}

#[tokio::test]
async fn commands_are_refused_in_threads_and_when_unknown() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let root = sim
        .world
        .say("priya", "#platform", None, "hello")
        .await
        .unwrap()
        .ts
        .unwrap();
    let outcome = sim
        .world
        .say("priya", "#platform", Some(&root), "/idp")
        .await
        .unwrap();
    assert!(
        outcome
            .problem
            .unwrap()
            .contains("not supported in threads")
    );
    let outcome = sim
        .world
        .say("priya", "#platform", None, "/other")
        .await
        .unwrap();
    assert!(outcome.problem.unwrap().contains("not a valid command"));
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn replicas_take_turns_and_a_dead_one_is_passed_over() {
    let one = App::start(|_| Answer::Empty).await;
    let two = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_apps(&[&one, &two]).await;
    for _ in 0..4 {
        sim.world
            .say("priya", "#platform", None, "/idp")
            .await
            .unwrap();
    }
    assert_eq!((one.received().len(), two.received().len()), (2, 2));

    let mut dead = App::start(|_| Answer::Empty).await;
    dead.url.set_port(Some(free_port())).unwrap();
    let sim = Sim::with_apps(&[&dead, &two]).await;
    for _ in 0..2 {
        let outcome = sim
            .world
            .say("priya", "#platform", None, "/idp")
            .await
            .unwrap();
        assert_eq!(outcome.problem, None);
    }
    assert_eq!(two.received().len(), 4);
}

#[tokio::test]
async fn deliver_twice_sends_the_same_bytes_again() {
    let app = App::start(|_| Answer::Json(json!({ "text": "once" }))).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .change_settings(|settings| settings.deliver_twice = 1);
    let outcome = sim
        .world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    eventually("the second delivery", || app.received().len() == 2).await;
    let got = app.received();
    assert_eq!(got[0].body, got[1].body);
    assert_eq!(sim.texts("priya", "#platform"), ["once"]);

    sim.world
        .redeliver(outcome.delivery.unwrap())
        .await
        .unwrap();
    assert_eq!(app.received()[2].body, got[0].body);
}

#[tokio::test]
async fn a_press_carries_what_slack_sends() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let (channel, ts) = card(&sim).await;
    sim.world
        .press("alex", &on(&channel, &ts, "request.approve"))
        .await
        .unwrap();

    let payload = app.only().payload();
    assert_eq!(payload["type"], "block_actions");
    assert_eq!(payload["user"]["username"], "alex");
    assert_eq!(
        payload["container"],
        json!({ "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false })
    );
    assert_eq!(payload["team"]["domain"], "acme");
    assert_eq!(payload["enterprise"], json!(null));
    assert_eq!(
        payload["message"]["blocks"][0]["elements"][0]["value"],
        "plan-1"
    );
    assert_eq!(payload["state"]["values"], json!({}));
    let action = &payload["actions"][0];
    assert_eq!(action["type"], "button");
    assert_eq!(action["value"], "plan-1");
    assert_eq!(action["text"]["text"], "Approve");
    assert!(action["action_ts"].is_string());
}

#[tokio::test]
async fn a_response_url_is_good_for_five_posts_in_half_an_hour() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let (channel, ts) = card(&sim).await;
    sim.world
        .press("alex", &on(&channel, &ts, "request.approve"))
        .await
        .unwrap();
    let url = app.only().payload()["response_url"]
        .as_str()
        .unwrap()
        .to_owned();

    let replace = json!({ "replace_original": true, "text": "Approved" });
    assert_eq!(sim.answer_url(&url, replace).await.0, 200);
    assert_eq!(sim.texts("tom", "#platform"), ["Approved"]);
    for _ in 0..4 {
        assert_eq!(sim.answer_url(&url, json!({ "text": "hi" })).await.0, 200);
    }
    assert_eq!(
        sim.texts("alex", "#platform").len(),
        5,
        "private to the one who pressed"
    );
    assert_eq!(sim.texts("tom", "#platform").len(), 1);
    let (status, answer) = sim.answer_url(&url, json!({ "text": "hi" })).await;
    assert_eq!((status, answer["error"].as_str()), (404, Some("used_url")));

    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let url = app.received()[1].payload()["response_url"]
        .as_str()
        .unwrap()
        .to_owned();
    sim.pass(1801);
    let (status, answer) = sim.answer_url(&url, json!({ "text": "late" })).await;
    assert_eq!(
        (status, answer["error"].as_str()),
        (404, Some("expired_url"))
    );
}

#[tokio::test]
async fn what_happened_behind_a_message_is_kept() {
    let app = App::start(|_| Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .say("priya", "#platform", None, "/idp new-service")
        .await
        .unwrap();
    let (channel, ts) = card(&sim).await;
    sim.world
        .press("alex", &on(&channel, &ts, "request.approve"))
        .await
        .unwrap();
    sim.call(
        "chat.update",
        json!({ "channel": channel, "ts": ts, "text": "Approved" }),
    )
    .await;

    let behind = sim.world.behind(&channel, &ts).unwrap();
    let methods: Vec<_> = behind
        .calls
        .iter()
        .map(|call| call.method.as_str())
        .collect();
    assert_eq!(methods, ["chat.postMessage", "chat.update"]);
    assert_eq!(behind.before.unwrap().payload["text"], "new-service");
    assert_eq!(behind.deliveries.len(), 1);
    let press = &behind.deliveries[0];
    assert_eq!(press.answer.as_ref().unwrap().status, 200);
    assert!(
        press
            .headers
            .iter()
            .any(|(name, _)| name == "X-Slack-Signature")
    );
    assert!(press.body.starts_with("payload="));
}

/// A message with one button, by the bot in #platform.
async fn card(sim: &Sim) -> (String, String) {
    let button = json!({
        "type": "button", "action_id": "request.approve", "value": "plan-1",
        "text": { "type": "plain_text", "text": "Approve" }
    });
    let blocks = json!([{ "type": "actions", "elements": [button] }]);
    let channel = sim.channel("platform");
    let args = json!({ "channel": channel, "text": "Waiting", "blocks": blocks });
    let ts = sim.call("chat.postMessage", args).await["ts"]
        .as_str()
        .unwrap()
        .to_owned();
    (channel, ts)
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
