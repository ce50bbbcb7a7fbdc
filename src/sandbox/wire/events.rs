//! Events API payloads.

use serde_json::{Value, json};

use super::VERIFICATION_TOKEN;
use crate::sandbox::world::{ChannelKind, Inner, Message, Person, long_id};

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
    json!({
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team.id,
        "context_team_id": workspace.team.id,
        "context_enterprise_id": null,
        "api_app_id": workspace.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": long_id('E').replacen('E', "Ev", 1),
        "event_time": inner.now.timestamp(),
        "authorizations": [{
            "enterprise_id": null,
            "team_id": workspace.team.id,
            "user_id": workspace.app.user_id,
            "is_bot": true,
            "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": shared,
        "event_context": format!("4-{}", hex::encode(rand::random::<[u8; 24]>())),
    })
}

/// `app_mention`.
pub(in crate::sandbox) fn mention_event(message: &Message, person: &Person) -> Value {
    typed("app_mention", message, person)
}

/// `message` in a direct message with the bot.
pub(in crate::sandbox) fn message_event(message: &Message, person: &Person) -> Value {
    let mut event = typed("message", message, person);
    event["channel_type"] = json!("im");
    event
}

/// `message` for what the bot itself wrote in a direct message; `None` elsewhere.
pub(in crate::sandbox) fn own_message_event(
    inner: &Inner,
    channel: &str,
    ts: &str,
) -> Option<Value> {
    let channel = inner
        .channel(channel)
        .filter(|own| own.kind == ChannelKind::Direct)?;
    let mut event = channel.messages.get(ts)?.on_the_wire(inner, channel);
    event["channel"] = json!(channel.id);
    event["channel_type"] = json!("im");
    event["event_ts"] = json!(ts);
    Some(event)
}

/// `message_changed` for what the bot itself edited in a direct message; `None` elsewhere.
pub(in crate::sandbox) fn own_edit_event(
    inner: &mut Inner,
    channel: &str,
    ts: &str,
) -> Option<Value> {
    let event_ts = inner.next_ts();
    let channel = inner
        .channel(channel)
        .filter(|own| own.kind == ChannelKind::Direct)?;
    let message = channel.messages.get(ts)?.on_the_wire(inner, channel);
    Some(json!({
        "type": "message",
        "subtype": "message_changed",
        "message": message,
        "channel": channel.id,
        "hidden": true,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": "im",
    }))
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
