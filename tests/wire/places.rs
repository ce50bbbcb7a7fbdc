//! Where a request stands that was asked for elsewhere, and how its requester learns of it.

use idp::app::people::ChannelFacts;
use idp::catalog::Sources;
use idp::domain::event::PlaceKind;
use serde_json::{Value, json};

use super::bot::Bot;
use super::forms::sends;
use crate::support::slack::{self, Fault};

const PRIYAS_DM: &str = "D0PRIYA";

/// A bot whose requests stand in #platform.
async fn bot() -> Bot {
    let bot = Bot::with(Sources::default(), |settings| {
        let channel = ("new-service".to_owned(), "#platform".to_owned());
        settings.channels.commands.extend([channel]);
    })
    .await;
    bot.sends();
    bot
}

/// Priya types the command in a channel, and sends the form with nothing but a name.
async fn asks_in(bot: &Bot, channel: &str, name: &str) {
    let mut command = slack::command(&bot.fake, "U0PRIYA", "new-service");
    for (field, value) in &mut command {
        match *field {
            "channel_id" => channel.clone_into(value),
            "channel_name" => name.clone_into(value),
            _ => {}
        }
    }
    let opened = slack::deliver(&bot.url, "/slack/commands", &slack::form(&command)).await;
    assert_eq!((opened.status, opened.text.as_str()), (200, ""));
    let first = bot.fake.last_view();
    let answer = sends(bot, &first, &[("name", json!("payments-api"))]).await;
    let second = bot
        .fake
        .show(first["id"].as_str().unwrap(), &answer.json["view"]);
    let answer = sends(bot, &second, &[]).await;
    assert!(answer.text.contains("is asked for"), "{}", answer.text);
}

async fn first_in(bot: &Bot, channel: &str) -> Value {
    bot.fake
        .until(|fake| fake.messages(channel).into_iter().next())
        .await
}

#[tokio::test]
async fn asked_elsewhere_the_requester_gets_the_address_of_the_card() {
    for (channel, name) in [
        ("D0BOT", "directmessage"),
        ("G0SECRET", "privategroup"),
        ("C0RANDOM", "random"),
    ] {
        let bot = bot().await;
        asks_in(&bot, channel, name).await;
        let card = first_in(&bot, "C0PLATFORM").await;
        let word = first_in(&bot, PRIYAS_DM).await.to_string();
        let ts = card["ts"].as_str().unwrap().replace('.', "");
        let link = format!("https://acme.slack.com/archives/C0PLATFORM/p{ts}|#platform");
        assert!(word.contains("payments-api stands in"), "{channel}: {word}");
        assert!(word.contains(&link), "{channel}: {word}");
        assert_eq!(bot.fake.messages(PRIYAS_DM).len(), 1);
        bot.stop.cancel();
    }
}

#[tokio::test]
async fn a_card_in_the_requesters_own_messages_needs_no_address() {
    let bot = Bot::start().await;
    bot.sends();
    asks_in(&bot, "D0BOT", "directmessage").await;
    let card = first_in(&bot, PRIYAS_DM).await;
    assert!(card.to_string().contains("Planning"), "{card:#}");
    assert_eq!(bot.count("thread").await, 1);
}

#[tokio::test]
async fn a_channel_that_the_requester_cannot_open_is_named_without_a_link() {
    let bot = bot().await;
    bot.know_channel(&ChannelFacts {
        external: "C0PLATFORM".into(),
        name: Some("platform".into()),
        kind: PlaceKind::Private,
        usable: Some(true),
        members: Some(vec!["U0ALEX".into()]),
    })
    .await;
    asks_in(&bot, "C0RANDOM", "random").await;
    let word = first_in(&bot, PRIYAS_DM).await.to_string();
    assert!(word.contains("stands in #platform."), "{word}");
    assert!(bot.fake.calls("chat.getPermalink").is_empty());
}

#[tokio::test]
async fn an_address_that_is_refused_for_a_while_comes_later_and_one_that_is_denied_is_done_without()
{
    let bot = bot().await;
    bot.fake.fault("chat.getPermalink", Fault::Limited(1));
    bot.fake.fault("chat.getPermalink", Fault::LoseAnswer);
    asks_in(&bot, "C0RANDOM", "random").await;
    let word = first_in(&bot, PRIYAS_DM).await.to_string();
    assert!(word.contains("/archives/C0PLATFORM/"), "{word}");
    assert_eq!(bot.fake.calls("chat.getPermalink").len(), 3);
    bot.stop.cancel();

    let bot = self::bot().await;
    bot.fake
        .fault("chat.getPermalink", Fault::Code("channel_not_found"));
    asks_in(&bot, "C0RANDOM", "random").await;
    let word = first_in(&bot, PRIYAS_DM).await.to_string();
    assert!(word.contains("stands in #platform."), "{word}");
}

#[tokio::test]
async fn a_card_that_is_posted_anew_has_its_new_address_told() {
    let bot = bot().await;
    asks_in(&bot, "C0RANDOM", "random").await;
    let card = first_in(&bot, "C0PLATFORM").await;
    first_in(&bot, PRIYAS_DM).await;
    let deleted = json!({
        "type": "event_callback", "team_id": slack::TEAM, "api_app_id": slack::APP, "event_id": "Ev1",
        "event": { "type": "message", "subtype": "message_deleted", "channel": "C0PLATFORM",
            "deleted_ts": card["ts"], "previous_message": { "ts": card["ts"] } },
    });
    slack::deliver(&bot.url, "/slack/events", &deleted.to_string()).await;
    let told = |fake: &slack::Fake| {
        let new = fake.messages("C0PLATFORM").pop().unwrap()["ts"].clone();
        let ts = new.as_str().unwrap().replace('.', "");
        let word = fake.messages(PRIYAS_DM)[0].to_string();
        (new != card["ts"] && word.contains(&ts)).then_some(())
    };
    bot.fake.until(told).await;
    assert_eq!(
        bot.fake.messages(PRIYAS_DM).len(),
        1,
        "edited, not said again"
    );
}
