//! Answers to interactions, by their token: the first one, its changes, and what follows it.

use serde_json::json;

use super::{Call, Done, Reply, messages::told};
use crate::sandbox::{
    discord::{error::Refusal, id::Id},
    world::Inner,
};

/// The first answer, where it isn't the body of one.
pub(super) fn first(inner: &mut Inner, call: &Call) -> Done {
    let token = word(call, 2);
    let known = inner.live.interactions.get(token);
    if known.is_none_or(|own| call.id(1).is_ok_and(|id| id != own.id)) {
        return Err(Refusal::of(10_062));
    }
    inner.answer(token, &call.body)?;
    let own = inner.live.interactions.get(token);
    let made = own.and_then(|own| Some((own.channel, own.original?)));
    let Some(own) = own.filter(|_| {
        call.query
            .get("with_response")
            .is_some_and(|own| own == "true")
    }) else {
        let reply = Reply::empty();
        return Ok(match made {
            Some((channel, id)) => reply.touching(channel, id),
            None => reply,
        });
    };
    let private = made.and_then(|(channel, id)| inner.discord.message(channel, id));
    let private = private.is_some_and(|own| own.only_for.is_some());
    let kind = call.body.get("type").cloned();
    let message = made.map(|(channel, id)| told(inner, channel, id).body);
    Ok(Reply::ok(json!({
        "interaction": {
            "id": own.id, "type": own.kind.number(), "response_message_id": made.map(|(_, id)| id),
            "response_message_loading": call.body.get("type") == Some(&json!(5)), "response_message_ephemeral": private,
        },
        "resource": { "type": kind, "message": message },
    })))
}

pub(super) fn follow_up(inner: &mut Inner, call: &Call) -> Done {
    ours(inner, call)?;
    let (channel, id) = inner.follow_up(word(call, 2), &call.body)?;
    Ok(told(inner, channel, id))
}

pub(super) fn get(inner: &Inner, call: &Call) -> Done {
    ours(inner, call)?;
    let (channel, id) = named(inner, call)?;
    Ok(told(inner, channel, id))
}

pub(super) fn edit(inner: &mut Inner, call: &Call) -> Done {
    ours(inner, call)?;
    let (_, id) = named(inner, call)?;
    let (channel, id) = inner.amend(word(call, 2), id, &call.body)?;
    Ok(told(inner, channel, id))
}

pub(super) fn delete(inner: &mut Inner, call: &Call) -> Done {
    ours(inner, call)?;
    let (channel, id) = named(inner, call)?;
    inner.erase(channel, id);
    Ok(Reply::empty().touching(channel, id))
}

/// A message that a token may touch.
fn named(inner: &Inner, call: &Call) -> Result<(Id, Id), Refusal> {
    let wanted = wanted(call)?;
    let own = inner.lent(word(call, 2))?;
    let id = wanted.or(own.original).ok_or_else(|| Refusal::of(10_008))?;
    let stands = inner.discord.message(own.channel, id);
    let stands = stands.filter(|message| {
        let cause = message.cause.as_ref();
        Some(id) == own.original || cause.is_some_and(|cause| cause.interaction == own.id)
    });
    stands.ok_or_else(|| Refusal::of(10_008))?;
    Ok((own.channel, id))
}

/// `@original` is the answer itself.
fn wanted(call: &Call) -> Result<Option<Id>, Refusal> {
    if word(call, 4) == "@original" {
        return Ok(None);
    }
    call.id(4).map(Some)
}

fn ours(inner: &Inner, call: &Call) -> Result<(), Refusal> {
    if call.id(1)? == inner.discord.application.id {
        Ok(())
    } else {
        Err(Refusal::of(10_015))
    }
}

fn word(call: &Call, at: usize) -> &str {
    call.path.get(at).map(String::as_str).unwrap_or_default()
}
