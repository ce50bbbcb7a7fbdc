//! `auth.test`, `team.info`, `bots.info`, and the address of a Socket Mode connection.

#![expect(clippy::unnecessary_wraps, reason = "all methods have one signature")]

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    args::Args,
    reply::{ApiError, members},
};
use crate::sandbox::{
    config::Delivery,
    world::{Inner, World},
};

type Answer = Result<Map<String, Value>, ApiError>;

pub(super) fn test(_: &Arc<World>, inner: &mut Inner, _: &Args) -> Answer {
    let workspace = &inner.workspace;
    let organisation = inner.organisation();
    let installation = organisation.as_ref().unwrap_or(&workspace.team.id);
    let mut answer = members([
        (
            "url",
            json!(format!("https://{}.slack.com/", workspace.team.domain)),
        ),
        ("team", json!(workspace.team.name)),
        ("user", json!(workspace.app.name)),
        ("team_id", json!(installation)),
        ("user_id", json!(workspace.app.user_id)),
        ("bot_id", json!(workspace.app.bot_id)),
        ("is_enterprise_install", json!(organisation.is_some())),
    ]);
    if let Some(id) = organisation {
        answer.insert("enterprise_id".to_owned(), json!(id));
    }
    Ok(answer)
}

/// The workspaces of an organisation that its token may act in; of a workspace's own token, that one.
pub(super) fn teams_list(_: &Arc<World>, inner: &mut Inner, _: &Args) -> Answer {
    let team = &inner.workspace.team;
    let teams = json!([{ "id": team.id, "name": team.name }]);
    Ok(members([("teams", teams)]))
}

pub(super) fn api_test(_: &Arc<World>, _: &mut Inner, args: &Args) -> Answer {
    Ok(members([("args", args.clone().shown())]))
}

pub(super) fn team_info(_: &Arc<World>, inner: &mut Inner, _: &Args) -> Answer {
    let team = &inner.workspace.team;
    let team = json!({
        "id": team.id,
        "name": team.name,
        "domain": team.domain,
        "email_domain": "",
        "icon": { "image_default": true },
        "url": format!("https://{}.slack.com/", team.domain),
    });
    Ok(members([("team", team)]))
}

pub(super) fn bots_info(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let app = &inner.workspace.app;
    if args.text("bot").is_some_and(|bot| bot != app.bot_id) {
        return Err(ApiError::new("bot_not_found"));
    }
    let bot = json!({
        "id": app.bot_id,
        "deleted": false,
        "name": app.name,
        "updated": 1_700_000_000,
        "app_id": app.id,
        "user_id": app.user_id,
        "icons": {},
    });
    Ok(members([("bot", bot)]))
}

pub(super) fn connections_open(world: &Arc<World>, inner: &mut Inner, _: &Args) -> Answer {
    if inner.settings.delivery != Delivery::Socket {
        // What an app sees whose settings have Socket Mode switched off.
        return Err(ApiError::new("forbidden_team"));
    }
    let ticket = world.links().issue(inner.now);
    let mut url = world.base().clone();
    let secure = url.scheme() == "https";
    // Only fails for schemes without a host, and a base address has one.
    let _ = url.set_scheme(if secure { "wss" } else { "ws" });
    url.set_path("/link");
    url.query_pairs_mut()
        .append_pair("ticket", &ticket)
        .append_pair("app_id", &inner.workspace.app.id);
    Ok(members([("url", json!(url.as_str()))]))
}
