//! `conversations.*` and `users.conversations`, with Slack's cursors.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    args::Args,
    page::page,
    reply::{ApiError, members},
};
use crate::sandbox::world::{Change, Channel, ChannelKind, Inner, Message, World};

type Answer = Result<Map<String, Value>, ApiError>;

pub(super) fn open(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    if let Some(id) = args.text("channel") {
        let channel = inner.visible(&id)?;
        return Ok(members([("channel", json!({ "id": channel.id }))]));
    }
    let users = args
        .text("users")
        .ok_or_else(|| ApiError::new("users_list_not_supplied"))?;
    let known = |id: &str| inner.workspace.people.iter().find(|person| person.id == id);
    let person = match users.split(',').collect::<Vec<_>>()[..] {
        [one] => known(one).ok_or_else(|| ApiError::new("user_not_found"))?,
        _ => return Err(ApiError::new("method_not_supported_for_channel_type")),
    };
    if person.deactivated {
        return Err(ApiError::new("user_disabled"));
    }
    let id = person.id.clone();
    let before = inner.workspace.channels.len();
    let direct = inner.open_direct(&id);
    let already = inner.workspace.channels.len() == before;
    let channel = if args.flag("return_im") {
        inner
            .channel(&direct)
            .map_or(Value::Null, |channel| inner.conversation(channel))
    } else {
        json!({ "id": direct })
    };
    let mut answer = members([("channel", channel)]);
    if already {
        answer.extend(members([
            ("no_op", json!(true)),
            ("already_open", json!(true)),
        ]));
    }
    Ok(answer)
}

pub(super) fn info(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.visible(&args.needed("channel")?)?;
    inner.scoped(channel, "read")?;
    Ok(members([("channel", inner.conversation(channel))]))
}

pub(super) fn list(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let team = args.text("team_id");
    inner.means(team.as_deref()).map_err(ApiError::new)?;
    listed(inner, args, |_| true)
}

pub(super) fn of_user(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let user = args
        .text("user")
        .unwrap_or_else(|| inner.workspace.app.user_id.clone());
    listed(inner, args, |channel| channel.has(&user))
}

fn listed(inner: &Inner, args: &Args, wanted: impl Fn(&Channel) -> bool) -> Answer {
    let types = args
        .text("types")
        .unwrap_or_else(|| "public_channel".into());
    let kinds: Vec<ChannelKind> = types
        .split(',')
        .filter_map(|kind| kind_named(kind.trim()))
        .collect();
    let bot = &inner.workspace.app.user_id;
    let open = !args.flag("exclude_archived");
    let mut channels = Vec::new();
    for channel in &inner.workspace.channels {
        let known = channel.kind == ChannelKind::Public || channel.has(bot);
        if known && kinds.contains(&channel.kind) && (open || !channel.archived) && wanted(channel)
        {
            inner.scoped(channel, "read")?;
            channels.push(inner.conversation(channel));
        }
    }
    let (channels, metadata) = page(args, channels)?;
    Ok(members([
        ("channels", channels),
        ("response_metadata", metadata),
    ]))
}

pub(super) fn members_of(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.visible(&args.needed("channel")?)?;
    inner.scoped(channel, "read")?;
    let (ids, metadata) = page(args, channel.members.iter().map(|id| json!(id)).collect())?;
    Ok(members([("members", ids), ("response_metadata", metadata)]))
}

pub(super) fn history(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.readable(args)?;
    let roots = |message: &&Message| {
        message.broadcast
            || message
                .thread_ts
                .as_ref()
                .is_none_or(|root| *root == message.ts)
    };
    let mut messages: Vec<Value> = window(channel, args)
        .filter(roots)
        .map(|message| shown(inner, channel, message, args))
        .collect();
    messages.reverse();
    answer(args, messages)
}

pub(super) fn replies(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.readable(args)?;
    let ts = args.needed("ts")?;
    let named = channel
        .messages
        .get(&ts)
        .filter(|message| message.only_for.is_none());
    let named = named.ok_or_else(|| ApiError::new("thread_not_found"))?;
    let root = named.thread_ts.clone().unwrap_or(ts);
    let of_thread =
        |message: &&Message| message.ts == root || message.thread_ts.as_deref() == Some(&root);
    let messages = window(channel, args)
        .filter(of_thread)
        .map(|message| shown(inner, channel, message, args))
        .collect();
    answer(args, messages)
}

pub(super) fn join(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let id = inner.visible(&args.needed("channel")?)?.id.clone();
    let bot = inner.workspace.app.user_id.clone();
    let channel = inner
        .channel_mut(&id)
        .ok_or_else(|| ApiError::new("channel_not_found"))?;
    if channel.kind != ChannelKind::Public {
        return Err(ApiError::new("method_not_supported_for_channel_type"));
    }
    if channel.archived {
        return Err(ApiError::new("is_archived"));
    }
    if !channel.has(&bot) {
        channel.members.push(bot);
        inner.changed(Change::Workspace);
    }
    let channel = inner
        .channel(&id)
        .map_or(Value::Null, |channel| inner.conversation(channel));
    Ok(members([("channel", channel)]))
}

fn kind_named(kind: &str) -> Option<ChannelKind> {
    match kind {
        "public_channel" => Some(ChannelKind::Public),
        "private_channel" => Some(ChannelKind::Private),
        "im" => Some(ChannelKind::Direct),
        _ => None,
    }
}

fn shown(inner: &Inner, channel: &Channel, message: &Message, args: &Args) -> Value {
    let mut wire = message.on_the_wire(inner, channel);
    if !args.flag("include_all_metadata")
        && let Some(wire) = wire.as_object_mut()
    {
        wire.remove("metadata");
    }
    wire
}

fn answer(args: &Args, messages: Vec<Value>) -> Answer {
    let (messages, metadata) = page(args, messages)?;
    let more = !metadata["next_cursor"]
        .as_str()
        .unwrap_or_default()
        .is_empty();
    Ok(members([
        ("messages", messages),
        ("has_more", json!(more)),
        ("response_metadata", metadata),
    ]))
}

/// Messages between `oldest` and `latest`, oldest first; nobody's ephemeral ones.
fn window<'a>(channel: &'a Channel, args: &Args) -> impl Iterator<Item = &'a Message> {
    let oldest = args.text("oldest").unwrap_or_default();
    let latest = args.text("latest");
    let inclusive = args.flag("inclusive");
    channel.messages.values().filter(move |message| {
        let at = message.ts.as_str();
        let after = at > oldest.as_str() || (inclusive && at == oldest);
        let before = latest
            .as_deref()
            .is_none_or(|latest| at < latest || (inclusive && at == latest));
        message.only_for.is_none() && after && before
    })
}
