//! Slash commands and interaction payloads: presses, views, searches of options.

use serde_json::{Map, Value, json};

use super::VERIFICATION_TOKEN;
use crate::sandbox::world::{
    Channel, ChannelKind, Element, Fields, Inner, Message, MessageRef, Person, View,
};

/// A typed slash command.
pub(in crate::sandbox) struct Command<'a> {
    pub(in crate::sandbox) person: &'a Person,
    pub(in crate::sandbox) channel: &'a Channel,
    pub(in crate::sandbox) name: &'a str,
    pub(in crate::sandbox) text: &'a str,
    pub(in crate::sandbox) url: &'a str,
    pub(in crate::sandbox) trigger: &'a str,
}

/// Where an interaction happened.
pub(in crate::sandbox) enum Source<'a> {
    /// In a message; `url` is the response URL.
    Message { message: &'a Message, url: &'a str },
    /// In a modal.
    View(&'a View),
}

/// The fields of a slash command, form-encoded on their way.
pub(in crate::sandbox) fn command(inner: &Inner, typed: &Command<'_>) -> Value {
    let workspace = &inner.workspace;
    let mut fields = json!({
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": typed.channel.id,
        "channel_name": channel_name(typed.channel),
        "user_id": typed.person.id,
        "user_name": typed.person.handle,
        "command": typed.name,
        "text": typed.text,
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
        "response_url": typed.url,
        "trigger_id": typed.trigger,
    });
    if let Some(organisation) = inner.organisation() {
        fields["is_enterprise_install"] = json!("true");
        fields["enterprise_id"] = json!(organisation);
        fields["enterprise_name"] = json!(workspace.team.name);
    }
    fields
}

/// A press.
pub(in crate::sandbox) fn block_actions(
    inner: &Inner,
    person: &Person,
    source: &Source<'_>,
    (trigger, action): (&str, &Value),
) -> Value {
    let mut payload = common(inner, "block_actions", person);
    payload.insert("container".into(), container(source));
    payload.insert("trigger_id".into(), trigger.into());
    place(inner, person, source, &mut payload);
    if let Source::Message { url, .. } = source {
        payload.insert("response_url".into(), (*url).into());
    }
    payload.insert("actions".into(), json!([action]));
    Value::Object(payload)
}

/// A submitted view.
pub(in crate::sandbox) fn view_submission(
    inner: &Inner,
    person: &Person,
    view: &View,
    trigger: &str,
) -> Value {
    let mut payload = common(inner, "view_submission", person);
    payload.insert("trigger_id".into(), trigger.into());
    payload.insert("view".into(), view.on_the_wire(inner));
    payload.insert("response_urls".into(), json!([]));
    Value::Object(payload)
}

/// A closed view that asked to be told.
pub(in crate::sandbox) fn view_closed(
    inner: &Inner,
    person: &Person,
    view: &View,
    cleared: bool,
) -> Value {
    let mut payload = common(inner, "view_closed", person);
    payload.insert("view".into(), view.on_the_wire(inner));
    payload.insert("is_cleared".into(), cleared.into());
    Value::Object(payload)
}

/// A search in an external select.
pub(in crate::sandbox) fn block_suggestion(
    inner: &Inner,
    person: &Person,
    source: &Source<'_>,
    (element, typed): (&Element, &str),
) -> Value {
    let mut payload = common(inner, "block_suggestion", person);
    payload.insert("container".into(), container(source));
    payload.insert("action_id".into(), element.action_id.clone().into());
    payload.insert("block_id".into(), element.block_id.clone().into());
    payload.insert("value".into(), typed.into());
    place(inner, person, source, &mut payload);
    Value::Object(payload)
}

/// One entry of `actions`. `chosen` is the element's state object, or null for a button.
pub(in crate::sandbox) fn action(element: &Element, chosen: &Value, ts: &str) -> Value {
    let mut action = Map::new();
    action.insert("type".into(), element.kind.clone().into());
    action.insert("action_id".into(), element.action_id.clone().into());
    action.insert("block_id".into(), element.block_id.clone().into());
    let kept: &[&str] = if element.kind == "button" {
        &["text", "value", "style", "url", "confirm"]
    } else {
        &[
            "placeholder",
            "initial_option",
            "initial_options",
            "confirm",
        ]
    };
    for name in kept {
        if let Some(value) = element.json.get(*name) {
            action.insert((*name).to_owned(), value.clone());
        }
    }
    for (name, value) in chosen.as_object().into_iter().flatten() {
        action.insert(name.clone(), value.clone());
    }
    action.insert("action_ts".into(), ts.into());
    Value::Object(action)
}

/// What stands on an element, for a sentence about it.
pub(in crate::sandbox) fn label(element: &Value) -> &str {
    let text = element
        .pointer("/text/text")
        .or_else(|| element.pointer("/placeholder/text"));
    text.and_then(Value::as_str).unwrap_or("This")
}

fn common(inner: &Inner, kind: &str, person: &Person) -> Map<String, Value> {
    let workspace = &inner.workspace;
    let mut payload = json!({
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.handle,
            "name": person.handle,
            "team_id": person.team_id,
        },
        "api_app_id": workspace.app.id,
        "token": VERIFICATION_TOKEN,
        "team": { "id": workspace.team.id, "domain": workspace.team.domain },
        "enterprise": null,
        "is_enterprise_install": false,
    });
    if let Some(organisation) = inner.organisation() {
        // "Null if the app is org-installed" (Bolt's types of interaction payloads).
        payload["team"] = Value::Null;
        payload["enterprise"] = json!({ "id": organisation, "name": workspace.team.name });
        payload["is_enterprise_install"] = json!(true);
    }
    match payload {
        Value::Object(payload) => payload,
        _ => Map::new(),
    }
}

fn container(source: &Source<'_>) -> Value {
    match source {
        Source::View(view) => json!({ "type": "view", "view_id": view.id }),
        Source::Message { message, .. } => {
            let mut container = json!({
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel,
                "is_ephemeral": message.only_for.is_some(),
            });
            if let Some(root) = &message.thread_ts {
                container["thread_ts"] = json!(root);
            }
            container
        }
    }
}

/// The view, or the channel, message and entered values.
fn place(inner: &Inner, person: &Person, source: &Source<'_>, payload: &mut Map<String, Value>) {
    match source {
        Source::View(view) => {
            payload.insert("view".into(), view.on_the_wire(inner));
        }
        Source::Message { message, .. } => {
            let Some(channel) = inner.channel(&message.channel) else {
                return;
            };
            let named = json!({ "id": channel.id, "name": channel_name(channel) });
            payload.insert("channel".into(), named);
            if message.only_for.is_none() {
                payload.insert("message".into(), message.on_the_wire(inner, channel));
            }
            let at = MessageRef {
                channel: message.channel.clone(),
                ts: message.ts.clone(),
            };
            let fields = inner.message_fields.get(&(person.id.clone(), at)).cloned();
            let fields = fields.unwrap_or_else(|| Fields::initial(&message.blocks));
            payload.insert("state".into(), json!({ "values": fields }));
        }
    }
}

/// The name that payloads carry: private channels and direct messages have none of their own.
fn channel_name(channel: &Channel) -> &str {
    match channel.kind {
        ChannelKind::Public => &channel.name,
        ChannelKind::Private => "privategroup",
        ChannelKind::Direct => "directmessage",
    }
}
