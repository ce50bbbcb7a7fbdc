//! The Web API's rules about messages and channels.

use idp::sandbox::RateLimits;
use serde_json::{Value, json};

use super::harness::{Sim, eventually};

async fn quiet() -> Sim {
    Sim::start(|_| {}).await
}

#[tokio::test]
async fn tokens_and_scopes_are_checked() {
    let sim = quiet().await;
    let url = sim.base.join("api/auth.test").unwrap();
    let http = reqwest::Client::new();
    let answer = async |token: Option<&str>| -> Value {
        let mut request = http.post(url.clone());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("x-oauth-scopes"));
        response.json().await.unwrap()
    };
    assert_eq!(answer(None).await["error"], "not_authed");
    assert_eq!(answer(Some("xoxb-other")).await["error"], "invalid_auth");
    assert_eq!(
        answer(Some("xapp-sandbox-app")).await["error"],
        "not_allowed_token_type"
    );
    assert_eq!(answer(Some("xoxb-sandbox-bot")).await["user"], "idp");
    sim.world.revoke_token(true);
    assert_eq!(
        answer(Some("xoxb-sandbox-bot")).await["error"],
        "token_revoked"
    );
    sim.world.revoke_token(false);

    sim.world
        .change_settings(|settings| settings.scopes.retain(|scope| scope != "chat:write"));
    let (_, _, answer) = sim
        .call_raw(
            "chat.postMessage",
            json!({ "channel": "C07PLATFO01", "text": "x" }),
        )
        .await;
    assert_eq!(answer["error"], "missing_scope");
    assert_eq!(answer["needed"], "chat:write");
    assert_eq!(sim.refused("no.such", json!({})).await, "unknown_method");
}

#[tokio::test]
async fn the_bot_writes_only_where_it_is() {
    let sim = quiet().await;
    let post = async |channel: &str| {
        sim.refused(
            "chat.postMessage",
            json!({ "channel": channel, "text": "x" }),
        )
        .await
    };
    assert_eq!(post("#random").await, "not_in_channel");
    assert_eq!(
        post(&sim.channel("security-ops")).await,
        "channel_not_found"
    );
    assert_eq!(post("D07PRIYALEX").await, "channel_not_found");
    assert_eq!(post("C0NOWHERE").await, "channel_not_found");
    sim.world.archive("#payments", true).unwrap();
    assert_eq!(post("#payments").await, "is_archived");
    sim.world.kick("#platform", "idp").unwrap();
    assert_eq!(post("#platform").await, "not_in_channel");

    let id = sim.world.person("priya").unwrap().id;
    let posted = sim
        .call("chat.postMessage", json!({ "channel": id, "text": "psst" }))
        .await;
    assert_eq!(
        posted["channel"].as_str(),
        sim.world.bot_dm("priya").as_deref()
    );
}

#[tokio::test]
async fn contents_have_limits() {
    let sim = Sim::start(|config| config.limits = RateLimits::Off).await;
    let post = async |args: Value| {
        let mut all = json!({ "channel": sim.channel("platform") });
        all.as_object_mut()
            .unwrap()
            .extend(args.as_object().unwrap().clone());
        sim.call_raw("chat.postMessage", all).await.2
    };
    assert_eq!(post(json!({})).await["error"], "no_text");
    let section =
        |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let answer = post(json!({ "blocks": vec![section("x"); 51] })).await;
    assert_eq!(answer["error"], "invalid_blocks");
    let answer = post(json!({ "blocks": [section(&"x".repeat(3001))] })).await;
    let message = answer["response_metadata"]["messages"][0].as_str().unwrap();
    assert!(
        message.ends_with("[json-pointer:/blocks/0/text/text]"),
        "{message}"
    );
    let answer = post(json!({ "blocks": vec![section(&"x".repeat(2900)); 5] })).await;
    assert_eq!(answer["error"], "msg_blocks_too_long");
    let answer = post(json!({ "text": "x".repeat(40_001) })).await;
    assert_eq!(answer["warning"], "message_truncated");
    assert_eq!(answer["message"]["text"].as_str().unwrap().len(), 40_000);
    let answer = post(json!({ "text": "x", "metadata": { "event_type": "t" } })).await;
    assert_eq!(answer["error"], "invalid_metadata_format");
}

#[tokio::test]
async fn edits_keep_and_drop_what_slack_keeps_and_drops() {
    let sim = quiet().await;
    let channel = sim.channel("platform");
    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "old" } }]);
    let metadata = json!({ "event_type": "request", "event_payload": { "id": "1" } });
    let args = json!({ "channel": channel, "text": "old", "blocks": blocks, "metadata": metadata });
    let ts = sim.call("chat.postMessage", args).await["ts"].clone();
    let id = |more: Value| {
        let mut all = json!({ "channel": channel, "ts": ts });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(sim.refused("chat.update", id(json!({}))).await, "no_text");
    let edited = sim.call("chat.update", id(json!({ "text": "new" }))).await;
    assert_eq!(
        edited["message"].get("blocks"),
        None,
        "text alone removes the blocks"
    );
    assert_eq!(edited["message"]["metadata"]["event_type"], "request");
    assert!(edited["message"]["edited"]["ts"].is_string());

    let by_priya = sim
        .world
        .say("priya", "#platform", None, "mine")
        .await
        .unwrap()
        .ts
        .unwrap();
    let args = json!({ "channel": channel, "ts": by_priya, "text": "yours" });
    assert_eq!(
        sim.refused("chat.update", args.clone()).await,
        "cant_update_message"
    );
    assert_eq!(
        sim.refused("chat.delete", args).await,
        "cant_delete_message"
    );
    sim.world
        .delete_message("#platform", ts.as_str().unwrap())
        .unwrap();
    assert_eq!(
        sim.refused("chat.update", id(json!({ "text": "x" }))).await,
        "message_not_found"
    );
}

#[tokio::test]
async fn a_deleted_root_with_replies_leaves_a_tombstone() {
    let sim = quiet().await;
    let channel = sim.channel("platform");
    let root = sim
        .call(
            "chat.postMessage",
            json!({ "channel": channel, "text": "root" }),
        )
        .await;
    let reply = json!({ "channel": channel, "text": "reply", "thread_ts": root["ts"] });
    let reply = sim.call("chat.postMessage", reply).await;
    assert_eq!(
        sim.texts("priya", "#platform"),
        ["root"],
        "replies are in the thread"
    );
    sim.call(
        "chat.delete",
        json!({ "channel": channel, "ts": root["ts"] }),
    )
    .await;
    assert_eq!(
        sim.texts("priya", "#platform"),
        ["This message was deleted."]
    );
    let thread = json!({ "channel": channel, "ts": reply["ts"] });
    let thread = sim.call("conversations.replies", thread).await;
    assert_eq!(thread["messages"][1]["text"], "reply");
}

#[tokio::test]
async fn ephemeral_messages_are_seen_by_one_and_found_by_nobody() {
    let sim = quiet().await;
    let channel = sim.channel("platform");
    let tom = sim.world.person("tom").unwrap().id;
    let args = json!({ "channel": channel, "user": tom, "text": "psst" });
    let ts = sim.call("chat.postEphemeral", args).await["message_ts"].clone();
    assert_eq!(sim.texts("tom", "#platform"), ["psst"]);
    assert!(sim.texts("priya", "#platform").is_empty());
    let history = sim
        .call("conversations.history", json!({ "channel": channel }))
        .await;
    assert_eq!(history["messages"], json!([]));
    let args = json!({ "channel": channel, "ts": ts, "text": "x" });
    assert_eq!(sim.refused("chat.update", args).await, "message_not_found");
    let args = json!({ "channel": sim.channel("payments"), "user": tom, "text": "psst" });
    assert_eq!(
        sim.refused("chat.postEphemeral", args).await,
        "user_not_in_channel"
    );
}

#[tokio::test]
async fn posts_are_limited_per_channel_and_methods_by_tier() {
    let sim = quiet().await;
    let post = async |channel: &str| {
        sim.call_raw(
            "chat.postMessage",
            json!({ "channel": channel, "text": "x" }),
        )
        .await
    };
    for _ in 0..3 {
        assert_eq!(post("#platform").await.0, 200);
    }
    let (status, retry_after, answer) = post("#platform").await;
    assert_eq!(
        (status, retry_after, answer["error"].as_str()),
        (429, Some(1), Some("ratelimited"))
    );
    assert_eq!(
        post("#payments").await.0,
        200,
        "another channel has its own budget"
    );
    sim.pass(1);
    assert_eq!(post("#platform").await.0, 200);

    for _ in 0..20 {
        assert_eq!(sim.call_raw("usergroups.list", json!({})).await.0, 200);
    }
    assert_eq!(sim.call_raw("usergroups.list", json!({})).await.0, 429);

    let until = sim.world.now() + chrono::TimeDelta::seconds(20);
    sim.world
        .change_settings(|settings| settings.refuse_until = Some(until));
    let (status, retry_after, _) = sim.call_raw("auth.test", json!({})).await;
    assert_eq!((status, retry_after), (429, Some(20)));
    sim.pass(21);
    sim.call("auth.test", json!({})).await;
}

#[tokio::test]
async fn history_is_newest_first_in_pages_with_metadata_on_request() {
    let sim = Sim::start(|config| config.limits = RateLimits::Off).await;
    let channel = sim.channel("platform");
    for number in 0..5 {
        let metadata = json!({ "event_type": "n", "event_payload": { "number": number } });
        let args = json!({ "channel": channel, "text": format!("{number}"), "metadata": metadata });
        sim.call("chat.postMessage", args).await;
    }
    let mut cursor = json!("");
    let mut texts = Vec::new();
    loop {
        let args = json!({ "channel": channel, "limit": 2, "cursor": cursor, "include_all_metadata": true });
        let page = sim.call("conversations.history", args).await;
        for message in page["messages"].as_array().unwrap() {
            assert_eq!(message["metadata"]["event_type"], "n");
            texts.push(message["text"].as_str().unwrap().to_owned());
        }
        cursor = page["response_metadata"]["next_cursor"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(texts, ["4", "3", "2", "1", "0"]);
    let history = sim
        .call(
            "conversations.history",
            json!({ "channel": channel, "limit": 1 }),
        )
        .await;
    assert_eq!(history["messages"][0].get("metadata"), None);
}

#[tokio::test]
async fn the_workspace_survives_a_restart_and_a_reset_clears_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workspace.json");
    let first = Sim::start(|config| config.state_file = Some(file.clone())).await;
    first
        .call(
            "chat.postMessage",
            json!({ "channel": "#platform", "text": "kept" }),
        )
        .await;
    let tom = first.world.person("tom").unwrap().id;
    let ephemeral = json!({ "channel": first.channel("platform"), "user": tom, "text": "gone" });
    first.call("chat.postEphemeral", ephemeral).await;
    eventually("the file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("kept"))
    })
    .await;

    let second = Sim::start(|config| config.state_file = Some(file.clone())).await;
    assert_eq!(second.texts("tom", "#platform"), ["kept"]);
    let third = Sim::start(|config| {
        config.state_file = Some(file.clone());
        config.reset = true;
    })
    .await;
    assert!(third.texts("tom", "#platform").is_empty());
}
