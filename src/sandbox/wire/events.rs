//! Events API payloads.

use serde_json::{Value, json};

use super::VERIFICATION_TOKEN;
use crate::sandbox::world::{Channel, ChannelKind, Inner, Message, Person, long_id};

/// The envelope around an event.
pub(in crate::sandbox) fn event(inner: &mut Inner, mut event: Value) -> Value {
    if event.get("event_ts").is_none() {
        event["event_ts"] = json!(inner.next_ts());
    }
    let workspace = &inner.workspace;
    let shared = event
        .get("channel")
        .and_then(Value::as_str)
        .and_then(|id| inner.channel(id))
        .is_some_and(|channel| channel.shared);
    let organisation = inner.organisation();
    json!({
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team.id,
        "context_team_id": workspace.team.id,
        "context_enterprise_id": organisation,
        "api_app_id": workspace.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": long_id('E').replacen('E', "Ev", 1),
        "event_time": inner.now.timestamp(),
        "authorizations": [{
            "enterprise_id": organisation,
            "team_id": organisation.is_none().then_some(&workspace.team.id),
            "user_id": workspace.app.user_id,
            "is_bot": true,
            "is_enterprise_install": organisation.is_some(),
        }],
        "is_ext_shared_channel": shared,
        "event_context": format!("4-{}", hex::encode(rand::random::<[u8; 24]>())),
    })
}

/// `app_mention`.
pub(in crate::sandbox) fn mention_event(message: &Message, person: &Person) -> Value {
    typed("app_mention", message, person)
}

/// `message`: something was written in a conversation that the bot is in.
pub(in crate::sandbox) fn message_event(
    message: &Message,
    person: &Person,
    channel: &Channel,
) -> Value {
    let mut event = typed("message", message, person);
    event["channel_type"] = json!(channel_type(channel));
    event
}

/// `message` for what the bot itself wrote.
pub(in crate::sandbox) fn own_message_event(
    inner: &Inner,
    message: &Message,
    channel: &Channel,
) -> Value {
    let mut event = message.on_the_wire(inner, channel);
    event["channel"] = json!(channel.id);
    event["channel_type"] = json!(channel_type(channel));
    event["event_ts"] = json!(message.ts);
    event
}

/// `message_changed`; also what the tombstone of a deleted root arrives as.
pub(in crate::sandbox) fn changed_event(
    inner: &mut Inner,
    message: &Message,
    channel: &Channel,
) -> Value {
    let event_ts = inner.next_ts();
    json!({
        "type": "message",
        "subtype": "message_changed",
        "message": message.on_the_wire(inner, channel),
        "channel": channel.id,
        "hidden": true,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel_type(channel),
    })
}

/// `message_deleted`.
pub(in crate::sandbox) fn deleted_event(
    inner: &mut Inner,
    message: &Message,
    channel: &Channel,
) -> Value {
    let event_ts = inner.next_ts();
    json!({
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": message.on_the_wire(inner, channel),
        "deleted_ts": message.ts,
        "channel": channel.id,
        "hidden": true,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel_type(channel),
    })
}

/// `channel`, `group` or `im`.
fn channel_type(channel: &Channel) -> &'static str {
    match channel.kind {
        ChannelKind::Public => "channel",
        ChannelKind::Private => "group",
        ChannelKind::Direct => "im",
    }
}

/// The subscription that covers messages of a conversation.
pub(in crate::sandbox) fn message_subscription(channel: &Channel) -> &'static str {
    match channel.kind {
        ChannelKind::Public => "message.channels",
        ChannelKind::Private => "message.groups",
        ChannelKind::Direct => "message.im",
    }
}

fn typed(kind: &str, message: &Message, person: &Person) -> Value {
    let mut event = json!({
        "user": person.id,
        "type": kind,
        "ts": message.ts,
        "client_msg_id": uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string(),
        "text": message.text,
        "team": person.team_id,
        "channel": message.channel,
        "event_ts": message.ts,
    });
    if let Some(root) = &message.thread_ts {
        event["thread_ts"] = json!(root);
    }
    event
}
