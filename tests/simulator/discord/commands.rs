//! The composer: what is suggested, what can be sent.

use serde_json::{Value, json};

use super::{Bot, calm};
use crate::simulator::harness::Sim;

async fn suggested(sim: &Sim, text: &str) -> (Vec<String>, bool) {
    let act = json!({ "person": "priya", "channel": "platform", "text": text });
    let found = sim.acts("complete", act).await;
    let all = found["suggestions"].as_array().unwrap().iter();
    let texts = all.map(|own| own["text"].as_str().unwrap().to_owned());
    (texts.collect(), found["ready"] == true)
}

#[tokio::test]
async fn what_is_typed_is_completed_step_by_step() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |got| {
        let typed = got["data"]["options"][0]["options"][0]["value"]
            .as_str()
            .unwrap()
            .to_owned();
        let fits = ["new-service", "deploy"]
            .into_iter()
            .filter(|own| own.contains(&typed));
        let choices: Vec<Value> = fits
            .map(|own| json!({ "name": own.to_uppercase(), "value": own }))
            .collect();
        Some(json!({ "type": 8, "data": { "choices": choices } }))
    })
    .await;
    let all = suggested(&sim, "/").await;
    assert_eq!(all.0, ["/idp run ", "/idp help "]);
    assert_eq!(suggested(&sim, "/idp h").await.0, ["/idp help "]);
    assert_eq!(
        suggested(&sim, "/idp run ").await,
        (
            vec!["/idp run command:".to_owned(), "/idp run words:".to_owned()],
            false
        )
    );
    let asked = suggested(&sim, "/idp run command:new").await;
    assert_eq!(
        asked,
        (vec!["/idp run command:new-service ".to_owned()], true)
    );
    assert_eq!(bot.last()["type"], 4);
    assert_eq!(
        bot.last()["data"]["options"][0]["options"][0]["focused"],
        true
    );
    let next = suggested(&sim, "/idp run command:new-service ").await;
    assert_eq!(
        next,
        (vec!["/idp run command:new-service words:".to_owned()], true)
    );
    assert_eq!(
        suggested(&sim, "/idp run command:new-service words:a b").await,
        (vec![], true)
    );
    assert_eq!(suggested(&sim, "/idp help ").await, (vec![], true));
}

#[tokio::test]
async fn what_discord_would_not_send_is_not_sent() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| {
        Some(json!({ "type": 4, "data": { "content": "x" } }))
    })
    .await;
    for text in [
        "/idp",
        "/idp run",
        "/idp run words:x",
        "/idp run new-service",
        "/other",
    ] {
        let act = json!({ "person": "priya", "channel": "platform", "text": text });
        let (status, answer) = sim.act("say", act).await;
        assert_eq!(status, 422, "{text}: {answer}");
    }
    let deny = json!({ "deny": { "channel": "platform", "whom": "@everyone", "permissions": ["USE_APPLICATION_COMMANDS"] } });
    sim.acts("admin", deny).await;
    let (status, _) = sim
        .act(
            "say",
            json!({ "person": "priya", "channel": "platform", "text": "/idp help" }),
        )
        .await;
    assert_eq!(status, 422);
    assert!(bot.got().is_empty());
}

#[tokio::test]
async fn nobody_writes_more_than_discord_takes_at_once() {
    let sim = calm().await;
    let act = |text: &str| json!({ "person": "tom", "channel": "platform", "text": text });
    let most = "ä".repeat(2_000);
    let (status, answer) = sim.act("say", act(&format!("{most}ä"))).await;
    assert_eq!(status, 422, "{answer}");
    sim.acts("say", act(&most)).await;
    assert_eq!(sim.reads("tom", "platform").await, [most]);
}
