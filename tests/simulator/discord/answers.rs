//! What an app may answer to an interaction, by which way, and for how long.

use std::time::Duration;

use serde_json::{Value, json};

use super::{APPLICATION, Bot, PRIYA, calm};
use crate::simulator::harness::{Sim, eventually};

const ASK: &str = "/idp run command:new-service words:payments-api";

async fn asks(sim: &Sim, person: &str) -> Value {
    let act = json!({ "person": person, "channel": "platform", "text": ASK });
    sim.acts("say", act).await
}

fn message(content: &str) -> Value {
    json!({ "type": 4, "data": { "content": content } })
}

#[tokio::test]
async fn a_command_carries_who_asked_where_and_what() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    asks(&sim, "priya").await;
    let got = bot.last();
    assert_eq!((&got["type"], &got["context"]), (&json!(2), &json!(0)));
    assert_eq!(got["member"]["user"]["username"], "priya");
    assert_eq!(got["channel"]["name"], "platform");
    let run = &got["data"]["options"][0];
    assert_eq!(run["name"], "run");
    assert_eq!(
        run["options"][0],
        json!({ "name": "command", "type": 3, "value": "new-service" })
    );
    assert_eq!(run["options"][1]["value"], "payments-api");
    let seen = sim.sees_on_discord("alex", "platform").await;
    assert_eq!(seen[0]["used"], json!(["Priya Nair", "/idp run"]));
}

#[tokio::test]
async fn in_direct_messages_a_command_carries_the_user_and_no_guild() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    let open = json!({ "recipient_id": PRIYA });
    let channel = sim.done("POST", "users/@me/channels", open).await;
    let act = json!({ "person": "priya", "channel": "@idp", "text": ASK });
    sim.acts("say", act).await;
    let got = bot.last();
    assert_eq!((&got["type"], &got["context"]), (&json!(2), &json!(1)));
    assert_eq!(got["user"]["username"], "priya");
    assert!(got.get("member").is_none() && got.get("guild_id").is_none());
    let nobody = json!({ "0": "0" });
    assert_eq!(got["authorizing_integration_owners"], nobody);
    let path = format!("channels/{}/messages", text(&channel, "id"));
    let said = sim.done("GET", &path, Value::Null).await;
    let cause = &said[0]["interaction_metadata"];
    assert_eq!(cause["authorizing_integration_owners"], nobody);
}

#[tokio::test]
async fn an_answer_by_a_call_tells_what_it_made() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(Value::Null)).await;
    for private in [true, false] {
        let before = bot.got().len();
        let answers = async {
            eventually("the command", || bot.got().len() > before).await;
            let got = bot.last();
            let path = format!(
                "interactions/{}/{}/callback?with_response=true",
                text(&got, "id"),
                text(&got, "token")
            );
            let flags = if private { 64 } else { 0 };
            let answer = json!({ "type": 4, "data": { "content": "Here", "flags": flags } });
            sim.rest_as(None, "POST", &path, answer).await
        };
        let (outcome, told) = tokio::join!(asks(&sim, "priya"), answers);
        assert!(outcome["problem"].is_null(), "{outcome}");
        let made = &told.body["interaction"];
        assert_eq!(made["response_message_ephemeral"], private);
        assert_eq!(made["response_message_loading"], false);
        let message = &told.body["resource"]["message"];
        assert_eq!(message["id"], made["response_message_id"]);
    }
}

#[tokio::test]
async fn a_private_answer_is_seen_and_put_away_by_one() {
    let sim = calm().await;
    let private = json!({ "type": 4, "data": { "content": "psst", "flags": 64 } });
    let _bot = Bot::start(&sim, move |_| Some(private.clone())).await;
    asks(&sim, "priya").await;
    let seen = sim.sees_on_discord("priya", "platform").await;
    assert_eq!(seen[0]["content"], "psst");
    assert!(sim.sees_on_discord("alex", "platform").await.is_empty());
    let on = json!({ "channel": seen[0]["channel"], "id": seen[0]["id"] });
    let (status, _) = sim
        .act("dismiss", json!({ "person": "alex", "on": on }))
        .await;
    assert_eq!(status, 422);
    sim.acts("dismiss", json!({ "person": "priya", "on": on }))
        .await;
    assert!(sim.sees_on_discord("priya", "platform").await.is_empty());
}

#[tokio::test]
async fn silence_is_told_after_three_seconds_and_the_token_is_gone() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| None).await;
    let began = tokio::time::Instant::now();
    let outcome = asks(&sim, "priya").await;
    assert!(began.elapsed() >= Duration::from_secs(3));
    assert_eq!(outcome["problem"], "/idp: The application did not respond");
    let got = bot.last();
    let path = format!(
        "interactions/{}/{}/callback",
        text(&got, "id"),
        text(&got, "token")
    );
    let late = sim.rest_as(None, "POST", &path, message("late")).await;
    assert_eq!(late.refusal(), (404, 10_062));
    let path = format!("webhooks/{APPLICATION}/{}", text(&got, "token"));
    let late = sim
        .rest_as(None, "POST", &path, json!({ "content": "late" }))
        .await;
    assert_eq!(late.refusal(), (404, 10_015));
}

#[tokio::test]
async fn an_answer_is_given_once() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    asks(&sim, "priya").await;
    let got = bot.last();
    let path = format!(
        "interactions/{}/{}/callback",
        text(&got, "id"),
        text(&got, "token")
    );
    let again = sim.rest_as(None, "POST", &path, message("again")).await;
    assert_eq!(again.refusal(), (400, 40_060));
    let strange = sim
        .rest_as(None, "POST", "interactions/1/x/callback", message("x"))
        .await;
    assert_eq!(strange.refusal(), (404, 10_062));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_none() {
    let sim = calm().await;
    // No message changes where none was pressed; no message is empty.
    for wrong in [
        json!({ "type": 6 }),
        json!({ "type": 7, "data": { "content": "x" } }),
        json!({ "type": 8, "data": { "choices": [] } }),
        json!({ "type": 4, "data": { "content": "" } }),
        json!({ "type": 9, "data": { "title": "T", "custom_id": "x", "components": [] } }),
    ] {
        let bot = Bot::start(&sim, move |_| Some(wrong.clone())).await;
        let outcome = asks(&sim, "priya").await;
        assert!(outcome["problem"].is_string(), "{:?}", bot.last());
    }
}

#[tokio::test]
async fn a_promise_is_kept_by_token_for_fifteen_minutes() {
    let sim = calm().await;
    let later = json!({ "type": 5, "data": { "flags": 64 } });
    let bot = Bot::start(&sim, move |_| Some(later.clone())).await;
    asks(&sim, "priya").await;
    let seen = sim.sees_on_discord("priya", "platform").await;
    assert_eq!(seen[0]["loading"], true);
    let hook = format!("webhooks/{APPLICATION}/{}", text(&bot.last(), "token"));
    let original = format!("{hook}/messages/@original");
    let put = sim
        .rest_as(None, "PATCH", &original, json!({ "content": "done" }))
        .await;
    assert_eq!(put.status, 200);
    let more = sim
        .rest_as(
            None,
            "POST",
            &hook,
            json!({ "content": "more", "flags": 64 }),
        )
        .await;
    assert_eq!(more.status, 200);
    assert_eq!(sim.reads("priya", "platform").await, ["done", "more"]);
    assert!(sim.sees_on_discord("alex", "platform").await.is_empty());
    sim.pass(901);
    let late = sim
        .rest_as(None, "PATCH", &original, json!({ "content": "late" }))
        .await;
    assert_eq!(late.refusal(), (401, 50_027));
    // Another message of the bot is not the token's to change.
}

#[tokio::test]
async fn a_token_touches_only_what_it_made() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    let card = sim
        .done(
            "POST",
            &format!("channels/{}/messages", super::PLATFORM),
            json!({ "content": "card" }),
        )
        .await;
    asks(&sim, "priya").await;
    let hook = format!(
        "webhooks/{APPLICATION}/{}/messages",
        text(&bot.last(), "token")
    );
    let path = format!("{hook}/{}", text(&card, "id"));
    let answer = sim
        .rest_as(None, "PATCH", &path, json!({ "content": "mine" }))
        .await;
    assert_eq!(answer.refusal(), (404, 10_008));
}

#[tokio::test]
async fn a_form_is_filled_as_discord_fills_it() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |got| {
        Some(match got["type"].as_u64().unwrap() {
            2 => json!({ "type": 9, "data": { "title": "New service", "custom_id": "form 7", "components": [
                { "type": 10, "content": "About it" },
                { "type": 18, "label": "Name", "component":
                    { "type": 4, "custom_id": "name", "style": 1, "min_length": 3, "value": "pay" } },
                { "type": 18, "label": "Size", "component": { "type": 3, "custom_id": "size", "options": [
                    { "label": "Small", "value": "s", "default": true }, { "label": "Large", "value": "l" }] } }] } }),
            _ => message("Thanks"),
        })
    })
    .await;
    asks(&sim, "priya").await;
    let entry = |id: &str, value: Value| json!({ "custom_id": id, "value": value });
    let wrong = json!({ "person": "priya", "entries": [entry("name", json!("x")), entry("size", json!("m"))] });
    let outcome = sim.acts("submit", wrong).await;
    assert!(
        outcome["delivery"].is_null(),
        "Discord's own client sends no such form"
    );
    let right = json!({ "person": "priya", "entries": [entry("name", json!("payments")), entry("size", json!("l"))] });
    sim.acts("submit", right).await;
    let got = bot.last();
    assert_eq!(got["data"]["custom_id"], "form 7");
    assert_eq!(
        got["data"]["components"][1]["component"]["value"],
        "payments"
    );
    assert_eq!(
        got["data"]["components"][2]["component"]["values"],
        json!(["l"])
    );
    let (status, _) = sim.act("submit", json!({ "person": "priya" })).await;
    assert_eq!(status, 422, "it is closed");
}

#[tokio::test]
async fn a_button_changes_its_message_or_answers_beside_it() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |got| {
        Some(match got["data"]["custom_id"].as_str().unwrap() {
            "change" => json!({ "type": 7, "data": { "content": "changed", "components": [] } }),
            _ => json!({ "type": 6 }),
        })
    })
    .await;
    let button = |id: &str| json!({ "type": 2, "style": 1, "label": id, "custom_id": id });
    let card = json!({ "content": "card", "components": [
        { "type": 1, "components": [button("change"), button("keep")] }] });
    let path = format!("channels/{}/messages", super::PLATFORM);
    let card = sim.done("POST", &path, card).await;
    let on = json!({ "channel": card["channel_id"], "id": card["id"] });
    let press = |id: &str| json!({ "person": "alex", "on": on, "component": id });
    sim.acts("press", press("keep")).await;
    let got = bot.last();
    assert_eq!(got["data"]["component_type"], 2);
    assert_eq!(got["message"]["id"], card["id"]);
    assert!(got["member"]["roles"].as_array().unwrap().len() >= 3);
    assert_eq!(sim.reads("alex", "platform").await, ["card"]);
    sim.acts("press", press("change")).await;
    assert_eq!(sim.reads("alex", "platform").await, ["changed"]);
    let (status, _) = sim.act("press", press("change")).await;
    assert_eq!(status, 422, "the button is gone");
}

#[tokio::test]
async fn an_endpoint_that_takes_wrong_signatures_gets_nothing() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    *bot.state.key.lock().unwrap() = None;
    let outcome = asks(&sim, "priya").await;
    assert!(outcome["problem"].is_string() && bot.got().is_empty());
}

#[tokio::test]
async fn the_same_interaction_twice_is_answered_twice_and_shown_once() {
    let sim = calm().await;
    let bot = Bot::start(&sim, |_| Some(message("Here"))).await;
    sim.acts("levers", json!({ "deliver_twice": 1 })).await;
    asks(&sim, "priya").await;
    eventually("a second delivery", || bot.got().len() == 2).await;
    let got = bot.got();
    assert_eq!(got[0]["id"], got[1]["id"]);
    assert_eq!(sim.reads("priya", "platform").await, ["Here"]);
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap()
}
