//! Stories on Discord's wire: `idp serve` as an operator starts it, and a Discord that refuses what Discord refuses.

mod gateway;
mod line;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::discord::office::{Office, TOML, button, content};
use crate::support::discord::{
    ALEX, APPLICATION, BOT_TOKEN, ENDPOINT, Fake, Fault, PLATFORM, PRIYA, ROLES, STRANGER,
};
use crate::support::serve::{Site, until};
use crate::support::slack;

const POST: &str = "POST /channels/:id/messages";
const THREAD: &str = "POST /channels/:id/messages/:id/threads";

fn refusal(status: u16, body: Value) -> Fault {
    Fault {
        status,
        headers: Vec::new(),
        body,
        done: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_is_asked_approved_and_done_in_a_guild() {
    let office = Office::open().await;
    let answer = office.asks("payments-api").await;
    assert!(content(&answer).contains("payments-api"), "{answer}");
    let card = office.card("**Waiting for approval**").await;
    let thread = card["id"].as_str().unwrap().to_owned();
    // Whoever is quicker than the call for approvers makes it needless.
    until("nobody is called", async || {
        let told = office.discord.messages(&thread);
        (!told.is_empty()).then_some(())
    })
    .await;

    let own = office.presses(PRIYA, &card, "Approve").await;
    let own = office.presses(PRIYA, &own["data"], "Approve").await;
    assert!(content(&own).contains("your vote can't count"), "{own}");

    // The effect is named before it happens: the same button, in an answer for Alex alone.
    let asked = office.presses(ALEX, &card, "Approve").await;
    assert_eq!(
        (asked["type"].as_u64(), asked["data"]["flags"].as_u64()),
        (Some(4), Some(68))
    );
    assert!(content(&asked).contains("Creates"), "{asked}");
    let counted = office.presses(ALEX, &asked["data"], "Approve").await;
    assert_eq!(counted["type"], 7, "the question gives way: {counted}");

    let card = office.card("**Done**").await;
    assert_eq!(card["id"], thread.as_str(), "edited in place");
    let told = until("the end is not told", async || {
        let told = office.discord.messages(&thread);
        told.iter()
            .any(|m| m["content"].as_str().unwrap().contains("is ready"))
            .then_some(told)
    })
    .await;
    let leads = ROLES
        .iter()
        .find(|(name, _)| *name == "Payments Leads")
        .unwrap()
        .1;
    assert!(
        told[0]["content"]
            .as_str()
            .unwrap()
            .contains(&format!("<@&{leads}>"))
    );
    assert_eq!(told[0]["allowed_mentions"]["roles"], json!([leads]));
    assert!(told.len() <= 3, "asked, decided, ended: {told:#?}");
    assert_eq!(office.discord.refused(), Vec::<String>::new());

    let late = office
        .presses(ALEX, &card_as_it_was(&card, &asked), "Approve")
        .await;
    assert!(content(&late).contains("approved"), "{late}");
    let verified = office.site.runs(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}

/// The card before it changed, which somebody still has before their eyes.
fn card_as_it_was(card: &Value, asked: &Value) -> Value {
    let mut old = card.clone();
    let confirmed = button(&asked["data"], "Approve");
    let id = confirmed.trim_start_matches('!');
    old["components"] = json!([{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Approve", "custom_id": id }] }]);
    old
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_discords_is_refused_and_what_is_new_is_survived() {
    let office = Office::open().await;
    let bot = &office.served.url;
    let ping = json!({ "type": 1, "id": "1", "application_id": APPLICATION });
    assert_eq!(
        office.discord.deliver(bot, &ping).await,
        (200, json!({ "type": 1 }))
    );
    let now = chrono::Utc::now().timestamp();
    for (at, signature) in [
        (now, "00".repeat(64)),
        (now, String::new()),
        (now - 900, "00".repeat(64)),
    ] {
        let at = at.to_string();
        let sent = office.discord.send(bot, ping.to_string(), &at, &signature);
        assert_eq!(sent.await.0, 401);
    }
    let unknown =
        json!({ "component_type": 99, "custom_id": "of another version", "shape": ["new"] });
    let answer = office.acts(PRIYA, 3, unknown).await;
    assert!(
        matches!(answer["type"].as_u64(), Some(4 | 6 | 7)),
        "{answer}"
    );
    let typed = json!({ "name": "idp", "options": [{ "name": "run", "options": [
        { "name": "command", "value": "new", "focused": true }] }] });
    let offered = office.acts(PRIYA, 4, typed).await;
    assert_eq!(
        offered["data"]["choices"][0]["value"], "new-service",
        "{offered}"
    );
    let stranger = office
        .runs(STRANGER, "run", &[("command", "new-service")])
        .await;
    assert!(content(&stranger).contains("engineers"), "{stranger}");
    assert_eq!(office.discord.commands()[0]["name"], "idp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_refusals_and_deleted_cards_mend_themselves() {
    let office = Office::open().await;
    let fault = |status, body, done| Fault {
        done,
        ..refusal(status, body)
    };
    let post = POST;
    office.discord.fault(post, fault(502, Value::Null, true));
    office.discord.fault(
        post,
        Fault {
            headers: vec![("x-ratelimit-global", "true")],
            ..fault(
                429,
                json!({ "retry_after": 0.3, "global": true, "message": "" }),
                false,
            )
        },
    );
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    assert_eq!(office.discord.messages(PLATFORM).len(), 1, "no twin");

    office
        .discord
        .delete(PLATFORM, card["id"].as_str().unwrap());
    let asked = office.presses(ALEX, &card, "Approve").await;
    office.presses(ALEX, &asked["data"], "Approve").await;
    let anew = office.card("**Done**").await;
    assert_ne!(anew["id"], card["id"], "posted anew");
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_another_platform_decides_nothing() {
    let leads = r#"leads = ["group:payments-leads""#;
    let toml = TOML.replace(leads, &format!("{leads}, \"U0ALEX\""));
    let office = Office::with(&toml, |_| ()).await;
    office.site.knows("U0ALEX", "platform").await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let plan = button(&card, "Approve");
    let plan = plan.split(' ').nth(1).unwrap();
    let dialog = json!({ "title": { "type": "plain_text", "text": "Approve?" } });
    let message = json!({ "ts": "1.1", "blocks": [{ "type": "actions", "elements": [
        { "type": "button", "action_id": "request.approve", "value": plan, "confirm": dialog }] }] });
    let press = slack::press(
        &office.site.fake,
        "U0ALEX",
        "C0PLATFORM",
        &message,
        "request.approve",
    );
    office.site.presses(&office.served, &press).await;
    let told = until("no answer", async || {
        let calls = office.site.fake.calls("response_url");
        calls
            .iter()
            .map(Value::to_string)
            .find(|c| c.contains("asked for on Discord"))
    })
    .await;
    assert!(told.contains("Decide on Discord"), "{told}");
    let pool = office.site.database.pool(1).await;
    let votes: i64 = sqlx::query_scalar("select count(*) from vote")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(votes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_discord_lacks() {
    let site = Site::new(TOML).await;
    let discord = Fake::start().await;
    let doctor = async |token: &str, application: &str, public: &str| {
        let mut command = site.idp(&["doctor"]);
        command
            .env_remove("SLACK_API_URL")
            .env_remove("SLACK_BOT_TOKEN")
            .env_remove("SLACK_SIGNING_SECRET")
            .env("DISCORD_API_URL", &discord.url)
            .env("DISCORD_APPLICATION_ID", application)
            .env("DISCORD_PUBLIC_KEY", discord.public_key())
            .env("DISCORD_BOT_TOKEN", token)
            .env("IDP_PUBLIC_URL", public);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        String::from_utf8(output.await.unwrap().stdout).unwrap()
    };
    let says = |text: &str, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    let ours = "https://idp.acme.example";
    let good = doctor(BOT_TOKEN, APPLICATION, ours).await;
    let delivers = format!("Discord delivers to {ENDPOINT}");
    says(&good, &["discord token", "Acme", "intent is on", &delivers]);
    assert!(!good.contains("and idp is reached at"), "{good}");
    assert!(!good.contains("slack"), "{good}");
    says(
        &doctor("another", APPLICATION, ours).await,
        &["Discord refuses the token"],
    );
    says(
        &doctor(BOT_TOKEN, "7", ours).await,
        &["`DISCORD_APPLICATION_ID` names 7"],
    );
    says(
        &doctor(BOT_TOKEN, APPLICATION, "https://elsewhere.example").await,
        &["idp is reached at https://elsewhere.example/discord/interactions"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_was_taken_away_decides_nothing_from_the_press_on() {
    let office = Office::open().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    office.discord.strip(ALEX);
    let asked = office.presses(ALEX, &card, "Approve").await;
    let refused = office.presses(ALEX, &asked["data"], "Approve").await;
    assert!(content(&refused).contains("decide"), "{refused}");
    let pool = office.site.database.pool(1).await;
    let votes: i64 = sqlx::query_scalar("select count(*) from vote")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(votes, 0, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_asks_for_its_reason_and_the_card_has_it() {
    let office = Office::open().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let asked = office.presses(ALEX, &card, "Deny…").await;
    assert_eq!(asked["type"], 9, "{asked}");
    let reason = BTreeMap::from([("reason", "Use payments_core, *please*.")]);
    office.fills(ALEX, &asked["data"], &reason).await;
    let denied = office.card("**Denied**").await;
    let words = denied["content"].as_str().unwrap();
    assert!(words.contains("payments\\_core, \\*please\\*"), "{words}");
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_field_is_named_and_nothing_typed_is_lost() {
    let office = Office::open().await;
    let typed = BTreeMap::from([
        ("name", "Payments API"),
        ("template", "static-site"),
        ("owner", "payments"),
        ("description", "Takes payments"),
    ]);
    let mut answer = office
        .runs(PRIYA, "run", &[("command", "new-service")])
        .await;
    let mut parts = 0;
    while !answer["data"].to_string().contains("Change it") {
        parts += 1;
        assert!(parts < 4, "{answer}");
        answer = office.fills(PRIYA, &answer["data"], &typed).await;
        if answer["data"].to_string().contains("Continue") {
            answer = office.presses(PRIYA, &answer["data"], "Continue").await;
        }
    }
    assert!(content(&answer).contains("lower-case letters"), "{answer}");
    let again = office.presses(PRIYA, &answer["data"], "Change it").await;
    let shown = again["data"].to_string();
    assert!(
        again["type"] == 9 && shown.contains("Payments API"),
        "{again}"
    );
    let second = office.fills(PRIYA, &again["data"], &typed).await;
    let second = office.presses(PRIYA, &second["data"], "Continue").await;
    assert!(
        second["data"].to_string().contains("Takes payments"),
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_that_comes_twice_gets_one_answer_and_one_effect() {
    let office = Office::open().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let data =
        json!({ "component_type": 2, "custom_id": format!("!{}", button(&card, "Approve")) });
    let mut press = office.discord.interaction(ALEX, 3, &data);
    press["message"] = json!({ "id": "899", "flags": 64 });
    let first = office.discord.deliver(&office.served.url, &press).await;
    let second = office.discord.deliver(&office.served.url, &press).await;
    assert_eq!(first, second);
    office.card("**Done**").await;
    let pool = office.site.database.pool(1).await;
    let count = async |sql: &'static str| {
        sqlx::query_scalar::<_, i64>(sql)
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert_eq!(count("select count(*) from vote").await, 1);
    assert_eq!(count("select count(*) from run").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_the_bot_may_not_write_in_moves_the_request_to_direct_messages() {
    let office = Office::open().await;
    office
        .discord
        .fault(POST, refusal(403, json!({ "code": 50_013 })));
    office.asks("payments-api").await;
    let direct = format!("9{PRIYA}");
    let card = until("no card in direct messages", async || {
        let messages = office.discord.messages(&direct);
        let waits = |m: &Value| m["content"].to_string().contains("Waiting for approval");
        messages.into_iter().find(waits)
    })
    .await;
    assert_eq!(office.discord.messages(PLATFORM), Vec::<Value>::new());
    let asked = office.presses(PRIYA, &card, "Cancel").await;
    assert!(!asked["data"].to_string().contains("broke"), "{asked}");
    until("no end in direct messages", async || {
        let messages = office.discord.messages(&direct);
        let ended = |m: &&Value| m["content"].to_string().contains("Cancelled");
        messages.iter().find(ended).map(drop)
    })
    .await;
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_to_open_threads_replies_answer_the_card() {
    let office = Office::open().await;
    for _ in 0..2 {
        office
            .discord
            .fault(THREAD, refusal(403, json!({ "code": 50_013 })));
    }
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let reply = until("no reply in the channel", async || {
        let messages = office.discord.messages(PLATFORM);
        let replies = |m: &Value| m["message_reference"]["message_id"] == card["id"];
        messages.into_iter().find(replies)
    })
    .await;
    assert!(
        reply["content"].as_str().unwrap().contains("<@&"),
        "{reply}"
    );
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}
