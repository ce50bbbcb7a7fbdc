//! What only Discord has: its registration and pings, answers that are deferred, tokens that run out, direct messages
//! without a guild, roles in pages, limits that are others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::discord::Discord;
use super::driver::Place::{Direct, Payments, Platform};
use super::driver::Who::{Alex, Priya, Sam};
use super::driver::{Chat as _, Loss, Trouble};
use super::office::{Office, On, service, tell};
use crate::support::discord::{
    APPLICATION, Fault, GUILD, PAYMENTS, PLATFORM, POSTS, PRIYA, READS, ROLES, SAM, WRITES,
};
use crate::support::http;
use crate::support::serve::until;
use crate::support::slack;

const THREAD: &str = "POST /channels/:id/messages/:id/threads";

/// An office on Discord, and the platform itself.
async fn office() -> (Office, Discord) {
    let discord = Discord::start().await;
    let office = Office::with(Box::new(discord.clone())).await;
    (office, discord)
}

fn closes(discord: &Discord) {
    assert_eq!(discord.refused(), Vec::<String>::new());
}

/// The data of a subcommand without options.
fn typed(sub: &str) -> Value {
    json!({ "id": "1", "name": "idp", "type": 1, "options": [{ "type": 1, "name": sub }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_is_registered_found_by_typing_and_a_ping_is_answered() {
    let (office, discord) = office().await;
    let ping = json!({ "type": 1, "id": "1", "application_id": APPLICATION });
    let answered = discord.fake.deliver(&office.url(), &ping).await;
    assert_eq!(answered, (200, json!({ "type": 1 })));
    assert_eq!(discord.fake.commands()[0]["name"], "idp");
    let typed = json!({ "name": "idp", "options": [{ "name": "run", "options": [
        { "name": "command", "value": "new", "focused": true }] }] });
    let payload = discord.interaction(Priya, 4, PLATFORM, &typed);
    let offered = discord.interacts(Priya, &payload).await;
    let first = &offered["data"]["choices"][0]["value"];
    assert_eq!(first, "new-service", "{offered}");
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_help_names_is_registered_with_its_options() {
    let (office, discord) = office().await;
    office.says(Priya, "help").await;
    let help = office.told(Priya, "/idp run command:new-service").await;
    let commands = discord.fake.commands();
    let subs = commands[0]["options"].as_array().unwrap();
    let content = help.raw["content"].as_str().unwrap();
    let named: Vec<&str> = content.split('`').skip(1).step_by(2).collect();
    assert!(named.len() >= 7, "{content}");
    for typed in named {
        let words = typed.strip_prefix("/idp ");
        let mut words = words.unwrap_or_else(|| panic!("{typed}")).split(' ');
        let name = words.next().unwrap();
        let sub = subs.iter().find(|sub| sub["name"] == name);
        let sub = sub.unwrap_or_else(|| panic!("there is no {typed}"));
        for word in words {
            let (option, _) = word.split_once(':').unwrap();
            let mut known = sub["options"].as_array().into_iter().flatten();
            assert!(known.any(|own| own["name"] == option), "{typed}");
        }
    }
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_takes_too_long_is_deferred_and_follows() {
    let (office, discord) = office().await;
    for who in [Alex, Sam] {
        office.says(who, "new-service").await;
    }
    office.fills(Alex, &service("payments-api")).await;
    let led = office.answers(Alex, "Continue").await;
    office.acts(Alex);
    let mut held = office.pool().begin().await.unwrap();
    sqlx::query("lock table inbox in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    // Each is answered within Discord's three seconds: a command, a modal, a press on a private answer.
    let began = Instant::now();
    let help = discord.interaction(Priya, 2, PLATFORM, &typed("help"));
    let fields = service("other-api");
    let (asked, _, pressed) = tokio::join!(
        discord.interacts(Priya, &help),
        office.fills(Sam, &fields),
        discord.press(Alex, &led, "Continue")
    );
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(asked, json!({ "type": 5, "data": { "flags": 64 } }));
    assert_eq!(pressed, json!({ "type": 6 }));
    held.rollback().await.unwrap();
    office.told(Priya, "/idp cancel id:ID").await;
    let token = help["token"].as_str().unwrap();
    assert_eq!(discord.fake.said(token).len(), 1);
    // No modal can follow: a button that opens it does.
    for who in [Alex, Sam] {
        let follows = office.answers(who, "Continue").await;
        office.presses(who, &follows, "Continue").await;
        assert!(office.chat.form(who).is_some());
    }
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_the_interaction_is_over_the_words_come_by_direct_message() {
    let (office, discord) = office().await;
    let mut held = office.pool().begin().await.unwrap();
    sqlx::query("lock table inbox in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let payload = discord.interaction(Priya, 2, PLATFORM, &typed("help"));
    discord.interacts(Priya, &payload).await;
    discord.fake.over();
    held.rollback().await.unwrap();
    office.direct(Priya, "/idp cancel id:ID").await;
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_direct_messages_an_account_is_placed_in_its_guild() {
    let (office, discord) = office().await;
    office.says_in(Priya, Direct, "").await;
    office.told(Priya, "What you can ask for").await;
    office.says_in(Priya, Direct, "new-service").await;
    office.fills_all(Priya, &service("payments-api")).await;
    // A card in direct messages has no thread: what follows answers it.
    let card = office.waits("payments-api").await;
    office.chat.takes(Loss::Channel(Platform)).await;
    office.presses(Alex, &card, "Approve").await;
    let moved = office.direct(Priya, "Done in").await;
    office.reply(&moved, "payments-api is ready").await;
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_beyond_the_first_thousand_are_read() {
    let discord = Discord::start().await;
    let last = discord.fake.crowd(2_500);
    let office = Office::with(Box::new(discord.clone())).await;
    let engineers = format!(
        "(select count(*) from membership m join idp_group g on g.id = m.group_id where g.handle = 'engineers') >= 2503
         and exists (select from account where external_id = '{last}')"
    );
    office.becomes("all members are known", engineers).await;
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_thread_leaves_replies_under_the_card() {
    let (office, discord) = office().await;
    let card = office.asks(Priya, "payments-api").await;
    office.reply(&card, "needs one of you").await;
    discord.fake.delete_channel(&card.id);
    office.presses(Alex, &card, "Approve").await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    let ended = office.reply(&card, "payments-api is ready").await;
    assert_eq!(ended.channel, PLATFORM);
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_to_open_threads_replies_answer_the_card() {
    let (office, discord) = office().await;
    for _ in 0..2 {
        let missing = Fault {
            status: 403,
            headers: Vec::new(),
            body: json!({ "code": 50_013 }),
            done: false,
        };
        discord.fake.fault(THREAD, missing);
    }
    let card = office.asks(Priya, "payments-api").await;
    let reply = office.reply(&card, "needs one of you").await;
    assert_eq!(reply.channel, PLATFORM);
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_without_threads_takes_a_request_with_its_replies() {
    let discord = Discord::start().await;
    discord.fake.permits(POSTS | READS);
    let office = Office::with(Box::new(discord.clone())).await;
    // It stands where it was typed, though there are channels besides.
    office.says_in(Priya, Payments, "new-service").await;
    office.fills_all(Priya, &service("payments-api")).await;
    let card = office
        .card_in(Payments, "payments-api", "Waiting for approval")
        .await;
    let call = office.reply(&card, "needs one of you").await;
    assert_eq!(call.channel, PAYMENTS);
    office.presses(Alex, &card, "Approve").await;
    let done = office.card_in(Payments, "payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    let ended = office.reply(&card, "payments-api is ready").await;
    assert_eq!(ended.channel, PAYMENTS);
    assert!(office.chat.direct(Priya).is_empty());
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_what_was_said_may_not_be_read_replies_stand_by_themselves() {
    let discord = Discord::start().await;
    discord.fake.permits(WRITES & !READS);
    let office = Office::with(Box::new(discord.clone())).await;
    let card = office.asks(Priya, "payments-api").await;
    let stands = async |words: &str| {
        until(words, async || {
            let all = office.chat.channel(Platform).into_iter();
            all.filter(|message| message.id != card.id)
                .find(|message| message.says(words))
        })
        .await
    };
    stands("needs one of you").await;
    office.presses(Alex, &card, "Approve").await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id, "the request stays where it is");
    stands("payments-api is ready").await;
    assert!(office.chat.direct(Priya).is_empty());
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taken_out_of_the_guild_it_says_so_and_goes_on_once_it_is_back() {
    let (office, discord) = office().await;
    let card = office.asks(Priya, "payments-api").await;
    office.reply(&card, "needs one of you").await;
    // Over HTTP nobody tells.
    discord.fake.leaves(GUILD);
    office.presses(Alex, &card, "Approve").await;
    let ran = "exists (select from run where state = 'succeeded')";
    office.becomes("it runs all the same", ran.to_owned()).await;
    let ready = format!("{}/readyz", office.url());
    until("readiness doesn't tell", async || {
        let answer = http().get(&ready).send().await.unwrap();
        let (status, why) = (answer.status(), answer.text().await.unwrap());
        (status == 503 && why.contains("any more")).then_some(())
    })
    .await;
    let log = office.log();
    assert!(
        log.contains("the bot isn't in the server any more"),
        "{log}"
    );
    assert!(!log.contains("refuses our token"), "{log}");
    discord.fake.joins(GUILD, "Acme");
    office.restarts().await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    let ended = office.reply(&card, "payments-api is ready").await;
    assert_eq!(ended.channel, card.id, "in its thread");
    assert!(office.chat.direct(Priya).is_empty(), "it never moved");
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_of_which_nobody_can_tell_whether_it_is_lost_is_not_left() {
    let (office, discord) = office().await;
    // The bot may not post for a moment; what is asked about its guild then gets no answer, or a wrong one.
    let limited = json!({ "retry_after": 0.2, "global": false, "message": "" });
    for (name, status, body) in [
        ("first-api", 502, Value::Null),
        ("second-api", 429, limited),
        ("third-api", 404, json!({ "code": 10_004 })),
    ] {
        let untold = Fault {
            status,
            headers: Vec::new(),
            body,
            done: false,
        };
        discord.fake.fault("GET /guilds/:id", untold);
        office.chat.breaks(Trouble::MayNotPost);
        let card = office.asks(Priya, name).await;
        office.reply(&card, "needs one of you").await;
    }
    assert!(office.chat.direct(Priya).is_empty(), "it never moved");
    let paused = office.count("audit where kind = 'token.refused'").await;
    assert_eq!(paused, 0);
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approver_who_takes_no_direct_messages_holds_up_nothing() {
    let (office, discord) = office().await;
    // Sam isn't in that channel, so the card is to come to Sam.
    discord.fake.closes_direct(SAM);
    office.says_in(Priya, Payments, "new-service").await;
    office.fills_all(Priya, &service("payments-api")).await;
    let card = office
        .card_in(Payments, "payments-api", "Waiting for approval")
        .await;
    office.reply(&card, "needs one of you").await;
    let ended = "(select count(*) from thread t join message m on m.thread_id = t.id
        where t.role = 'direct' and t.closed_at is not null and m.given_up is not null) = 1";
    office.becomes("the copy ends", ended.to_owned()).await;
    assert!(office.chat.direct(Sam).is_empty());
    // What waits is shown all the same to whoever asks for it.
    office.says(Sam, "").await;
    let home = office.told(Sam, "Waits for you").await;
    assert!(home.says("payments-api"), "{home:#?}");

    office.presses(Alex, &card, "Approve").await;
    let done = office.card_in(Payments, "payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    office.reply(&card, "payments-api is ready").await;
    let all = "not exists (select from message where wanted > shown and given_up is null)";
    office.becomes("all is said", all.to_owned()).await;
    let ready = http().get(format!("{}/readyz", office.url()));
    assert_eq!(ready.send().await.unwrap().status(), 200);
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approver_who_left_without_a_word_is_named_no_more() {
    let (office, discord) = office().await;
    let card = office.asks(Priya, "payments-api").await;
    assert!(card.says("Sam Ito"), "{card:#?}");
    // Over HTTP nobody tells.
    office.chat.takes(Loss::Person(Sam)).await;
    office.later("2 minutes").await;
    until("the card still names who left", async || {
        let card = office.waits("payments-api").await;
        (card.says("Alex Ruiz") && !card.says("Sam Ito")).then_some(())
    })
    .await;
    office.presses(Alex, &card, "Approve").await;
    office.card("payments-api", "Done in").await;
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_left_and_came_back_without_a_word_may_ask_again() {
    let (office, discord) = office().await;
    // Over HTTP nobody tells.
    office.chat.takes(Loss::Person(Priya)).await;
    office.later("2 minutes").await;
    let gone = format!("exists (select from account where external_id = '{PRIYA}' and not active)");
    office.becomes("it is known who left", gone).await;
    discord.fake.returns(PRIYA);
    office.says(Priya, "new-service").await;
    office
        .told(Priya, "You aren't in the server any more, as far as I know")
        .await;
    until("whoever is back may ask", async || {
        office.says(Priya, "new-service").await;
        office.chat.form(Priya)
    })
    .await;
    office.fills_all(Priya, &service("payments-api")).await;
    let card = office.waits("payments-api").await;
    office.presses(Alex, &card, "Approve").await;
    office.card("payments-api", "Done in").await;
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_approvers_names_their_role_and_no_other() {
    let (office, discord) = office().await;
    let card = office.asks(Priya, "payments-api").await;
    let call = office.reply(&card, "needs one of you").await;
    let leads = ROLES.iter().find(|(name, _)| *name == "Payments Leads");
    let (_, leads) = leads.unwrap();
    let content = call.raw["content"].as_str().unwrap();
    assert!(content.contains(&format!("<@&{leads}>")), "{content}");
    let mentions = &call.raw["allowed_mentions"];
    assert_eq!(mentions["roles"], json!([leads]));
    assert_eq!(mentions["parse"], json!([]));
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_too_long_for_one_answer_goes_on_and_nothing_is_lost() {
    let (office, discord) = office().await;
    let files = office.site.path("house/templates/plain/skeleton");
    let names: Vec<String> = (0..400)
        .map(|n| format!("a-file-with-quite-a-long-name-{n}.txt"))
        .collect();
    for name in &names {
        std::fs::write(files.join(name), "x").unwrap();
    }
    office.restarts().await;
    office.asks_for(Priya, "ship", &[("name", "ferry")]).await;
    let mut on = office.waits("ferry").await;
    let mut label = "See plan".to_owned();
    let mut read = String::new();
    let mut messages = 0;
    loop {
        let before = office.chat.told(Sam).len();
        office.presses(Sam, &on, &label).await;
        let part = until("the whole part", async || {
            let part = office.chat.told(Sam).split_off(before);
            let ended = part.last().is_some_and(|m| !m.says("Continued below."));
            ended.then_some(part)
        })
        .await;
        messages += part.len();
        read.extend(part.iter().map(|message| message.words.as_str()));
        let next = part[0].buttons.iter().find(|b| b.starts_with("Part "));
        let Some(next) = next.cloned() else { break };
        (on, label) = (part[0].clone(), next);
    }
    for name in &names {
        assert!(read.contains(name.as_str()), "{name} is lost");
    }
    assert!(messages > 8, "{messages}");
    closes(&discord);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_name_keeps_within_every_limit() {
    tell(On::Discord, async |office: &Office| {
        let long = "n".repeat(1_500);
        office.asks_for(Priya, "note", &[("name", &long)]).await;
        let shown = format!("{}…", "n".repeat(79));
        office.card(&shown, "Done in").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_another_platform_decides_nothing() {
    let discord = Discord::start().await;
    let office = Office::with_lead_on_slack(Box::new(discord.clone()), "U0ALEX").await;
    let card = office.asks(Priya, "payments-api").await;
    // The value of Approve, as Slack would bring it from a card of its own.
    let id = card.raw["components"][0]["components"][0]["custom_id"].as_str();
    let plan = id.and_then(|id| id.split(' ').nth(1)).unwrap();
    let dialog = json!({ "title": { "type": "plain_text", "text": "Approve?" } });
    let message = json!({ "ts": "1.1", "blocks": [{ "type": "actions", "elements": [
        { "type": "button", "action_id": "request.approve", "value": plan, "confirm": dialog }] }] });
    let fake = &office.site.fake;
    let press = slack::press(fake, "U0ALEX", "C0PLATFORM", &message, "request.approve");
    let body = slack::form(&[("payload", press.to_string())]);
    slack::deliver(&office.url(), "/slack/interactions", &body).await;
    let told = until("an answer on Slack", async || {
        let calls = fake.calls("response_url");
        let mut words = calls.iter().map(Value::to_string);
        words.find(|words| words.contains("asked for on Discord"))
    })
    .await;
    assert!(told.contains("Decide on Discord"), "{told}");
    assert_eq!(office.count("vote").await, 0);
    closes(&discord);
}
