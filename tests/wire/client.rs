//! Outgoing calls: each method, and what each kind of trouble is told as.

use std::time::Duration;

use idp::clients::slack::{Post, Slack, SlackError};
use idp::domain::event::PlaceKind;
use idp::domain::person::AccountKind;
use serde_json::{Value, json};

use crate::support::slack::{APP_TOKEN, BOT_TOKEN, Fake, Fault, TEAM};

async fn slack() -> (Fake, Slack) {
    let fake = Fake::start().await;
    let slack = Slack::new(&fake.api_url(), &BOT_TOKEN.to_owned().into()).unwrap();
    (fake, slack)
}

fn blocks() -> Vec<Value> {
    vec![
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "*hello*", "verbatim": true } }),
    ]
}

fn post<'a>(channel: &'a str, blocks: &'a [Value], metadata: Option<&'a Value>) -> Post<'a> {
    Post {
        channel,
        thread: None,
        text: "hello",
        blocks,
        metadata,
    }
}

#[tokio::test]
async fn a_message_is_posted_updated_found_and_deleted() {
    let (fake, slack) = slack().await;
    let (blocks, nonce) = (
        blocks(),
        json!({ "event_type": "idp_message", "event_payload": { "nonce": "n1" } }),
    );
    let hello = post("C1", &blocks, Some(&nonce));
    let root = slack.post(&hello).await.unwrap();

    let reply = Post {
        thread: Some(&root.ts),
        metadata: None,
        ..hello
    };
    slack.post(&reply).await.unwrap();
    assert_eq!(fake.messages("C1").len(), 2);
    let sent = &fake.calls("chat.postMessage")[0];
    assert_eq!(
        (&sent["unfurl_links"], &sent["link_names"]),
        (&json!(false), &json!(false))
    );

    slack
        .update(
            &root.ts,
            &Post {
                text: "bye",
                ..hello
            },
        )
        .await
        .unwrap();
    assert_eq!(fake.messages("C1")[0]["text"], "bye");

    assert_eq!(slack.find(&hello, "0").await.unwrap(), Some(root.clone()));
    let other = json!({ "event_type": "idp_message", "event_payload": { "nonce": "n2" } });
    assert_eq!(
        slack
            .find(&post("C1", &blocks, Some(&other)), "0")
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        slack
            .find(
                &Post {
                    thread: Some(&root.ts),
                    ..hello
                },
                "0"
            )
            .await
            .unwrap(),
        None
    );

    assert!(
        slack
            .permalink("C1", &root.ts)
            .await
            .unwrap()
            .starts_with("https://")
    );
    slack.delete("C1", &root.ts).await.unwrap();
    assert!(matches!(
        slack.delete("C1", &root.ts).await,
        Err(SlackError::MessageGone { .. })
    ));
}

#[tokio::test]
async fn people_groups_and_channels_are_read() {
    let (fake, slack) = slack().await;
    fake.groups(&[("payments-leads", &["U0ALEX", "U0SAM"]), ("empty", &[])]);
    let groups = slack.groups(None).await.unwrap();
    assert_eq!(groups[0].handle, "payments-leads");
    assert_eq!(groups[0].members, ["U0ALEX", "U0SAM"]);
    assert!(groups[1].members.is_empty());

    let kind = async |change: Value| {
        fake.user("U9", change);
        slack.user("U9", TEAM).await.unwrap().kind
    };
    assert_eq!(kind(json!({})).await, AccountKind::Full);
    assert_eq!(
        kind(json!({ "is_ultra_restricted": true })).await,
        AccountKind::Guest
    );
    assert_eq!(
        kind(json!({ "team_id": "T999" })).await,
        AccountKind::Outsider
    );
    let in_org = json!({ "enterprise_user": { "enterprise_id": "E1", "teams": [TEAM] }, "is_ultra_restricted": false });
    assert_eq!(kind(in_org).await, AccountKind::Full);
    assert_eq!(kind(json!({ "is_bot": true })).await, AccountKind::Bot);
    let alex = slack.user("U0ALEX", TEAM).await.unwrap();
    assert_eq!((alex.name.as_str(), alex.active), ("Alex Ruiz", true));
    assert!(matches!(
        slack.user("U404", TEAM).await,
        Err(SlackError::UserGone { .. })
    ));

    let channel = slack.channel("C1").await.unwrap();
    assert_eq!((channel.kind, channel.member), (PlaceKind::Public, true));
    assert_eq!(
        slack.members("C0PLATFORM").await.unwrap(),
        ["U0ALEX", "U0PRIYA", "U0SAM"]
    );
    assert_eq!(slack.open_direct("U0ALEX").await.unwrap(), "D0ALEX");
}

#[tokio::test]
async fn we_learn_who_we_are_and_what_we_may() {
    let (_fake, slack) = slack().await;
    let auth = slack.auth_test().await.unwrap();
    assert_eq!(
        (auth.installation.as_str(), auth.user.as_str()),
        (TEAM, "U0BOT")
    );
    assert_eq!(
        auth.scopes.unwrap(),
        ["commands", "chat:write", "users:read"]
    );
    let wrong = slack.with_token(&"xoxb-other".to_owned().into());
    assert!(matches!(
        wrong.auth_test().await,
        Err(SlackError::Revoked { .. })
    ));
    let url = slack
        .open_connection(&APP_TOKEN.to_owned().into())
        .await
        .unwrap();
    assert_eq!(url.scheme(), "ws");
}

#[tokio::test]
async fn a_trigger_opens_one_view() {
    let (fake, slack) = slack().await;
    let view = json!({ "type": "modal", "title": { "type": "plain_text", "text": "x" }, "blocks": blocks() });
    let trigger = fake.trigger();
    let id = slack.open_view(&trigger, &view).await.unwrap();
    assert!(matches!(
        slack.open_view(&trigger, &view).await,
        Err(SlackError::TriggerGone { .. })
    ));
    slack.update_view(&id, None, &view).await.unwrap();
    assert!(matches!(
        slack.update_view(&id, Some("old"), &view).await,
        Err(SlackError::ViewGone { .. })
    ));
}

#[tokio::test]
async fn trouble_says_what_to_do_next() {
    let (fake, slack) = slack().await;
    let blocks = blocks();
    let meet = async |fault: Fault| {
        fake.fault("chat.postMessage", fault);
        slack
            .within(Duration::from_millis(300))
            .post(&post("C1", &blocks, None))
            .await
            .unwrap_err()
    };
    let lost = |error: SlackError| matches!(error, SlackError::Lost { .. });
    assert_eq!(
        meet(Fault::Limited(7)).await,
        SlackError::Limited {
            after: Some(Duration::from_secs(7))
        }
    );
    assert!(lost(meet(Fault::Code("fatal_error")).await));
    let revoked = meet(Fault::Code("token_revoked")).await;
    assert!(matches!(revoked, SlackError::Revoked { .. }));
    assert!(lost(meet(Fault::Page(502)).await));
    // A proxy's page with a good status is no success.
    assert!(lost(meet(Fault::Page(200)).await));
    assert!(lost(meet(Fault::Hang(Duration::from_secs(5))).await));
    let before = fake.messages("C1").len();
    assert!(lost(meet(Fault::LoseAnswer).await));
    assert_eq!(fake.messages("C1").len(), before + 1);

    let refused = async |channel: &str, blocks: &[Value]| {
        slack.post(&post(channel, blocks, None)).await.unwrap_err()
    };
    assert!(matches!(
        refused("C0ARCHIVED", &blocks).await,
        SlackError::ChannelGone { .. }
    ));
    assert!(matches!(
        refused("C0OUTSIDE", &blocks).await,
        SlackError::NotInChannel { .. }
    ));
    assert!(matches!(
        refused("X", &blocks).await,
        SlackError::ChannelGone { .. }
    ));
    assert!(matches!(
        refused("C1", &[json!({ "type": "nonsense" })]).await,
        SlackError::Refused { .. }
    ));
}

#[tokio::test]
async fn nobody_there_is_not_a_lost_answer() {
    idp::clients::install_crypto_provider();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let slack = Slack::new(&format!("http://{free}/api"), &BOT_TOKEN.to_owned().into()).unwrap();
    let blocks = blocks();
    let error = slack.post(&post("C1", &blocks, None)).await.unwrap_err();
    assert!(matches!(error, SlackError::Unreachable { .. }), "{error:?}");
    assert!(matches!(
        slack.auth_test().await,
        Err(SlackError::Unreachable { .. })
    ));
}

#[tokio::test]
async fn answers_go_to_the_address_they_came_with_and_nowhere_else() {
    let (fake, slack) = slack().await;
    let message = json!({ "response_type": "ephemeral", "text": "x" });
    slack
        .response_urls()
        .post(&fake.response_url(), &message)
        .await
        .unwrap();
    assert_eq!(fake.calls("response_url").len(), 1);
    assert!(
        slack
            .response_urls()
            .post("http://169.254.169.254/latest", &message)
            .await
            .is_err()
    );
}
