//! Tokens, permissions, limits, rates.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::DateTime;
use serde_json::{Value, json};

use super::{APPLICATION, Bot, GUILD, PLATFORM, PRIYA, SECURITY_OPS, TOKEN, calm};
use crate::simulator::harness::{Sim, eventually};
use crate::support::discord::office::without_slack;
use crate::support::serve::Site;

#[tokio::test]
async fn nobody_calls_without_token_and_introduction() {
    let sim = calm().await;
    for token in [None, Some("Bot wrong"), Some(TOKEN)] {
        let answer = sim.rest_as(token, "GET", "users/@me", Value::Null).await;
        assert_eq!(answer.refusal(), (401, 0), "{token:?}");
    }
    let url = format!("{}discord/api/v10/users/@me", sim.base);
    let nameless = reqwest::Client::new()
        .get(url)
        .header("authorization", format!("Bot {TOKEN}"));
    assert_eq!(nameless.send().await.unwrap().status(), 403);
    sim.acts("admin", json!("revoke_token")).await;
    assert_eq!(sim.no("GET", "users/@me", Value::Null).await, (401, 0));
}

#[tokio::test]
async fn the_list_of_members_takes_the_intent_and_comes_in_pages() {
    let sim = calm().await;
    let path = format!("guilds/{GUILD}/members?limit=3&after=0");
    let first = sim.done("GET", &path, Value::Null).await;
    let last = first[2]["user"]["id"].as_str().unwrap();
    let path = format!("guilds/{GUILD}/members?limit=1000&after={last}");
    let rest = sim.done("GET", &path, Value::Null).await;
    assert_eq!(rest.as_array().unwrap().len(), 5);
    let path = format!("guilds/{GUILD}/members?limit=1001");
    assert_eq!(sim.no("GET", &path, Value::Null).await, (400, 50_035));
    sim.acts("levers", json!({ "members_intent": false })).await;
    let path = format!("guilds/{GUILD}/members?limit=3");
    assert_eq!(sim.no("GET", &path, Value::Null).await, (403, 50_001));
    let application = sim.done("GET", "applications/@me", Value::Null).await;
    assert_eq!(application["flags"], 0);
    // One member can be asked for all the same.
    let one = format!("guilds/{GUILD}/members/{PRIYA}");
    let priya = sim.done("GET", &one, Value::Null).await;
    assert_eq!(priya["user"]["global_name"], "Priya Nair");
    let nobody = format!("guilds/{GUILD}/members/1");
    assert_eq!(sim.no("GET", &nobody, Value::Null).await, (404, 10_007));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_anybody_may_add_the_bot_is_a_lever_and_doctor_tells() {
    let sim = calm().await;
    let site = Site::new("").await;
    let says = async || {
        let mut doctor = site.idp(&["doctor"]);
        without_slack(&mut doctor);
        doctor
            .env("DISCORD_API_URL", format!("{}discord/api/v10", sim.base))
            .env("DISCORD_BOT_TOKEN", TOKEN)
            .env("DISCORD_GATEWAY", "1");
        let output = tokio::task::spawn_blocking(move || doctor.output().unwrap());
        String::from_utf8(output.await.unwrap().stdout).unwrap()
    };
    let said = says().await;
    assert!(said.contains("switch Public Bot off"), "{said}");
    sim.acts("levers", json!({ "bot_public": false })).await;
    let application = sim.done("GET", "applications/@me", Value::Null).await;
    assert_eq!(application["bot_public"], false);
    let said = says().await;
    assert!(said.contains("they come over the gateway"), "{said}");
    assert!(!said.contains("Public Bot"), "{said}");
}

#[tokio::test]
async fn a_bot_writes_where_it_may() {
    let sim = calm().await;
    let messages = |channel: &str| format!("channels/{channel}/messages");
    let hello = json!({ "content": "hello" });
    let sent = sim.done("POST", &messages(PLATFORM), hello.clone()).await;
    assert_eq!(sim.reads("priya", "platform").await, ["hello"]);
    // A channel that it doesn't see, one that isn't, one that nobody writes in.
    assert_eq!(
        sim.no("POST", &messages(SECURITY_OPS), hello.clone()).await,
        (403, 50_001)
    );
    assert_eq!(
        sim.no("POST", &messages("1"), hello.clone()).await,
        (404, 10_003)
    );
    assert_eq!(
        sim.no("POST", &messages("x"), hello.clone()).await,
        (400, 50_035)
    );
    // What people wrote is theirs.
    let said = sim
        .acts(
            "say",
            json!({ "person": "tom", "channel": "platform", "text": "mine" }),
        )
        .await;
    let theirs = format!("{}/{}", messages(PLATFORM), said["ts"].as_str().unwrap());
    assert_eq!(sim.no("PATCH", &theirs, hello.clone()).await, (403, 50_005));
    assert_eq!(sim.no("DELETE", &theirs, Value::Null).await, (403, 50_013));
    // A permission that is taken away in this channel.
    let deny = |names: Value| json!({ "deny": { "channel": "platform", "whom": "idp", "permissions": names } });
    sim.acts("admin", deny(json!(["SEND_MESSAGES"]))).await;
    assert_eq!(
        sim.no("POST", &messages(PLATFORM), hello.clone()).await,
        (403, 50_013)
    );
    sim.acts("admin", deny(json!(["CREATE_PUBLIC_THREADS"])))
        .await;
    let thread = format!(
        "{}/{}/threads",
        messages(PLATFORM),
        sent["id"].as_str().unwrap()
    );
    assert_eq!(
        sim.no("POST", &thread, json!({ "name": "142" })).await,
        (403, 50_013)
    );
    sim.acts("admin", deny(json!(["READ_MESSAGE_HISTORY"])))
        .await;
    let answer = json!({ "content": "x", "message_reference": { "message_id": sent["id"] } });
    assert_eq!(
        sim.no("POST", &messages(PLATFORM), answer).await,
        (400, 160_002)
    );
    sim.acts("admin", deny(json!(["VIEW_CHANNEL"]))).await;
    assert_eq!(
        sim.no("POST", &messages(PLATFORM), hello).await,
        (403, 50_001)
    );
}

#[tokio::test]
async fn a_role_is_notified_by_who_may_mention_it() {
    const LEADS: &str = "1312000000000000603";
    let sim = calm().await;
    let path = format!("channels/{PLATFORM}/messages");
    let card = |role: &str| json!({ "content": format!("<@&{role}> <@{PRIYA}>") });
    let sent = sim.done("POST", &path, card(LEADS)).await;
    assert_eq!(sent["mention_roles"], json!([LEADS]));
    // Those who aren't named are not notified.
    let mut quiet = card(LEADS);
    quiet["allowed_mentions"] = json!({ "parse": [], "users": [PRIYA] });
    let sent = sim.done("POST", &path, quiet).await;
    assert_eq!(sent["mention_roles"], json!([]));
    assert_eq!(sent["mentions"][0]["id"], PRIYA);
    // Without the permission the mention is shown, and notifies nobody of the role.
    let deny = json!({ "deny": { "channel": "platform", "whom": "idp", "permissions": ["MENTION_EVERYONE"] } });
    sim.acts("admin", deny).await;
    let sent = sim.done("POST", &path, card(LEADS)).await;
    assert_eq!(sent["content"], card(LEADS)["content"]);
    assert_eq!(sent["mention_roles"], json!([]));
    assert_eq!(sent["mentions"][0]["id"], PRIYA);
    let seen = sim.sees_on_discord("alex", "platform").await;
    assert_eq!(seen[2]["mentions"], json!([PRIYA]));
    // A role that everybody may mention takes none.
    let role = json!({ "new_role": { "name": "On Call", "mentionable": true } });
    let made = sim.acts("admin", role).await;
    let on_call = made["id"].as_str().unwrap();
    let sent = sim.done("POST", &path, card(on_call)).await;
    assert_eq!(sent["mention_roles"], json!([on_call]));
}

#[tokio::test]
async fn a_mark_stands_once_for_some_minutes() {
    let sim = calm().await;
    let path = format!("channels/{PLATFORM}/messages");
    let marked = json!({ "content": "once", "nonce": "abc", "enforce_nonce": true });
    let one = sim.done("POST", &path, marked.clone()).await;
    let same = sim.done("POST", &path, marked.clone()).await;
    assert_eq!(one["id"], same["id"]);
    sim.pass(301);
    let other = sim.done("POST", &path, marked).await;
    assert_ne!(one["id"], other["id"]);
    // Without being enforced a nonce means nothing.
    let loose = json!({ "content": "twice", "nonce": "abc" });
    let pair = [
        sim.done("POST", &path, loose.clone()).await,
        sim.done("POST", &path, loose).await,
    ];
    assert_ne!(pair[0]["id"], pair[1]["id"]);
}

#[tokio::test]
async fn a_thread_has_the_id_of_its_message_and_can_be_closed() {
    let sim = calm().await;
    let path = format!("channels/{PLATFORM}/messages");
    let root = sim.done("POST", &path, json!({ "content": "card" })).await;
    let id = root["id"].as_str().unwrap();
    let threads = format!("{path}/{id}/threads");
    let wrong = json!({ "name": "x".repeat(101) });
    assert_eq!(sim.no("POST", &threads, wrong).await, (400, 50_035));
    let opened = sim
        .rest(
            "POST",
            &threads,
            json!({ "name": "142", "auto_archive_duration": 10_080 }),
        )
        .await;
    assert_eq!((opened.status, &opened.body["id"]), (201, &root["id"]));
    assert_eq!(
        sim.no("POST", &threads, json!({ "name": "142" })).await,
        (400, 160_004)
    );
    let inside = format!("channels/{id}/messages");
    let step = sim
        .done("POST", &inside, json!({ "content": "step" }))
        .await;
    let step = format!("{inside}/{}", step["id"].as_str().unwrap());
    // Archived: nothing changes, but a new message brings it back.
    sim.acts("admin", json!({ "archive": { "thread": id } }))
        .await;
    assert_eq!(
        sim.no("PATCH", &step, json!({ "content": "y" })).await,
        (400, 50_083)
    );
    sim.done("POST", &inside, json!({ "content": "again" }))
        .await;
    sim.done("PATCH", &step, json!({ "content": "y" })).await;
    sim.acts(
        "admin",
        json!({ "archive": { "thread": id, "locked": true } }),
    )
    .await;
    assert_eq!(
        sim.no("POST", &inside, json!({ "content": "z" })).await,
        (400, 160_005)
    );
    sim.acts("admin", json!({ "delete_channel": { "channel": id } }))
        .await;
    assert_eq!(
        sim.no("POST", &inside, json!({ "content": "z" })).await,
        (404, 10_003)
    );
    // The message may have another one now.
    sim.done("POST", &threads, json!({ "name": "142" })).await;
}

#[tokio::test]
async fn direct_messages_reach_whom_they_may() {
    let sim = calm().await;
    let open = |id: &str| json!({ "recipient_id": id });
    let channel = sim.done("POST", "users/@me/channels", open(PRIYA)).await;
    let same = sim.done("POST", "users/@me/channels", open(PRIYA)).await;
    assert_eq!(channel["id"], same["id"]);
    let path = format!("channels/{}/messages", channel["id"].as_str().unwrap());
    let sent = sim.done("POST", &path, json!({ "content": "psst" })).await;
    assert_eq!(sim.reads("priya", "@idp").await, ["psst"]);
    let (status, _) = sim
        .act(
            "say",
            json!({ "person": "alex", "channel": channel["id"], "text": "x" }),
        )
        .await;
    assert_eq!(status, 422, "nobody else sees it");
    let threads = format!("{path}/{}/threads", sent["id"].as_str().unwrap());
    assert_eq!(
        sim.no("POST", &threads, json!({ "name": "x" })).await,
        (403, 50_003)
    );
    sim.acts(
        "admin",
        json!({ "close_direct": { "person": "priya", "closed": true } }),
    )
    .await;
    assert_eq!(
        sim.no("POST", &path, json!({ "content": "psst" })).await,
        (403, 50_007)
    );
    sim.acts("admin", json!({ "leave": { "person": "priya" } }))
        .await;
    assert_eq!(
        sim.no("POST", &path, json!({ "content": "psst" })).await,
        (403, 50_278)
    );
    assert_eq!(
        sim.no("POST", "users/@me/channels", open("1")).await,
        (404, 10_013)
    );
}

#[tokio::test]
async fn a_bucket_is_told_with_each_answer_and_is_each_channels_own() {
    let sim = Sim::start(|_| {}).await;
    let path = format!("channels/{PLATFORM}/messages");
    let other = "channels/1312000000000000503/messages";
    let hello = json!({ "content": "hello" });
    for left in (0..5).rev() {
        let answer = sim.rest("POST", &path, hello.clone()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("x-ratelimit-remaining"),
            Some(left.to_string().as_str())
        );
    }
    let refused = sim.rest("POST", &path, hello.clone()).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["global"], false);
    assert_eq!(refused.header("x-ratelimit-scope"), Some("user"));
    assert!(refused.body["retry_after"].as_f64().unwrap() > 3.0);
    assert!(
        refused.header("retry-after").is_some() && refused.header("x-ratelimit-bucket").is_some()
    );
    assert_eq!(sim.rest("POST", other, hello.clone()).await.status, 200);
    sim.pass(6);
    assert_eq!(sim.rest("POST", &path, hello).await.status, 200);
}

#[tokio::test]
async fn fifty_calls_a_second_are_the_most_of_all_but_interactions() {
    // Time stands still until it is moved: one second, however long the calls take.
    let second = Arc::new(AtomicI64::new(1_795_437_840));
    let clock = Arc::clone(&second);
    let sim = Sim::start(move |config| {
        let now = move || DateTime::from_timestamp(clock.load(Ordering::Relaxed), 0).unwrap();
        config.clock = Arc::new(now);
    })
    .await;
    // It registers its command: the first call.
    let answer = json!({ "type": 4, "data": { "content": "Here" } });
    let bot = Bot::start(&sim, move |_| Some(answer.clone())).await;
    let act = json!({ "person": "priya", "channel": "platform", "text": "/idp help" });
    sim.acts("say", act).await;
    let guild = format!("guilds/{GUILD}");
    for path in ["users/@me", guild.as_str()].repeat(25).iter().skip(1) {
        assert_eq!(sim.rest("GET", path, Value::Null).await.status, 200);
    }
    let refused = sim.rest("GET", "users/@me", Value::Null).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["global"], true);
    let more = || follow_up(&sim, &bot);
    assert_eq!(more().await, 200);
    second.fetch_add(1, Ordering::Relaxed);
    assert_eq!(sim.rest("GET", "users/@me", Value::Null).await.status, 200);
    sim.acts("levers", json!({ "refuse_all_for_s": 20 })).await;
    let refused = sim.rest("GET", "users/@me", Value::Null).await;
    assert_eq!(refused.body["global"], true);
    assert_eq!(more().await, 200);
}

/// Says more after the last interaction: the status.
async fn follow_up(sim: &Sim, bot: &Bot) -> u16 {
    let path = format!(
        "webhooks/{APPLICATION}/{}",
        bot.last()["token"].as_str().unwrap()
    );
    let more = json!({ "content": "more" });
    sim.rest_as(None, "POST", &path, more).await.status
}

#[tokio::test]
async fn the_limit_over_everything_can_be_held_for_a_while() {
    let sim = Sim::start(|_| {}).await;
    sim.acts("levers", json!({ "refuse_all_for_s": 20 })).await;
    let refused = sim.rest("GET", "users/@me", Value::Null).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["global"], true);
    assert_eq!(refused.header("x-ratelimit-global"), Some("true"));
    assert_eq!(refused.header("x-ratelimit-scope"), Some("global"));
    sim.pass(21);
    assert_eq!(sim.rest("GET", "users/@me", Value::Null).await.status, 200);
}

#[tokio::test]
async fn what_others_wrote_is_read_with_the_intent_alone() {
    let sim = calm().await;
    sim.acts(
        "say",
        json!({ "person": "tom", "channel": "platform", "text": "secret" }),
    )
    .await;
    sim.acts(
        "say",
        json!({ "person": "tom", "channel": "platform", "text": "@idp hello" }),
    )
    .await;
    let path = format!("channels/{PLATFORM}/messages?limit=2");
    let contents = |page: Value| {
        let all = page.as_array().unwrap().iter();
        all.map(|own| own["content"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let page = sim.done("GET", &path, Value::Null).await;
    assert_eq!(contents(page), ["<@1312000000000000402> hello", ""]);
    sim.acts("levers", json!({ "content_intent": true })).await;
    let page = sim.done("GET", &path, Value::Null).await;
    assert_eq!(contents(page)[1], "secret");
}

#[tokio::test]
async fn commands_are_kept_as_discord_keeps_them() {
    let sim = calm().await;
    let path = format!("applications/{APPLICATION}/commands");
    let command = json!([{ "name": "idp", "description": "Ask", "options": [
        { "type": 3, "name": "words", "description": "x", "required": false }] }]);
    let stand = sim.done("PUT", &path, command.clone()).await;
    assert!(stand[0]["id"].is_string() && stand[0]["version"].is_string());
    assert!(stand[0]["options"][0].get("required").is_none());
    let again = sim.done("PUT", &path, command).await;
    assert_eq!(again[0]["id"], stand[0]["id"]);
    let wrong = json!([{ "name": "Idp", "description": "" }]);
    assert_eq!(sim.no("PUT", &path, wrong).await, (400, 50_035));
    assert_eq!(sim.done("GET", &path, Value::Null).await, again);
}

#[tokio::test]
async fn the_server_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.json");
    let first = Sim::start(|config| config.state_file = Some(file.clone())).await;
    let path = format!("channels/{PLATFORM}/messages");
    let sent = first
        .done("POST", &path, json!({ "content": "kept" }))
        .await;
    let threads = format!("{path}/{}/threads", sent["id"].as_str().unwrap());
    first.done("POST", &threads, json!({ "name": "142" })).await;
    eventually("the file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"142\""))
    })
    .await;
    let second = Sim::start(|config| config.state_file = Some(file.clone())).await;
    assert_eq!(second.reads("tom", "platform").await, ["kept"]);
    // Ids go on growing.
    let next = second
        .done("POST", &path, json!({ "content": "next" }))
        .await;
    let id = |of: &serde_json::Value| of["id"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(id(&next) > id(&sent));
}
