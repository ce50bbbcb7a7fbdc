//! What administrators and colleagues do, as one JSON object: `{"archive": {"channel": "#platform"}}`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Done;
use crate::sandbox::{
    acts::NewPerson,
    world::{ChannelKind, World},
};

/// What administrators and colleagues do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Admin {
    Archive {
        channel: String,
    },
    Unarchive {
        channel: String,
    },
    Kick {
        channel: String,
        who: String,
    },
    Invite {
        channel: String,
        who: String,
    },
    NewChannel {
        name: String,
        kind: ChannelKind,
        #[serde(default)]
        shared: bool,
        members: Vec<String>,
    },
    Join(NewPerson),
    DeleteMessage {
        channel: String,
        ts: String,
    },
    Deactivate {
        person: String,
    },
    Activate {
        person: String,
    },
    GroupAdd {
        group: String,
        person: String,
    },
    GroupRemove {
        group: String,
        person: String,
    },
    RenameGroup {
        group: String,
        handle: String,
    },
    RevokeToken,
    RestoreToken,
}

pub(super) async fn admin(State(world): State<Arc<World>>, Json(act): Json<Admin>) -> Done<Value> {
    let mut id = None;
    match act {
        Admin::Archive { channel } => world.archive(&channel, true)?,
        Admin::Unarchive { channel } => world.archive(&channel, false)?,
        Admin::Kick { channel, who } => world.kick(&channel, &who)?,
        Admin::Invite { channel, who } => world.invite(&channel, &who)?,
        Admin::NewChannel {
            name,
            kind,
            shared,
            members,
        } => {
            id = Some(world.new_channel(&name, kind, shared, &members)?);
        }
        Admin::Join(person) => id = Some(world.join(person)),
        Admin::DeleteMessage { channel, ts } => world.delete_message(&channel, &ts)?,
        Admin::Deactivate { person } => world.deactivate(&person, true)?,
        Admin::Activate { person } => world.deactivate(&person, false)?,
        Admin::GroupAdd { group, person } => world.group_member(&group, &person, true)?,
        Admin::GroupRemove { group, person } => world.group_member(&group, &person, false)?,
        Admin::RenameGroup { group, handle } => world.rename_group(&group, &handle)?,
        Admin::RevokeToken => world.revoke_token(true),
        Admin::RestoreToken => world.revoke_token(false),
    }
    Ok(Json(json!({ "ok": true, "id": id })))
}
