//! Stories on Discord's wire: `idp serve` as an operator starts it, and a Discord that refuses what Discord refuses.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::discord::{
    ALEX, APPLICATION, BOT_TOKEN, ENDPOINT, Fake, Fault, PLATFORM, PRIYA, ROLES, STRANGER,
};
use crate::support::serve::{Served, Site, until};
use crate::support::slack;

pub const TOML: &str = r##"
[teams.payments]
title = "Payments"
members = ["group:engineers"]
leads = ["group:payments-leads"]

[channels]
default = "#platform"
"##;

/// A bot in a guild.
pub struct Office {
    pub site: Site,
    pub discord: Fake,
    pub served: Served,
}

impl Office {
    async fn open() -> Self {
        Self::with(TOML, |command| {
            command
                .env_remove("SLACK_API_URL")
                .env_remove("SLACK_BOT_TOKEN")
                .env_remove("SLACK_SIGNING_SECRET");
        })
        .await
    }

    /// With this configuration, and more or less in its environment.
    pub async fn with(toml: &str, change: impl FnOnce(&mut Command)) -> Self {
        let site = Site::new(toml).await;
        let discord = Fake::start().await;
        let served = site
            .serve_with(|command| {
                change(command);
                command
                    .env("DISCORD_API_URL", &discord.url)
                    .env("DISCORD_APPLICATION_ID", APPLICATION)
                    .env("DISCORD_PUBLIC_KEY", discord.public_key())
                    .env("DISCORD_BOT_TOKEN", BOT_TOKEN);
            })
            .await;
        site.knows(ALEX, "platform").await;
        site.knows(PRIYA, "platform").await;
        Self {
            site,
            discord,
            served,
        }
    }

    async fn acts(&self, account: &str, kind: u64, data: Value) -> Value {
        let payload = self.discord.interaction(account, kind, &data);
        let (status, answer) = self.discord.deliver(&self.served.url, &payload).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn runs(&self, account: &str, sub: &str, options: &[(&str, &str)]) -> Value {
        let options = options.iter();
        let options: Value = options
            .map(|(name, value)| json!({ "type": 3, "name": name, "value": value }))
            .collect();
        let sub = json!({ "type": 1, "name": sub, "options": options });
        let data = json!({ "id": "1", "name": "idp", "type": 1, "options": [sub] });
        self.acts(account, 2, data).await
    }

    /// Presses a button of a message: of one that stands, or of an answer for one person alone.
    pub async fn presses(&self, account: &str, message: &Value, label: &str) -> Value {
        let private = message["id"].is_null();
        let flags = if private { 64 } else { 0 };
        let id = message["id"].as_str().unwrap_or("899");
        let data = json!({ "component_type": 2, "custom_id": button(message, label) });
        let mut payload = self.discord.interaction(account, 3, &data);
        payload["message"] = json!({ "id": id, "flags": flags, "content": message["content"] });
        let (status, answer) = self.discord.deliver(&self.served.url, &payload).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Sends a modal with these words, and what stands in its other fields.
    async fn fills(&self, account: &str, modal: &Value, typed: &BTreeMap<&str, &str>) -> Value {
        let mut components = Vec::new();
        let labels = modal["components"].as_array().unwrap();
        assert!(labels.len() <= 5, "Discord's modals hold five: {modal}");
        for input in labels
            .iter()
            .map(|l| &l["component"])
            .filter(|i| i.is_object())
        {
            let id = input["custom_id"].as_str().unwrap();
            let word = typed.get(id.rsplit(' ').next().unwrap()).copied();
            let mut sent = json!({ "type": input["type"], "id": 1, "custom_id": id });
            if input["type"] == 4 {
                sent["value"] = word.or(input["value"].as_str()).unwrap_or_default().into();
            } else {
                let options = input["options"].as_array().unwrap();
                let default = options.iter().find(|o| o["default"] == true);
                let word = word.or(default.and_then(|o| o["value"].as_str()));
                assert!(
                    word.is_none_or(|w| options.iter().any(|o| o["value"] == w)),
                    "{word:?} is not offered: {input}"
                );
                sent["values"] = word.into_iter().collect();
            }
            components.push(json!({ "type": 18, "id": 1, "component": sent }));
        }
        let data = json!({ "custom_id": modal["custom_id"], "components": components });
        self.acts(account, 5, data).await
    }

    /// Priya asks for a service, page by page; gives the last answer.
    async fn asks(&self, name: &str) -> Value {
        let typed = BTreeMap::from([
            ("name", name),
            ("template", "static-site"),
            ("owner", "payments"),
            ("visibility", "private"),
            ("headline", "Hello"),
        ]);
        let options = [("command", "new-service"), ("words", name)];
        let mut answer = self.runs(PRIYA, "run", &options).await;
        for _ in 0..6 {
            assert_eq!(answer["type"], 9, "a form opens: {answer}");
            answer = self.fills(PRIYA, &answer["data"], &typed).await;
            let buttons = answer["data"]["components"].to_string();
            if !buttons.contains("Continue") {
                return answer;
            }
            answer = self.presses(PRIYA, &answer["data"], "Continue").await;
        }
        panic!("the form never ends: {answer}");
    }

    /// The root card in `#platform`, once it says this.
    async fn card(&self, words: &str) -> Value {
        until(words, async || {
            let messages = self.discord.messages(PLATFORM);
            let says = |m: &Value| m["content"].as_str().is_some_and(|c| c.contains(words));
            messages.into_iter().find(says)
        })
        .await
    }
}

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

fn button(message: &Value, label: &str) -> String {
    let rows = message["components"].as_array().into_iter().flatten();
    let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let found = buttons.find(|b| b["label"] == label);
    let id = found.and_then(|b| b["custom_id"].as_str());
    id.unwrap_or_else(|| panic!("no {label} on {message:#}"))
        .to_owned()
}

pub fn content(answer: &Value) -> &str {
    answer["data"]["content"].as_str().unwrap()
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
