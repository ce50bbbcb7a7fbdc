//! Dead ends: the place of a card, the group that decides, the one who asked or the bot's token goes while people wait.
//! Told in the strict workspace, with two replicas that take turns.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::company::Company;
use super::evidence;
use super::story::Way;

const APPROVE: &str = "request.approve";
const PRIYAS: &str = "D07PRIYA001";
const ALEXS: &str = "D07ALEXR002";
const SAMS: &str = "D07SAMIT003";

/// Everything that the bot says in a place, as somebody there sees it.
async fn said(company: &Company, person: &str, place: &str) -> Vec<Value> {
    let timeline = company
        .see(&format!("timeline?person={person}&channel={place}"))
        .await;
    let posts = timeline.as_array().unwrap();
    let by_bot = posts.iter().filter(|post| post["by_bot"] == true);
    by_bot.map(|post| post["message"].clone()).collect()
}

/// Waits until a card about this says that.
async fn card(company: &Company, (person, place): (&str, &str), about: &str, says: &str) -> Value {
    let what = format!("{about}: {says} in {place}");
    company
        .until(&what, async || {
            let said = said(company, person, place).await;
            said.into_iter().find(|card| {
                evidence::is_about(card, about) && card["blocks"].to_string().contains(says)
            })
        })
        .await
}

async fn admin(company: &Company, act: Value) {
    company.act("admin", act).await.unwrap();
}

/// Waits until the bot has learnt something.
async fn learns(company: &Company, what: &'static str) {
    let pool = company.database.pool(1).await;
    company
        .until(what, async || {
            let known: bool = sqlx::query_scalar(what).fetch_one(&pool).await.unwrap();
            known.then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_card_stands_anew_and_a_renamed_group_still_decides() {
    let company = Company::open(Way::Http).await;
    let here = ("alex", "platform");
    company.ask("priya", "deleted-api").await;
    let first = card(&company, here, "deleted-api", APPROVE).await;
    let which = json!({ "channel": first["channel"], "ts": first["ts"] });
    admin(&company, json!({ "delete_message": which })).await;
    // Without the optional scope of a channel's history nobody tells us: the next change of the card finds out.
    let text = first["text"].as_str().unwrap();
    let number = text.split_whitespace().next().unwrap();
    let cancel = json!({ "person": "priya", "channel": "platform", "text": format!("/idp cancel {number}") });
    company.act("say", cancel).await.unwrap();
    let anew = card(&company, here, "deleted-api", "*Cancelled*").await;
    assert_ne!(anew["ts"], first["ts"]);

    company.ask("priya", "renamed-api").await;
    let waits = card(&company, here, "renamed-api", APPROVE).await;
    let renamed = json!({ "group": "payments-leads", "handle": "pay-leads" });
    admin(&company, json!({ "rename_group": renamed })).await;
    learns(
        &company,
        "select exists (select from idp_group where handle = 'pay-leads')",
    )
    .await;
    company.press("alex", &waits, APPROVE).await;
    card(&company, here, "renamed-api", "*Done*").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_outside_the_channel_has_a_card_that_shows_the_decision_within_five_seconds() {
    let out = json!({ "kick": { "channel": "platform", "who": "sam" } });
    let company = Company::prepared(Way::Http, &[("admin", out)]).await;
    learns(
        &company,
        "select count(*) > 0 and not bool_or(account_external_id = 'U07SAMIT003') from channel_member m
         join channel c on c.id = m.channel_id where c.name = 'platform'",
    )
    .await;
    company.ask("priya", "copied-api").await;
    let copy = card(&company, ("sam", SAMS), "copied-api", APPROVE).await;
    let waits = card(&company, ("alex", "platform"), "copied-api", APPROVE).await;
    company.press("alex", &waits, APPROVE).await;
    let decided = Instant::now();
    let told = card(&company, ("sam", SAMS), "copied-api", "by Alex Ruiz").await;
    assert!(decided.elapsed() < Duration::from_secs(5));
    assert_eq!(told["ts"], copy["ts"]);
    assert!(!told["blocks"].to_string().contains(APPROVE), "{told:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_on_in_direct_messages_when_its_channel_is_lost() {
    let company = Company::open(Way::Http).await;
    let own = ("priya", PRIYAS);
    for (channel, name, lost, why) in [
        (
            "payments",
            "kicked-api",
            json!({ "kick": { "channel": "payments", "who": "idp" } }),
            "can't post",
        ),
        (
            "platform",
            "archived-api",
            json!({ "archive": { "channel": "platform" } }),
            "archived",
        ),
    ] {
        company.ask_in("priya", channel, name).await;
        let there = card(&company, ("alex", channel), name, APPROVE).await;
        admin(&company, lost).await;
        let moved = card(&company, own, name, APPROVE).await;
        let ts = moved["ts"].as_str().unwrap();
        company
            .until(why, async || {
                let thread = format!("thread?person=priya&channel={PRIYAS}&ts={ts}");
                company
                    .see(&thread)
                    .await
                    .to_string()
                    .contains(why)
                    .then_some(())
            })
            .await;
        // Those who can decide have a card of their own now, or press the old one while they see it.
        if name == "kicked-api" {
            company.press("alex", &there, APPROVE).await;
        } else {
            let copy = card(&company, ("alex", ALEXS), name, APPROVE).await;
            company.press("alex", &copy, APPROVE).await;
        }
        card(&company, own, name, "*Done*").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_deactivated_gets_nothing_and_a_revoked_token_pauses_until_it_is_good() {
    let company = Company::open(Way::Http).await;
    let here = ("alex", "platform");
    company.ask("priya", "left-api").await;
    card(&company, here, "left-api", APPROVE).await;
    admin(&company, json!({ "deactivate": { "person": "priya" } })).await;
    card(&company, here, "left-api", "*Cancelled*").await;

    company.ask("sam", "paused-api").await;
    let waits = card(&company, here, "paused-api", APPROVE).await;
    admin(&company, json!("revoke_token")).await;
    let refused = "token: refused for Acme; sending is paused until it is good again";
    company
        .until(refused, async || {
            let told = company.readiness().await;
            told.iter()
                .all(|(status, why)| *status == 503 && why.contains(refused))
                .then_some(())
        })
        .await;
    // What was decided meanwhile counts, and is shown once the token is good.
    company.press("alex", &waits, APPROVE).await;
    learns(
        &company,
        "select exists (select from run where state = 'succeeded')",
    )
    .await;
    admin(&company, json!("restore_token")).await;
    card(&company, here, "paused-api", "*Done*").await;
    company.ready().await;
    assert!(
        company.logs().contains("Sending is paused"),
        "{}",
        company.logs()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisations_deliveries_name_no_workspace_and_are_served() {
    let whole = ("levers", json!({ "organisation": true }));
    let company = Company::prepared(Way::Http, &[whole]).await;
    let here = ("alex", "platform");
    company.ask("priya", "whole-api").await;
    let waits = card(&company, here, "whole-api", APPROVE).await;
    company.press("alex", &waits, APPROVE).await;
    card(&company, here, "whole-api", "*Done*").await;
    let log = company.see("log").await;
    let press = |delivery: &&Value| delivery["kind"] == "block_actions";
    let pressed = log["deliveries"].as_array().unwrap().iter().find(press);
    let payload = &pressed.unwrap()["payload"];
    assert!(payload["team"].is_null(), "{payload:#}");
    assert_eq!(payload["enterprise"]["id"], "E07QX4ZK2P1");
    assert_eq!(payload["is_enterprise_install"], true);
}
