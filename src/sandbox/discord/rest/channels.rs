//! Channels, threads, direct messages.

use super::{Call, Done, Reply};
use crate::sandbox::{
    discord::{
        check,
        error::{Form, Refusal},
        gateway::intent,
        id::Id,
        permission as may,
        state::{Channel, ChannelKind, flag},
    },
    world::Inner,
};

/// A channel that the bot sees, with what it may there.
pub(super) fn seen<'a>(inner: &'a Inner, call: &Call) -> Result<(&'a Channel, u64), Refusal> {
    let channel = inner.discord.channel(call.id(1)?);
    let channel = channel.ok_or_else(|| Refusal::of(10_003))?;
    let bits = inner.discord.bots_permissions(channel);
    if bits & may::VIEW_CHANNEL == 0 {
        return Err(Refusal::of(50_001));
    }
    Ok((channel, bits))
}

pub(super) fn get(inner: &Inner, call: &Call) -> Done {
    let (channel, _) = seen(inner, call)?;
    Ok(Reply::ok(inner.discord.channel_json(channel)))
}

pub(super) fn typing(inner: &Inner, call: &Call) -> Done {
    let (channel, bits) = seen(inner, call)?;
    if bits & crate::sandbox::discord::state::Discord::writing(channel) == 0 {
        return Err(Refusal::of(50_013));
    }
    Ok(Reply::empty())
}

/// Archives a thread, or brings it back; the bot owns those that it opened.
pub(super) fn change(inner: &mut Inner, call: &Call) -> Done {
    let (channel, _) = seen(inner, call)?;
    let (id, thread) = (channel.id, channel.kind == ChannelKind::Thread);
    if !thread || channel.owner != Some(inner.discord.application.bot) {
        return Err(Refusal::of(50_013));
    }
    let name = match call.body.get("name") {
        Some(_) => Some(check::name(&call.body)?),
        None => None,
    };
    let archived = call
        .body
        .get("archived")
        .and_then(serde_json::Value::as_bool);
    if let Some(own) = inner.discord.channel_mut(id) {
        own.archived = archived.unwrap_or(own.archived);
        own.name = name.unwrap_or_else(|| own.name.clone());
    }
    told(inner, id)
}

fn told(inner: &mut Inner, id: Id) -> Done {
    let channel = inner.discord.channel(id);
    let channel = channel.ok_or_else(|| Refusal::of(10_003))?;
    let value = inner.discord.channel_json(channel);
    inner.emit("THREAD_UPDATE", intent::GUILDS, &value);
    inner.changed_for(None);
    Ok(Reply::ok(value))
}

/// Deletes a thread. Channels take a permission that the bot isn't given.
pub(super) fn delete(inner: &mut Inner, call: &Call) -> Done {
    let (channel, _) = seen(inner, call)?;
    let value = inner.discord.channel_json(channel);
    let id = channel.id;
    // "Deleting a thread requires MANAGE_THREADS", even one's own.
    match channel.kind {
        ChannelKind::Direct => Ok(Reply::ok(value)),
        _ if inner.discord.bots_permissions(channel) & may::ADMINISTRATOR == 0 => {
            Err(Refusal::of(50_013))
        }
        _ => {
            inner.remove_channel(id);
            Ok(Reply::ok(value))
        }
    }
}

/// The thread of a message; it gets the message's id.
pub(super) fn open_thread(inner: &mut Inner, call: &Call) -> Done {
    let (channel, bits) = seen(inner, call)?;
    let room = channel.id;
    match channel.kind {
        ChannelKind::Text => {}
        ChannelKind::Direct => return Err(Refusal::of(50_003)),
        ChannelKind::Thread | ChannelKind::Voice => return Err(Refusal::of(50_024)),
    }
    let name = check::name(&call.body)?;
    let id = call.id(3)?;
    let message = channel
        .messages
        .get(&id)
        .filter(|own| own.only_for.is_none());
    let message = message.ok_or_else(|| Refusal::of(10_008))?;
    if message.flags & flag::HAS_THREAD != 0 || inner.discord.channel(id).is_some() {
        return Err(Refusal::of(160_004));
    }
    if bits & may::CREATE_THREADS == 0 {
        return Err(Refusal::of(50_013));
    }
    let after = call.body.get("auto_archive_duration");
    let after = after.and_then(serde_json::Value::as_u64);
    let bot = inner.discord.application.bot;
    inner.open_thread(room, id, &name, bot);
    if let Some(thread) = inner.discord.channel_mut(id) {
        thread.archive_after = after.unwrap_or(thread.archive_after);
    }
    let thread = inner.discord.channel(id);
    let value = thread.map(|own| inner.discord.channel_json(own));
    Ok(Reply::ok(value).created().touching(room, id))
}

/// Direct messages with somebody; opened once, the same channel again after that.
pub(super) fn open_direct(inner: &mut Inner, call: &Call) -> Done {
    let wanted = call.body.get("recipient_id");
    let wanted = wanted.and_then(serde_json::Value::as_str);
    let wanted = wanted.ok_or_else(|| {
        Form::one(
            "recipient_id",
            "BASE_TYPE_REQUIRED",
            "This field is required",
        )
    })?;
    let wanted: Id = wanted.parse().map_err(|_| {
        let message = format!("Value \"{wanted}\" is not snowflake.");
        Form::one("recipient_id", "NUMBER_TYPE_COERCE", &message)
    })?;
    let known = inner.discord.members.iter().find(|own| own.id == wanted);
    match known {
        None => return Err(Refusal::of(10_013)),
        Some(own) if own.bot => return Err(Refusal::of(50_007)),
        Some(_) => {}
    }
    let now = inner.now;
    let id = inner.discord.direct(wanted, now);
    let channel = inner.discord.channel(id);
    let value = channel.map(|own| inner.discord.channel_json(own));
    inner.changed_for(Some(wanted));
    Ok(Reply::ok(value))
}
