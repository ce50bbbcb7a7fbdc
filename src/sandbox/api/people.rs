//! `users.*` and `usergroups.*`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    args::Args,
    page::page,
    reply::{ApiError, members},
};
use crate::sandbox::world::{Inner, Person, PersonKind, World};

type Answer = Result<Map<String, Value>, ApiError>;

pub(super) fn info(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let id = args.needed("user")?;
    if id == inner.workspace.app.user_id {
        return Ok(members([("user", inner.bot_user())]));
    }
    let person = inner.workspace.people.iter().find(|person| person.id == id);
    let person = person.ok_or_else(|| ApiError::new("user_not_found"))?;
    Ok(members([("user", inner.colleague(person))]))
}

pub(super) fn list(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    // People of other companies are known by `users.info` alone.
    let own = |person: &&Person| person.kind != PersonKind::Outsider;
    let mut users: Vec<Value> = inner
        .workspace
        .people
        .iter()
        .filter(own)
        .map(|person| inner.colleague(person))
        .collect();
    users.push(inner.bot_user());
    let (users, metadata) = page(args, users)?;
    Ok(members([
        ("members", users),
        ("cache_ts", json!(inner.now.timestamp())),
        ("response_metadata", metadata),
    ]))
}

pub(super) fn groups(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let team = args.text("team_id");
    inner.means(team.as_deref()).map_err(ApiError::new)?;
    let with_users = args.flag("include_users");
    let disabled_too = args.flag("include_disabled");
    let groups: Vec<Value> = inner
        .workspace
        .groups
        .iter()
        .filter(|group| disabled_too || !group.disabled)
        .map(|group| inner.usergroup(group, with_users))
        .collect();
    Ok(members([("usergroups", json!(groups))]))
}

pub(super) fn group_users(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let id = args.needed("usergroup")?;
    let group = inner.workspace.groups.iter().find(|group| group.id == id);
    let group = group.ok_or_else(|| ApiError::new("no_such_subteam"))?;
    Ok(members([("users", json!(group.members))]))
}
