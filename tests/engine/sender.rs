//! The sender against a small Slack: order, pace, lost answers, lost places, and who sends when a process dies.

use std::time::{Duration, Instant};

use idp::app::message;
use idp::app::people;
use idp::clients::slack::Slack;
use idp::domain::event::{self, ButtonId, Delivery, Event, Place, PlaceKind};
use idp::domain::id::RequestId;
use idp::domain::person::Platform;
use idp::domain::reply::Reply;
use idp::domain::run::RunState;
use idp::store;
use idp::worker::{Chat, sender};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::world::{CHANNEL, World};
use crate::support::slack::{BOT_TOKEN, Fake, Fault, TEAM};

/// A world, a Slack, and senders.
struct Office {
    world: World,
    slack: Fake,
}

struct Sender {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sender {
    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(super::PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap();
    }

    /// As a kill does: nothing is freed, nothing is told.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Office {
    async fn open() -> Self {
        Self {
            world: World::new().await,
            slack: Fake::start().await,
        }
    }

    fn client(&self) -> Slack {
        Slack::new(&self.slack.api_url(), &SecretString::from(BOT_TOKEN)).unwrap()
    }

    fn send(&self) -> Sender {
        let stop = CancellationToken::new();
        let (app, installation) = (self.world.app.clone(), self.world.installation);
        let task = tokio::spawn(sender::run(app, self.client(), installation, stop.clone()));
        Sender { stop, task }
    }

    fn chat(&self) -> Chat {
        Chat {
            installation: self.world.installation,
            external: TEAM.to_owned(),
            way: self.client().into(),
        }
    }

    /// Priya presses a button on a message of the channel.
    async fn press(&self, button: ButtonId, value: String, message: &Value) -> Reply {
        let message = message.as_str().unwrap().to_owned();
        let place = Place {
            channel: CHANNEL.to_owned(),
            kind: PlaceKind::Public,
            thread: None,
            message: Some(message),
        };
        let event = Event::Pressed {
            button,
            value,
            place,
            confirmed: true,
        };
        let delivery = Delivery {
            key: uuid::Uuid::now_v7().to_string(),
            sender: event::Sender {
                platform: Platform::Slack,
                installation: "T0ACME".to_owned(),
                app: None,
                account: "U0PRIYA".to_owned(),
                name: None,
                home: None,
                groups: None,
            },
            event,
        };
        idp::app::handle(&self.world.app, delivery).await.unwrap()
    }

    /// A request whose card is to stand in a channel.
    async fn ask_in(&self, channel: &str) -> RequestId {
        let request = self.world.ask(&[("one", json!({}))]).await;
        self.world
            .execute(&format!(
                "update thread set channel = '{channel}' where request_id = '{request}'"
            ))
            .await;
        request
    }

    async fn raise(&self, request: RequestId) {
        let mut tx = store::begin(&self.world.pool).await.unwrap();
        message::raise(&mut tx, request).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Changes what the card says, as a move does.
    async fn fail_planning(&self, request: RequestId) {
        self.fail_planning_with(request, "It was the test.").await;
    }

    async fn fail_planning_with(&self, request: RequestId, reason: &str) {
        sqlx::query("update request set state = 'plan_failed', end_reason = $2 where id = $1")
            .bind(request.uuid())
            .bind(reason)
            .execute(&self.world.pool)
            .await
            .unwrap();
        self.raise(request).await;
    }

    /// Waits until a message of the channel is found.
    async fn message(&self, channel: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = |fake: &Fake| fake.messages(channel).into_iter().find(&holds);
        self.slack.until(found).await
    }

    /// Waits until nothing is wanted that is not shown.
    async fn all_true(&self) {
        let until = Instant::now() + super::PATIENCE;
        while self
            .world
            .count("message where wanted > shown and given_up is null")
            .await
            > 0
        {
            assert!(Instant::now() < until, "messages are still owed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn says(word: &'static str) -> impl Fn(&Value) -> bool {
    move |message| message["blocks"].to_string().contains(word)
}

#[tokio::test]
async fn a_thread_reads_in_order_and_its_card_becomes_true() {
    let office = Office::open().await;
    let sender = office.send();
    let working = office.world.work();
    let request = office
        .world
        .ask(&[("one", json!({})), ("two", json!({}))])
        .await;
    office.world.until(request, RunState::Succeeded).await;
    office.all_true().await;
    let messages = office.slack.messages(CHANNEL);
    let root = &messages[0];
    assert!(says("Done")(root), "{root:#}");
    assert_eq!(root["metadata"]["event_type"], "idp_message");
    assert!(messages.len() > 1);
    for reply in &messages[1..] {
        assert_eq!(reply["thread_ts"], root["ts"], "{reply:#}");
    }
    let roots = office
        .slack
        .calls("chat.postMessage")
        .into_iter()
        .filter(|c| c["thread_ts"].is_null());
    assert_eq!(roots.count(), 1);
    working.stop().await;
    sender.stop().await;
}

#[tokio::test]
async fn a_raised_card_stands_in_a_moment() {
    let office = Office::open().await;
    let sender = office.send();
    office.ask_in(CHANNEL).await;
    office.message(CHANNEL, |_| true).await; // the sender holds its lease and listens
    let began = Instant::now();
    office.world.ask(&[("one", json!({}))]).await;
    office.slack.wait_for("chat.postMessage", 2).await;
    let took = began.elapsed();
    // Well under the look of each second: it was woken.
    assert!(took < Duration::from_millis(700), "{took:?}");
    sender.stop().await;
}

#[tokio::test]
async fn what_piles_up_in_one_channel_hides_nothing_from_another() {
    let office = Office::open().await;
    for _ in 0..120 {
        office.ask_in("C0BUSY").await;
    }
    office.ask_in("C0QUIET").await;
    let sender = office.send();
    office.message("C0QUIET", |_| true).await;
    let busy = office.slack.messages("C0BUSY").len();
    assert!(busy < 60, "{busy} went before");
    sender.stop().await;
}

#[tokio::test]
async fn a_refused_rate_is_obeyed_by_every_process() {
    let office = Office::open().await;
    let first = office.send();
    let request = office.ask_in(CHANNEL).await;
    office.message(CHANNEL, |_| true).await;
    office.slack.fault("chat.update", Fault::Limited(3));
    office.fail_planning(request).await;
    office.slack.wait_for("chat.update", 1).await;
    let refused = Instant::now();
    while office
        .world
        .count("rate_limit where bucket = 'chat.update'")
        .await
        == 0
    {
        assert!(refused.elapsed() < super::PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    first.stop().await;
    let second = office.send();
    office.slack.wait_for("chat.update", 2).await;
    let waited = refused.elapsed();
    assert!(waited >= Duration::from_millis(2900), "{waited:?}");
    office.message(CHANNEL, says("Couldn")).await;
    second.stop().await;
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_and_not_posted_twice() {
    let office = Office::open().await;
    office.slack.fault("chat.postMessage", Fault::LoseAnswer);
    let request = office.ask_in(CHANNEL).await;
    let sender = office.send();
    office.slack.wait_for("conversations.history", 1).await;
    office.fail_planning(request).await;
    office.message(CHANNEL, says("Couldn")).await;
    office.all_true().await;
    assert_eq!(office.slack.messages(CHANNEL).len(), 1);
    assert_eq!(office.slack.calls("chat.postMessage").len(), 1);
    sender.stop().await;
}

#[tokio::test]
async fn where_we_may_not_look_a_lost_post_is_posted_again() {
    let office = Office::open().await;
    office.slack.fault("chat.postMessage", Fault::LoseAnswer);
    office
        .slack
        .fault("conversations.history", Fault::Code("missing_scope"));
    office.ask_in(CHANNEL).await;
    let sender = office.send();
    office.slack.wait_for("chat.postMessage", 2).await;
    office.all_true().await;
    let root: String = sqlx::query_scalar("select root_ts from thread")
        .fetch_one(&office.world.pool)
        .await
        .unwrap();
    assert_eq!(office.slack.messages(CHANNEL)[1]["ts"], root);
    sender.stop().await;
}

/// The card of a request, posted twice: the first post's answer was lost.
async fn posted_twice(office: &Office) -> (RequestId, Sender) {
    office.slack.fault("chat.postMessage", Fault::LoseAnswer);
    office
        .slack
        .fault("conversations.history", Fault::Code("missing_scope"));
    let request = office.ask_in(CHANNEL).await;
    let sender = office.send();
    office.slack.wait_for("chat.postMessage", 2).await;
    office.all_true().await;
    assert_eq!(office.slack.messages(CHANNEL).len(), 2);
    (request, sender)
}

#[tokio::test]
async fn a_twin_is_deleted_at_its_first_press_and_the_press_counts() {
    let office = Office::open().await;
    let (request, sender) = posted_twice(&office).await;
    let cards = office.slack.messages(CHANNEL);
    let (twin, ours) = (&cards[0]["ts"], &cards[1]["ts"]);
    let reply = office
        .press(ButtonId::RequestCancel, request.to_string(), twin)
        .await;
    assert!(matches!(reply, Reply::Card { .. }), "{reply:?}");
    assert_eq!(
        office
            .world
            .count("request where state = 'cancelled'")
            .await,
        1
    );
    let working = office.world.work_with(vec![office.chat()]);
    office.slack.wait_for("chat.delete", 1).await;
    let left = office.message(CHANNEL, says("Cancelled")).await;
    assert_eq!(&left["ts"], ours);
    assert_eq!(office.slack.messages(CHANNEL).len(), 1);

    // Ours is no twin, whoever presses it.
    office
        .press(ButtonId::RequestCancel, request.to_string(), ours)
        .await;
    let until = Instant::now() + super::PATIENCE;
    while office.world.count("graphile_worker.jobs").await > 0 {
        assert!(Instant::now() < until, "jobs are left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(office.slack.calls("chat.delete").len(), 1);
    working.stop().await;
    sender.stop().await;
}

#[tokio::test]
async fn a_twin_of_a_decided_card_is_deleted_too() {
    let office = Office::open().await;
    let (request, sender) = posted_twice(&office).await;
    let cards = office.slack.messages(CHANNEL);
    let working = office.world.work_with(vec![office.chat()]);
    office.world.until(request, RunState::Succeeded).await;
    // While a post is on its way nobody can tell whether a message that isn't known is that one.
    office.all_true().await;
    let plan: uuid::Uuid = sqlx::query_scalar("select id from plan")
        .fetch_one(&office.world.pool)
        .await
        .unwrap();
    // A press on ours is remembered, one on the twin still takes the long way.
    for card in [&cards[1], &cards[0]] {
        let reply = office
            .press(ButtonId::RequestApprove, plan.to_string(), &card["ts"])
            .await;
        assert!(matches!(reply, Reply::Card { .. }), "{reply:?}");
    }
    office.slack.wait_for("chat.delete", 1).await;
    office.all_true().await;
    let ts = cards[0]["ts"].clone();
    assert!(office.slack.messages(CHANNEL).iter().all(|m| m["ts"] != ts));
    working.stop().await;
    sender.stop().await;
}

#[tokio::test]
async fn a_request_whose_channel_is_gone_goes_on_in_direct_messages() {
    for (channel, why) in [("C0ARCHIVED", "archived"), ("C0OUTSIDE", "can't post")] {
        let office = Office::open().await;
        office.ask_in(channel).await;
        let sender = office.send();
        office.message("D0PRIYA", says("things")).await;
        office.message("D0PRIYA", says(why)).await;
        office.all_true().await;
        assert_eq!(office.slack.messages("D0PRIYA").len(), 2);
        assert_eq!(
            office.world.count("thread where closed_at is null").await,
            1
        );
        sender.stop().await;
    }
}

#[tokio::test]
async fn a_deleted_card_is_posted_anew() {
    let office = Office::open().await;
    let request = office.ask_in(CHANNEL).await;
    let sender = office.send();
    let card = office.message(CHANNEL, |_| true).await;
    office.all_true().await;

    // Told by an event.
    let mut tx = store::begin(&office.world.pool).await.unwrap();
    let ts = card["ts"].as_str().unwrap();
    message::deleted(&mut tx, office.world.installation, CHANNEL, ts)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    office.slack.wait_for("chat.postMessage", 2).await;
    office.all_true().await;

    // Found out by an edit.
    office
        .slack
        .fault("chat.update", Fault::Code("message_not_found"));
    office.fail_planning(request).await;
    office.slack.wait_for("chat.postMessage", 3).await;
    office.all_true().await;
    let messages = office.slack.messages(CHANNEL);
    assert!(says("Couldn")(&messages[2]));
    sender.stop().await;
}

#[tokio::test]
async fn a_card_that_is_refused_is_sent_shorter() {
    let office = Office::open().await;
    office
        .slack
        .fault("chat.postMessage", Fault::Code("msg_blocks_too_long"));
    office.ask_in(CHANNEL).await;
    let sender = office.send();
    let card = office.message(CHANNEL, |_| true).await;
    assert!(
        card["blocks"].to_string().contains("request.cancel"),
        "{card:#}"
    );
    office.all_true().await;
    sender.stop().await;

    let office = Office::open().await;
    for _ in 0..3 {
        office
            .slack
            .fault("chat.postMessage", Fault::Code("invalid_blocks"));
    }
    office.ask_in(CHANNEL).await;
    let sender = office.send();
    office.slack.wait_for("chat.postMessage", 3).await;
    office.all_true().await;
    assert_eq!(
        office
            .world
            .count("message where given_up = 'invalid_blocks'")
            .await,
        1
    );
    sender.stop().await;
}

#[tokio::test]
async fn a_card_that_is_too_long_goes_on_in_replies_and_nothing_is_lost() {
    let office = Office::open().await;
    let request = office.ask_in(CHANNEL).await;
    let sender = office.send();
    office.message(CHANNEL, |_| true).await;
    office.all_true().await;
    let long: String = (0..4000).map(|n| format!("word-{n}-stands ")).collect();
    office.fail_planning_with(request, &long).await;
    office.message(CHANNEL, says("word-3999-stands")).await;
    office.all_true().await;
    let messages = office.slack.messages(CHANNEL);
    assert!(messages.len() > 1);
    // Text is cut where a block is full, also within a word.
    let texts = messages
        .iter()
        .flat_map(|m| m["blocks"].as_array().unwrap());
    let all: String = texts.filter_map(|b| b["text"]["text"].as_str()).collect();
    for n in 0..4000 {
        assert!(all.contains(&format!("word-{n}-stands")), "{n} is lost");
    }
    for reply in &messages[1..] {
        assert_eq!(reply["thread_ts"], messages[0]["ts"]);
    }

    // What has become short says so where it went on.
    office.fail_planning_with(request, "Now it is short.").await;
    office.message(CHANNEL, says("Now it is short")).await;
    office.all_true().await;
    let after = office.slack.messages(CHANNEL);
    assert_eq!(after.len(), messages.len());
    assert!(
        after
            .iter()
            .all(|m| !m["blocks"].to_string().contains("stands"))
    );
    sender.stop().await;
}

#[tokio::test]
async fn a_refused_token_pauses_sending_until_it_is_good() {
    let office = Office::open().await;
    office
        .slack
        .fault("chat.postMessage", Fault::Code("token_revoked"));
    let request = office.ask_in(CHANNEL).await;
    // The first try of the token fails as well.
    office
        .slack
        .fault("auth.test", Fault::Code("token_revoked"));
    let sender = office.send();
    office.slack.wait_for("auth.test", 1).await;
    assert_eq!(
        office
            .world
            .count("installation where revoked_at is not null")
            .await,
        1
    );
    office.fail_planning(request).await;
    assert_eq!(office.slack.calls("chat.postMessage").len(), 1);
    people::record_token(&office.world.app, office.world.installation, true)
        .await
        .unwrap();
    office.raise(request).await;
    office.message(CHANNEL, says("Couldn")).await;
    office.all_true().await;
    sender.stop().await;
}

#[tokio::test]
async fn another_process_sends_seconds_after_the_first_one_died() {
    let office = Office::open().await;
    let first = office.send();
    let request = office.ask_in(CHANNEL).await;
    office.message(CHANNEL, |_| true).await;
    office.all_true().await;
    let second = office.send();
    // The first one dies in the middle of an edit.
    office
        .slack
        .fault("chat.update", Fault::Hang(Duration::from_secs(60)));
    office.fail_planning(request).await;
    office.slack.wait_for("chat.update", 1).await;
    let killed = Instant::now();
    first.kill().await;
    assert_eq!(
        office.world.count("lease where name like 'sender:%'").await,
        1,
        "nothing was freed"
    );
    office.message(CHANNEL, says("Couldn")).await;
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(office.slack.messages(CHANNEL).len(), 1);
    second.stop().await;
}

#[tokio::test]
async fn a_stopping_sender_gives_its_lease_back_at_once() {
    let office = Office::open().await;
    let first = office.send();
    office.ask_in(CHANNEL).await;
    office.message(CHANNEL, |_| true).await;
    first.stop().await;
    assert_eq!(
        office.world.count("lease where name like 'sender:%'").await,
        0
    );
}

#[tokio::test]
async fn people_groups_and_channels_become_known() {
    let office = Office::open().await;
    office
        .slack
        .groups(&[("payments-leads", &["U0ALEX", "U0SAM"])]);
    office.slack.user("U0SAM", json!({ "is_restricted": true }));
    office.ask_in(CHANNEL).await;
    let (chat, auth) = idp::worker::people::introduce(&office.world.app, &office.client())
        .await
        .unwrap();
    assert_eq!(
        (chat.installation, auth.installation.as_str()),
        (office.world.installation, TEAM)
    );
    let stop = CancellationToken::new();
    let reading = tokio::spawn(idp::worker::people::run(
        office.world.app.clone(),
        chat,
        stop.clone(),
    ));
    let until = Instant::now() + super::PATIENCE;
    let wanted = [
        "membership m join account a on a.id = m.account_id where a.name = 'Alex Ruiz' and a.kind = 'full'",
        "account where external_id = 'U0SAM' and kind = 'guest'",
        "idp_group where handle = 'payments-leads' and active",
        "channel where external_id = 'C0PLATFORM' and name = 'platform' and usable",
        "channel_member where account_external_id = 'U0ALEX'",
    ];
    for sql in wanted {
        while office.world.count(sql).await == 0 {
            assert!(Instant::now() < until, "{sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(
        office.slack.calls("usergroups.list").len(),
        1,
        "one call however many groups"
    );
    stop.cancel();
    reading.await.unwrap();
}

#[tokio::test]
async fn an_organisations_groups_are_read_in_each_of_its_workspaces() {
    let office = Office::open().await;
    office.slack.organisation(&["T0ACME", "T0LABS"]);
    office
        .slack
        .groups(&[("payments-leads", &["U0ALEX", "U0SAM"])]);
    let (chat, auth) = idp::worker::people::introduce(&office.world.app, &office.client())
        .await
        .unwrap();
    assert_eq!(auth.installation, "E0ACME");
    let stop = CancellationToken::new();
    let app = office.world.app.clone();
    let reading = tokio::spawn(idp::worker::people::run(app, chat, stop.clone()));
    let until = Instant::now() + super::PATIENCE;
    let known = "idp_group where handle = 'payments-leads' and active";
    while office.world.count(known).await == 0 {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(office.world.count(known).await, 1, "told twice, kept once");
    let teams: Vec<Value> = office
        .slack
        .calls("usergroups.list")
        .into_iter()
        .map(|call| call["team_id"].clone())
        .collect();
    assert_eq!(teams, ["T0ACME", "T0LABS"]);
    stop.cancel();
    reading.await.unwrap();
}
