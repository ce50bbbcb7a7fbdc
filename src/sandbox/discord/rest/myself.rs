//! Who the token is of: user, application, guilds, gateway, commands.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::{Call, Done, Reply};
use crate::sandbox::{
    discord::{
        check,
        error::{Form, Refusal},
        gateway_url, wire,
    },
    world::{Change, Inner, World},
};

pub(super) fn user(inner: &Inner) -> Reply {
    let bot = inner.discord.application.bot;
    let bot = inner.discord.members.iter().find(|own| own.id == bot);
    Reply::ok(bot.map(wire::user))
}

pub(super) fn application(world: &World, inner: &Inner) -> Reply {
    let endpoint = inner.live.endpoints.first().map(Url::as_str);
    Reply::ok(
        inner
            .discord
            .application_json(endpoint, &world.discord_key()),
    )
}

/// Saving the endpoint: Discord tries it before it takes it.
pub(super) async fn change(world: &Arc<World>, call: &Call) -> Done {
    match call.body.get("interactions_endpoint_url") {
        None => {}
        Some(Value::Null) => world.with(|inner| inner.live.endpoints.clear()),
        Some(address) => {
            let place = "interactions_endpoint_url";
            let text = address.as_str().unwrap_or_default();
            let url = Url::parse(text)
                .map_err(|_| Form::one(place, "URL_TYPE_INVALID_URL", "Not a well formed URL."))?;
            world.probe(url.as_str()).await.map_err(|why| {
                let message = format!("Validation failed. The specified interactions endpoint url could not be verified: {why}");
                Form::one(place, "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID", &message)
            })?;
            world.with(|inner| {
                inner.live.verified.insert(url.as_str().to_owned());
                inner.live.endpoints = vec![url];
                inner.changed(Change::Workspace);
            });
        }
    }
    Ok(world.with(|inner| application(world, inner)))
}

pub(super) fn guilds(inner: &Inner, call: &Call) -> Done {
    call.limit(200, 200)?;
    let discord = &inner.discord;
    let guild = &discord.guild;
    let behind = call.edge("after").is_some_and(|after| guild.id <= after);
    let bot = discord.member_of(discord.application.bot);
    let Some(bot) = bot.filter(|_| !behind) else {
        return Ok(Reply::ok(json!([])));
    };
    Ok(Reply::ok(json!([{
        "id": guild.id, "name": guild.name, "icon": null, "banner": null, "owner": false, "features": [],
        "permissions": discord.permissions(bot).to_string(),
    }])))
}

pub(super) fn gateway(world: &World) -> Reply {
    Reply::ok(json!({ "url": gateway_url(world) }))
}

pub(super) fn gateway_bot(world: &World) -> Reply {
    Reply::ok(json!({
        "url": gateway_url(world), "shards": 1,
        "session_start_limit": { "total": 1_000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1 },
    }))
}

pub(super) fn commands(inner: &Inner, call: &Call) -> Done {
    ours(inner, call)?;
    Ok(Reply::ok(inner.discord.commands.clone()))
}

/// Overwrites all commands.
pub(super) fn register(inner: &mut Inner, call: &Call) -> Done {
    ours(inner, call)?;
    check::commands(&call.body)?;
    let wanted = call.body.as_array().cloned().unwrap_or_default();
    let application = inner.discord.application.id;
    let mut commands = Vec::new();
    for mut command in wanted {
        let now = inner.now;
        let stands = inner.discord.commands.iter();
        let id = stands
            .clone()
            .find(|own| own.get("name") == command.get("name"))
            .and_then(|own| own.get("id").cloned());
        let id = id.unwrap_or_else(|| inner.discord.next_id(now).into());
        let defaults = json!({
            "type": 1, "default_member_permissions": null, "dm_permission": true, "nsfw": false,
            "integration_types": [0], "contexts": null, "name_localizations": null, "description_localizations": null,
        });
        if let (Some(command), Value::Object(defaults)) = (command.as_object_mut(), defaults) {
            for (name, value) in defaults {
                command.entry(name).or_insert(value);
            }
            command.insert("id".into(), id);
            command.insert("application_id".into(), application.into());
            command.insert("version".into(), inner.discord.next_id(now).into());
            without_defaults(command);
        }
        commands.push(command);
    }
    check::kept_commands(&commands)?;
    inner.discord.commands.clone_from(&commands);
    inner.changed_for(None);
    Ok(Reply::ok(commands))
}

/// Options come back without what is the default anyway.
fn without_defaults(command: &mut serde_json::Map<String, Value>) {
    for name in ["required", "autocomplete"] {
        if command.get(name) == Some(&Value::Bool(false)) {
            command.remove(name);
        }
    }
    if let Some(Value::Array(options)) = command.get_mut("options") {
        for option in options.iter_mut().filter_map(Value::as_object_mut) {
            without_defaults(option);
        }
    }
}

fn ours(inner: &Inner, call: &Call) -> Result<(), Refusal> {
    if call.id(1)? == inner.discord.application.id {
        Ok(())
    } else {
        Err(Refusal::of(20_012))
    }
}
