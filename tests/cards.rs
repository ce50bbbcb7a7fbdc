//! Every card as Slack gets it: taken by the simulator, which refuses what Slack refuses, and kept as a snapshot.

use std::fmt::Write as _;

use idp::cards;
use idp::chat::slack::render;
use idp::sandbox::RateLimits;
use serde_json::{Value, json};

use crate::simulator::harness::Sim;

#[path = "../src/cards/samples.rs"]
mod samples;

#[tokio::test]
async fn every_root_card_stands_on_slack() {
    let sim = Sim::start(|config| config.limits = RateLimits::Off).await;
    let mut seen = String::new();
    for (name, view) in samples::all() {
        let card = cards::root(&view, samples::at(10));
        let messages = render::message(&card, Some("nonce"));
        assert_eq!(messages.len(), 1, "{name}: a root card is one message");
        writeln!(seen, "=== {name}\n[{}]", messages[0].text).unwrap();
        for block in &messages[0].blocks {
            writeln!(seen, "{}", drawn(block)).unwrap();
        }
        let root = post(&sim, &messages[0], None).await;
        for notice in [
            cards::notice::approval_asked(&view, &[]),
            cards::notice::decided(&view),
            cards::notice::ended(&view),
            cards::notice::reminder(&view, Some("https://acme.slack.example/p1")),
        ] {
            for message in render::message(&notice, None) {
                post(&sim, &message, Some(&root)).await;
            }
        }
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn every_part_of_a_long_plan_is_a_modal() {
    let (_, mut view) = samples::all().swap_remove(1);
    let plan = view.plan.as_mut().unwrap();
    let step = plan.steps[0].clone();
    plan.steps = vec![step; 60];
    let pages = cards::plan::pages(&view);
    assert!(pages.len() > 1);
    for page in pages {
        let modal = render::reading(&page.title, &page.blocks);
        let blocks = modal["blocks"].as_array().unwrap().len();
        let checked = serde_json::from_value::<slackblocks::ModalView>(modal);
        assert!(checked.is_ok(), "{checked:?}");
        // One block of ours may become several, and `reading` cuts at a hundred.
        assert!(blocks < 100, "{blocks} blocks");
    }
}

async fn post(sim: &Sim, message: &render::Rendered, thread: Option<&str>) -> String {
    let body = json!({
        "channel": "platform",
        "text": message.text,
        "blocks": message.blocks,
        "metadata": message.metadata,
        "thread_ts": thread,
    });
    let answer: Value = reqwest::Client::new()
        .post(sim.base.join("api/chat.postMessage").unwrap())
        .bearer_auth("xoxb-sandbox-bot")
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["ok"], true, "{answer}: {body}");
    answer["ts"].as_str().unwrap().to_owned()
}

/// A block on one line or several: its words and what can be pressed.
fn drawn(block: &Value) -> String {
    let text = |value: &Value| {
        value
            .pointer("/text/text")
            .or_else(|| value.get("text"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let parts = block["elements"].as_array().cloned().unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "actions" => parts
            .iter()
            .map(|part| match part["options"].as_array() {
                Some(options) => options.iter().map(|o| format!("({})", text(o))).collect(),
                None => format!("[{}]", text(part)),
            })
            .collect::<Vec<_>>()
            .join(" "),
        "context" => parts.iter().map(&text).collect::<Vec<_>>().join(" "),
        kind => format!("{kind}: {}", text(block)),
    }
}
