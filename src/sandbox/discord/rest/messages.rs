//! Messages: read, posted, edited, deleted.

use chrono::TimeDelta;
use serde_json::Value;

use super::{Call, Done, Reply, channels::seen};
use crate::sandbox::{
    discord::{
        check::{self, Wanted},
        error::{Form, Refusal},
        id::Id,
        messages::Draft,
        permission as may,
        state::{Channel, ChannelKind, Discord},
    },
    world::Inner,
};

/// "If `enforce_nonce` is true … checked for uniqueness in the past few minutes".
const NONCE_LIFE: TimeDelta = TimeDelta::minutes(5);

pub(super) fn list(inner: &Inner, call: &Call) -> Done {
    let (channel, bits) = seen(inner, call)?;
    let limit = call.limit(50, 100)?;
    if bits & may::READ_HISTORY == 0 {
        return Ok(Reply::ok(Vec::<Value>::new()));
    }
    let before = call.edge("before").unwrap_or(Id(u64::MAX));
    let after = call.edge("after").unwrap_or_default();
    let all = channel.messages.values().rev();
    let these = all.filter(|own| own.only_for.is_none() && own.id < before && own.id > after);
    let page: Vec<Value> = these
        .take(limit)
        .map(|own| inner.discord.message_json(own))
        .collect();
    Ok(Reply::ok(page))
}

pub(super) fn get(inner: &Inner, call: &Call) -> Done {
    let (channel, bits) = seen(inner, call)?;
    if bits & may::READ_HISTORY == 0 {
        return Err(Refusal::of(50_013));
    }
    let message = channel.messages.get(&call.id(3)?);
    let message = message.filter(|own| own.only_for.is_none());
    let message = message.ok_or_else(|| Refusal::of(10_008))?;
    Ok(Reply::ok(inner.discord.message_json(message)))
}

pub(super) fn post(inner: &mut Inner, call: &Call) -> Done {
    let (channel, bits) = seen(inner, call)?;
    let id = channel.id;
    writable(inner, channel, bits)?;
    check::message(&call.body, Wanted::Post, "")?;
    let answers = answered(channel, bits, &call.body)?;
    if let Some(stands) = marked(inner, id, &call.body) {
        let value = inner.discord.message(id, stands);
        let value = value.map(|own| inner.discord.message_json(own));
        return Ok(Reply::ok(value).touching(id, stands));
    }
    let bot = inner.discord.application.bot;
    let message = inner.write(Draft {
        answers,
        ..Draft::new(id, bot, call.body.clone())
    });
    if let Some(mark) = mark(&call.body) {
        let now = inner.now;
        inner.live.nonces.insert((id, mark), (message, now));
    }
    Ok(told(inner, id, message))
}

/// Whether the bot may write there.
fn writable(inner: &Inner, channel: &Channel, bits: u64) -> Result<(), Refusal> {
    match channel.kind {
        ChannelKind::Voice => return Err(Refusal::of(50_008)),
        ChannelKind::Thread if channel.locked => return Err(Refusal::of(160_005)),
        ChannelKind::Direct => {
            let with = channel.owner.and_then(|id| {
                let all = &inner.discord.members;
                all.iter().find(|own| own.id == id)
            });
            match with {
                Some(own) if own.left => return Err(Refusal::of(50_278)),
                Some(own) if !own.closed => {}
                _ => return Err(Refusal::of(50_007)),
            }
        }
        ChannelKind::Text | ChannelKind::Thread => {}
    }
    if bits & Discord::writing(channel) == 0 {
        return Err(Refusal::of(50_013));
    }
    Ok(())
}

/// The message of the same channel that is answered.
fn answered(channel: &Channel, bits: u64, body: &Value) -> Result<Option<Id>, Refusal> {
    let Some(reference) = body.get("message_reference").filter(|own| !own.is_null()) else {
        return Ok(None);
    };
    let wanted = reference.get("message_id").and_then(Value::as_str);
    let wanted = wanted.and_then(|own| own.parse().ok());
    let stands = wanted.filter(|id| channel.messages.contains_key(id));
    if stands.is_none() && reference.get("fail_if_not_exists") != Some(&Value::Bool(false)) {
        let message = "Unknown message";
        return Err(Form::one(
            "message_reference",
            "REPLIES_UNKNOWN_MESSAGE",
            message,
        ));
    }
    if bits & may::READ_HISTORY == 0 {
        return Err(Refusal::of(160_002));
    }
    Ok(stands)
}

/// The mark of a message that is to stand once.
fn mark(body: &Value) -> Option<String> {
    let enforced = body.get("enforce_nonce") == Some(&Value::Bool(true));
    let nonce = body.get("nonce").filter(|own| enforced && !own.is_null())?;
    Some(nonce.to_string())
}

/// The message that stands with the same mark.
fn marked(inner: &mut Inner, channel: Id, body: &Value) -> Option<Id> {
    let now = inner.now;
    inner
        .live
        .nonces
        .retain(|_, (_, at)| now - *at < NONCE_LIFE);
    let (id, _) = inner.live.nonces.get(&(channel, mark(body)?))?;
    let stands = inner.discord.message(channel, *id).is_some();
    stands.then_some(*id)
}

/// A message of the bot's own in a channel that can be changed.
fn own(inner: &Inner, call: &Call) -> Result<(Id, Id, bool), Refusal> {
    let (channel, bits) = seen(inner, call)?;
    let id = call.id(3)?;
    let message = channel
        .messages
        .get(&id)
        .filter(|own| own.only_for.is_none());
    let message = message.ok_or_else(|| Refusal::of(10_008))?;
    if channel.archived {
        return Err(Refusal::of(50_083));
    }
    let ours = message.author == inner.discord.application.bot;
    Ok((channel.id, id, ours || bits & may::MANAGE_MESSAGES != 0))
}

pub(super) fn edit(inner: &mut Inner, call: &Call) -> Done {
    let (channel, id, _) = own(inner, call)?;
    let author = inner.discord.message(channel, id).map(|own| own.author);
    if author != Some(inner.discord.application.bot) {
        return Err(Refusal::of(50_005));
    }
    check::message(&call.body, Wanted::Edit, "")?;
    inner.rewrite(channel, id, &call.body);
    Ok(told(inner, channel, id))
}

pub(super) fn delete(inner: &mut Inner, call: &Call) -> Done {
    let (channel, id, may) = own(inner, call)?;
    if !may {
        return Err(Refusal::of(50_013));
    }
    inner.erase(channel, id);
    Ok(Reply::empty().touching(channel, id))
}

/// The message as it stands now.
pub(super) fn told(inner: &Inner, channel: Id, id: Id) -> Reply {
    let message = inner.discord.message(channel, id);
    Reply::ok(message.map(|own| inner.discord.message_json(own))).touching(channel, id)
}
