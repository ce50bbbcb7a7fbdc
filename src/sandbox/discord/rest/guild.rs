//! The guild: roles, channels, members.

use serde_json::Value;

use super::{Call, Done, Reply};
use crate::sandbox::{
    discord::{
        error::Refusal,
        state::{ChannelKind, Member},
        wire,
    },
    world::Inner,
};

/// Anything of a guild that is read.
pub(super) fn get(inner: &Inner, call: &Call, words: &[&str]) -> Done {
    let discord = &inner.discord;
    let here = discord.member_of(discord.application.bot).is_some();
    if call.id(1)? != discord.guild.id || !here {
        return Err(Refusal::of(10_004));
    }
    match words {
        [] => Ok(Reply::ok(discord.guild_json())),
        ["roles"] => Ok(Reply::ok(discord.roles_json())),
        ["channels"] => {
            let rooms = [ChannelKind::Text, ChannelKind::Voice];
            let all = discord
                .channels
                .iter()
                .filter(|own| rooms.contains(&own.kind));
            let all: Vec<Value> = all.map(|own| discord.channel_json(own)).collect();
            Ok(Reply::ok(all))
        }
        ["members"] => members(inner, call),
        ["members", "search"] => search(inner, call),
        ["members", _] => {
            let member = discord.member_of(call.id(3)?);
            let member = member.ok_or_else(|| Refusal::of(10_007))?;
            Ok(Reply::ok(wire::member(member)))
        }
        ["threads", "active"] => {
            let all = discord.channels.iter();
            let threads = all.filter(|own| own.kind == ChannelKind::Thread && !own.archived);
            let threads: Vec<Value> = threads.map(|own| discord.channel_json(own)).collect();
            Ok(Reply::ok(
                serde_json::json!({ "threads": threads, "members": [] }),
            ))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// "This endpoint is restricted according to whether the `GUILD_MEMBERS` Privileged Intent is enabled".
fn members(inner: &Inner, call: &Call) -> Done {
    if !inner.discord.application.members_intent {
        return Err(Refusal::of(50_001));
    }
    let limit = call.limit(1, 1_000)?;
    let after = call.edge("after").unwrap_or_default();
    let mut page: Vec<&Member> = inner
        .discord
        .members
        .iter()
        .filter(|own| !own.left && own.id > after)
        .collect();
    page.sort_by_key(|own| own.id);
    let page: Vec<Value> = page.into_iter().take(limit).map(wire::member).collect();
    Ok(Reply::ok(page))
}

fn search(inner: &Inner, call: &Call) -> Done {
    let limit = call.limit(1, 1_000)?;
    let wanted = call.query.get("query").map(|own| own.to_lowercase());
    let wanted = wanted.unwrap_or_default();
    let begins = |own: &&Member| {
        let names = [own.handle.to_lowercase(), own.name.to_lowercase()];
        !own.left && names.iter().any(|name| name.starts_with(&wanted))
    };
    let found = inner.discord.members.iter().filter(begins);
    let found: Vec<Value> = found.take(limit).map(wire::member).collect();
    Ok(Reply::ok(found))
}

/// One user, in the guild or not any more.
pub(super) fn user(inner: &Inner, call: &Call) -> Done {
    let id = call.id(1)?;
    let found = inner.discord.members.iter().find(|own| own.id == id);
    let found = found.ok_or_else(|| Refusal::of(10_013))?;
    Ok(Reply::ok(wire::user(found)))
}
