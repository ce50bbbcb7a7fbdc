//! Stories over the gateway: `idp serve` without a public address, and what Discord tells of what happens in a guild.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::discord::office::{Office, TOML, button, content, on_discord, without_slack};
use crate::support::discord::{
    ALEX, APPLICATION, BOT_TOKEN, Fake, Fault, GUILD, PLATFORM, PRIYA, ROLES, SAM,
};
use crate::support::serve::{Served, Site, until};

/// A guild that the bot is added to.
const OTHER: &str = "100000000000000002";
const THREAD: &str = "POST /channels/:id/messages/:id/threads";

fn leads() -> &'static str {
    let found = ROLES.iter().find(|(name, _)| *name == "Payments Leads");
    found.unwrap().1
}

async fn count(office: &Office, sql: &'static str) -> i64 {
    let pool = office.site.database.pool(1).await;
    sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
}

/// Another process for the same office, once it is ready.
async fn another(office: &Office) -> Served {
    let change = |command: &mut Command| {
        without_slack(command);
        command.env("DISCORD_GATEWAY", "1");
        on_discord(command, &office.discord);
    };
    office.site.serve_with(change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_public_address_the_main_job_is_done_over_the_gateway() {
    let office = Office::by_gateway().await;
    let answer = office.asks("payments-api").await;
    assert!(content(&answer).contains("payments-api"), "{answer}");
    let card = office.card("**Waiting for approval**").await;
    let asked = office.presses(ALEX, &card, "Approve").await;
    assert!(content(&asked).contains("Creates"), "{asked}");
    let counted = office.presses(ALEX, &asked["data"], "Approve").await;
    assert_eq!(counted["type"], 7, "the question gives way: {counted}");
    office.card("**Done**").await;

    let typed = json!({ "name": "idp", "options": [{ "name": "run", "options": [
        { "name": "command", "value": "new", "focused": true }] }] });
    let offered = office.acts(PRIYA, 4, typed).await;
    assert_eq!(
        offered["data"]["choices"][0]["value"], "new-service",
        "{offered}"
    );
    // Guilds, who is in them, what is deleted, and no more than that.
    let introductions = office.discord.introductions();
    assert_eq!(introductions.len(), 1);
    assert_eq!(introductions[0]["intents"], 1 | (1 << 1) | (1 << 9));
    assert_eq!(office.discord.refused(), Vec::<String>::new());
    let posted = reqwest::Client::new()
        .post(format!("{}/discord/interactions", office.served.url))
        .body("{}");
    assert_eq!(posted.send().await.unwrap().status(), 404);
    assert!(!office.served.log().contains(BOT_TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_is_connected_and_the_other_takes_over() {
    let office = Office::by_gateway().await;
    let members = office.discord.calls("GET /guilds/:id/members");
    assert_eq!(members, 1, "roles and channels share a reading");
    let second = another(&office).await;
    assert_eq!(office.discord.introductions().len(), 1);
    assert_eq!(office.discord.connected(), 1);
    let registered = office.discord.calls("PUT /applications/:id/commands");
    assert_eq!(registered, 1, "only when it changed");
    until("the session isn't kept", async || {
        (count(&office, "select count(*) from gateway_session").await == 1).then_some(())
    })
    .await;
    let office = office.dies(second);
    until("the other replica doesn't take over", async || {
        (office.discord.resumed() == 1 && office.discord.connected() == 1).then_some(())
    })
    .await;
    assert_eq!(office.discord.introductions().len(), 1, "in one session");
    let answer = office.runs(PRIYA, "help", &[]).await;
    assert_eq!(answer["type"], 4, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_between_two_processes_is_told_to_the_second() {
    let mut office = Office::by_gateway().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    until("nobody is called", async || {
        let thread = office.discord.messages(card["id"].as_str().unwrap());
        (!thread.is_empty()).then_some(())
    })
    .await;
    office.served.stops().await;
    let heard = office.discord.newest_session();
    office
        .discord
        .delete(PLATFORM, card["id"].as_str().unwrap());
    let second = another(&office).await;
    let office = office.dies(second);
    let anew = office.card("**Waiting for approval**").await;
    assert_ne!(anew["id"], card["id"]);
    assert_eq!(office.discord.introductions().len(), 1, "in one session");
    assert_eq!(office.discord.resumptions(), [heard]);
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guild_that_the_bot_is_added_to_is_served_at_once_and_one_left_is_told() {
    let office = Office::by_gateway().await;
    let ready = format!("{}/readyz", office.served.url);
    let told = async || {
        let answer = reqwest::get(&ready).await.ok()?;
        answer.text().await.ok()
    };
    let read =
        "select count(*) from installation where name = 'Acme Labs' and synced_at is not null";
    office.discord.joins(OTHER, "Acme Labs");
    until("the other guild isn't served", async || {
        (count(&office, read).await == 1).then_some(())
    })
    .await;
    office.discord.leaves(OTHER);
    until("nobody says that the guild is gone", async || {
        let gone = "discord: the bot isn't in Acme Labs any more; add it again";
        told().await.filter(|t| t.contains(gone))
    })
    .await;
    office.discord.joins(OTHER, "Acme Labs");
    until("the guild doesn't come back", async || {
        told().await.filter(|t| t == "ok\n")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_to_be_said_while_it_was_out_is_said_as_soon_as_it_is_back() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    office.discord.leaves(GUILD);
    let out = "select count(*) from installation where revoked_at is not null";
    until("nobody notices that it is out", async || {
        (count(&office, out).await == 1).then_some(())
    })
    .await;
    let asked = office.presses(ALEX, &card, "Approve").await;
    office.presses(ALEX, &asked["data"], "Approve").await;
    // So long ago that its sender has looked at all that was raised, and rests.
    let done = "select count(*) from run where state = 'succeeded' and since < now() - interval '2 seconds'";
    until("it doesn't run all the same", async || {
        (count(&office, done).await == 1).then_some(())
    })
    .await;
    office.discord.joins(GUILD, "Acme");
    let back = Instant::now();
    office.card("**Done**").await;
    // A sender that nobody wakes tries a refused token twice a minute.
    assert!(back.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_an_interaction_introduces_its_guild() {
    let office = Office::open().await;
    office.discord.joins(OTHER, "Acme Labs");
    let data =
        json!({ "id": "1", "name": "idp", "type": 1, "options": [{ "type": 1, "name": "help" }] });
    let says = async |guild: &str| {
        let mut payload = office.discord.interaction(PRIYA, 2, &data);
        payload["guild_id"] = guild.into();
        let answer = office.delivers(&payload).await;
        content(&answer).to_owned()
    };
    let answer = says(OTHER).await;
    assert!(answer.contains("/idp"), "{answer}");
    // One that the bot isn't in stays a stranger.
    let answer = says("100000000000000009").await;
    assert!(!answer.contains("/idp"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_whoever_is_named_before_they_come_counts_once_they_are_there() {
    let toml = format!("{TOML}\n[groups]\nsecurity = [\"{SAM}\"]\n");
    let discord = Fake::start().await;
    discord.removes(SAM);
    let office = Office::on(discord, &toml, without_slack).await;
    let is = async |what: &str, sql: &'static str| {
        until(what, async || {
            (count(&office, sql).await == 1).then_some(())
        })
        .await;
    };
    let sam =
        "select count(*) from account where external_id = '200000000000000004' and not active";
    is("they are nobody as yet", sam).await;
    office.discord.returns(SAM);
    let pool = office.site.database.pool(1).await;
    sqlx::query("update clock set shift = shift + interval '2 minutes'")
        .execute(&pool)
        .await
        .unwrap();
    let sam = "select count(*) from account where external_id = '200000000000000004' and active and kind = 'full'";
    is("nobody sees that they are there", sam).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_guilds_are_listed_no_other_one_is_served() {
    let toml = format!("{TOML}\n[discord]\nguilds = [\"{GUILD}\"]\n");
    let office = Office::with(&toml, without_slack).await;
    office.discord.joins(OTHER, "Acme Labs");
    let data =
        json!({ "id": "1", "name": "idp", "type": 1, "options": [{ "type": 1, "name": "help" }] });
    let says = async |guild: &str| {
        let mut payload = office.discord.interaction(PRIYA, 2, &data);
        payload["guild_id"] = guild.into();
        let answer = office.delivers(&payload).await;
        content(&answer).to_owned()
    };
    for _ in 0..2 {
        let answer = says(OTHER).await;
        assert!(!answer.contains("/idp"), "{answer}");
        let who = format!("can add its id, `{OTHER}`, to `guilds`");
        assert!(answer.contains(&who), "{answer}");
    }
    let answer = says(GUILD).await;
    assert!(answer.contains("/idp"), "{answer}");
    let others = "select count(*) from installation where name = 'Acme Labs'";
    assert_eq!(count(&office, others).await, 0);
    let log = office.served.log();
    let told = log.lines().filter(|line| line.contains("doesn't list"));
    assert_eq!(told.count(), 1, "{log}");
    assert!(log.contains(OTHER), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_card_is_posted_anew_without_anybody_pressing() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let id = card["id"].as_str().unwrap();
    // Whoever posted it knows by what is said under it that it stands.
    until("nobody is called", async || {
        (!office.discord.messages(id).is_empty()).then_some(())
    })
    .await;
    office.discord.delete(PLATFORM, id);
    let anew = office.card("**Waiting for approval**").await;
    assert_ne!(anew["id"], card["id"]);
    assert_eq!(button(&anew, "Approve"), button(&card, "Approve"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_thread_is_opened_anew_by_what_is_said_next() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let thread = card["id"].as_str().unwrap();
    until("nobody is called", async || {
        (!office.discord.messages(thread).is_empty()).then_some(())
    })
    .await;
    let name = office.discord.thread_name(thread).unwrap();
    assert!(name.ends_with(" payments-api"), "{name}");
    office.discord.delete_thread(thread);
    let asked = office.presses(ALEX, &card, "Approve").await;
    office.presses(ALEX, &asked["data"], "Approve").await;
    office.card("**Done**").await;
    until("the end is not told", async || {
        let told = office.discord.messages(thread);
        let ends = |m: &Value| m["content"].as_str().unwrap().contains("is ready");
        told.iter().any(ends).then_some(())
    })
    .await;
    assert_eq!(office.discord.calls(THREAD), 2);
    let anew = office.discord.thread_name(thread);
    assert_eq!(anew, Some(name), "it is about the same request");
    let cards = office.discord.messages(PLATFORM);
    assert_eq!(cards.len(), 1, "the card stands once: {cards:#?}");
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_thread_is_locked_replies_answer_the_card_in_the_channel() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let thread = card["id"].as_str().unwrap();
    until("nobody is called", async || {
        (!office.discord.messages(thread).is_empty()).then_some(())
    })
    .await;
    let locked = Fault {
        status: 400,
        headers: Vec::new(),
        body: json!({ "code": 160_005 }),
        done: false,
    };
    office.discord.fault("POST /channels/:id/messages", locked);
    let asked = office.presses(ALEX, &card, "Approve").await;
    office.presses(ALEX, &asked["data"], "Approve").await;
    until("no answer to the card", async || {
        let messages = office.discord.messages(PLATFORM);
        let answers = |m: &Value| m["message_reference"]["message_id"] == card["id"];
        messages.iter().any(answers).then_some(())
    })
    .await;
    let cards = office.card("**Done**").await;
    assert_eq!(cards["id"], card["id"], "the request stays where it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_channel_moves_its_requests_to_direct_messages() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    office.card("**Waiting for approval**").await;
    let told = json!({ "id": PLATFORM, "guild_id": GUILD, "type": 0, "name": "platform" });
    office.discord.happens("CHANNEL_DELETE", &told);
    let direct = format!("9{PRIYA}");
    until("no card in direct messages", async || {
        let messages = office.discord.messages(&direct);
        let waits = |m: &Value| m["content"].to_string().contains("Waiting for approval");
        messages.iter().any(waits).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_leaves_the_guild_takes_back_what_they_asked_for() {
    let office = Office::by_gateway().await;
    office.asks("payments-api").await;
    office.card("**Waiting for approval**").await;
    office.discord.removes(PRIYA);
    office.card("**Cancelled**").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approver_who_leaves_the_guild_is_named_no_more() {
    let office = Office::by_gateway().await;
    office.site.knows(SAM, "platform").await;
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    assert!(card["content"].to_string().contains("Sam Ito"), "{card}");
    office.discord.removes(SAM);
    until("the card still names who left", async || {
        let card = office.card("**Waiting for approval**").await;
        let named = card["content"].to_string();
        (named.contains("Alex Ruiz") && !named.contains("Sam Ito")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_given_in_discord_counts_within_seconds() {
    let office = Office::by_gateway().await;
    office.discord.grants(PRIYA, leads());
    let held = "select count(*) from membership m join account a on a.id = m.account_id
        join idp_group g on g.id = m.group_id
        where a.external_id = '200000000000000001' and g.handle = 'payments-leads'";
    until("the role doesn't count", async || {
        (count(&office, held).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_members_intent_roles_are_named_and_the_press_tells_who_has_them() {
    let discord = Fake::start().await;
    discord.without_endpoint();
    discord.without_members();
    let office = Office::by_gateway_on(discord).await;
    let introductions = office.discord.introductions();
    assert_eq!(introductions[0]["intents"], 1 | (1 << 9));
    // `allow` is judged by what the interaction says: nobody was ever read.
    office.asks("payments-api").await;
    let card = office.card("**Waiting for approval**").await;
    let words = card["content"].as_str().unwrap();
    assert!(
        words.contains("**Can decide**: @\u{2060}payments-leads · plan"),
        "{words}"
    );
    let thread = card["id"].as_str().unwrap();
    let called = until("nobody is called", async || {
        office.discord.messages(thread).into_iter().next()
    })
    .await;
    assert_eq!(called["allowed_mentions"]["roles"], json!([leads()]));

    let asked = office.presses(PRIYA, &card, "Approve").await;
    let own = office.presses(PRIYA, &asked["data"], "Approve").await;
    assert!(content(&own).contains("your vote can't count"), "{own}");
    assert_eq!(count(&office, "select count(*) from vote").await, 0);
    let asked = office.presses(ALEX, &card, "Approve").await;
    office.presses(ALEX, &asked["data"], "Approve").await;
    office.card("**Done**").await;
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_members_intent_a_role_taken_away_may_not_send_what_it_began() {
    let discord = Fake::start().await;
    discord.without_members();
    let office = Office::on(discord, TOML, without_slack).await;
    let typed = BTreeMap::from([
        ("name", "payments-api"),
        ("template", "static-site"),
        ("owner", "payments"),
        ("visibility", "private"),
        ("headline", "Hello"),
    ]);
    let options = [("command", "new-service"), ("words", "payments-api")];
    let mut answer = office.runs(PRIYA, "run", &options).await;
    assert_eq!(answer["type"], 9, "{answer}");
    office.discord.strip(PRIYA);
    while answer["type"] == 9 {
        answer = office.fills(PRIYA, &answer["data"], &typed).await;
        if answer.to_string().contains("Continue") {
            answer = office.presses(PRIYA, &answer["data"], "Continue").await;
        }
    }
    assert!(content(&answer).contains("engineers"), "{answer}");
    assert_eq!(count(&office, "select count(*) from request").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_whether_the_gateway_can_deliver() {
    let site = Site::new(TOML).await;
    let discord = Fake::start().await;
    let doctor = async || {
        let mut command = site.idp(&["doctor"]);
        without_slack(&mut command);
        command.env("DISCORD_GATEWAY", "1");
        on_discord(&mut command, &discord);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        String::from_utf8(output.await.unwrap().stdout).unwrap()
    };
    let said = doctor().await;
    assert!(said.contains("nothing over the gateway"), "{said}");
    assert!(
        said.contains("clear the Interactions Endpoint URL"),
        "{said}"
    );
    discord.without_endpoint();
    discord.without_members();
    let said = doctor().await;
    assert!(said.contains("they come over the gateway"), "{said}");
    assert!(said.contains("is known only once they act"), "{said}");
    assert!(said.contains("payments-leads (?)"), "{said}");
    assert!(!said.contains("has nobody in it"), "{said}");
    assert!(!said.contains("Public Bot"), "{said}");
    let public = Fault {
        status: 200,
        headers: Vec::new(),
        body: json!({ "id": APPLICATION, "name": "idp", "bot_public": true }),
        done: false,
    };
    discord.fault("GET /applications/@me", public);
    let said = doctor().await;
    assert!(said.contains("switch Public Bot off"), "{said}");
}

/// Longer than the name of an input may be on Discord.
const LONG: &str = "the_name_that_people_all_over_the_company_and_far_beyond_it_will_know_the_service_by_for_ever_and_a_day";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_with_a_long_name_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!(
        r#"
apiVersion: idp.dev/v1
kind: Command
metadata: {{ name: note, title: Note }}
spec:
  parameters:
    - title: Note
      required: [{LONG}]
      properties:
        {LONG}: {{ type: string, title: Name, maxLength: 60 }}
  approval: [{{ name: nobody, require: [] }}]
  steps:
    - {{ id: one, action: "debug:log", input: {{ message: "${{{{ parameters.{LONG} }}}}" }} }}
"#
    );
    std::fs::write(folder.path().join("note.yaml"), command).unwrap();
    let discord = Fake::start().await;
    let office = Office::on(discord, TOML, |command| {
        without_slack(command);
        command.env("IDP_COMMANDS_DIR", folder.path());
    })
    .await;
    let form = office.runs(PRIYA, "run", &[("command", "note")]).await;
    assert_eq!(form["type"], 9, "{form}");
    let input = form["data"].to_string();
    let input = input.split("\"custom_id\":\"text ").nth(1).unwrap();
    let short = input.split('"').next().unwrap();
    let typed = BTreeMap::from([(short, "payments")]);
    let sent = office.fills(PRIYA, &form["data"], &typed).await;
    assert!(content(&sent).contains("is asked for"), "{sent}");
    office.card("**Done**").await;
    assert_eq!(office.discord.refused(), Vec::<String>::new());
}
