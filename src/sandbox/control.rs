//! `/sim/…`: the acts and what people see, as JSON, for tests and tools that drive the simulator from outside.
//!
//! This is no part of Slack's surface: the app never calls it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    acts::{ActError, FieldEntry, NewPerson, Outcome, Press, Surface},
    config::{Delivery, Paths, RateLimits},
    world::{ChannelKind, World},
};

type Done<T> = Result<Json<T>, Refused>;

/// An act that can't be done: 422 and a sentence.
struct Refused(ActError);

impl From<ActError> for Refused {
    fn from(error: ActError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.0.to_string() });
        (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
    }
}

/// The routes under `/sim`.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/say", post(say))
        .route("/press", post(press))
        .route("/fill", post(fill))
        .route("/submit", post(submit))
        .route("/close", post(close))
        .route("/options", post(options))
        .route("/admin", post(admin))
        .route("/levers", post(levers))
        .route("/redeliver", post(redeliver))
        .route("/workspace", get(workspace))
        .route("/sidebar", get(sidebar))
        .route("/timeline", get(timeline))
        .route("/thread", get(thread))
        .route("/view", get(view))
        .route("/behind", get(behind))
        .route("/log", get(log))
}

#[derive(Deserialize)]
struct Say {
    person: String,
    channel: String,
    #[serde(default)]
    thread_ts: Option<String>,
    text: String,
}

async fn say(State(world): State<Arc<World>>, Json(act): Json<Say>) -> Done<Outcome> {
    Ok(Json(
        world
            .say(
                &act.person,
                &act.channel,
                act.thread_ts.as_deref(),
                &act.text,
            )
            .await?,
    ))
}

#[derive(Deserialize)]
struct PressBy {
    person: String,
    on: Surface,
    #[serde(default)]
    block_id: Option<String>,
    action_id: String,
    #[serde(default)]
    value: Value,
}

async fn press(State(world): State<Arc<World>>, Json(act): Json<PressBy>) -> Done<Outcome> {
    let PressBy {
        person,
        on: surface,
        block_id,
        action_id,
        value,
    } = act;
    Ok(Json(
        world
            .press(
                &person,
                &Press {
                    surface,
                    block_id,
                    action_id,
                    value,
                },
            )
            .await?,
    ))
}

#[derive(Deserialize)]
struct Form {
    person: String,
    /// By default the one on top.
    #[serde(default)]
    view: Option<String>,
    #[serde(default)]
    entries: Vec<FieldEntry>,
}

impl Form {
    fn view(&self, world: &World) -> Result<String, ActError> {
        let top = || world.open_view(&self.person).map(|view| view.id);
        self.view.clone().or_else(top).ok_or(ActError::NoView)
    }
}

async fn fill(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Value> {
    let view = world.fill(&act.person, &act.view(&world)?, &act.entries)?;
    Ok(Json(json!(view)))
}

async fn submit(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Outcome> {
    Ok(Json(
        world
            .submit(&act.person, &act.view(&world)?, &act.entries)
            .await?,
    ))
}

async fn close(State(world): State<Arc<World>>, Json(act): Json<Form>) -> Done<Outcome> {
    Ok(Json(world.close(&act.person, &act.view(&world)?).await?))
}

#[derive(Deserialize)]
struct Search {
    person: String,
    on: Surface,
    action_id: String,
    query: String,
}

async fn options(State(world): State<Arc<World>>, Json(act): Json<Search>) -> Done<Value> {
    Ok(Json(
        world
            .suggest(&act.person, &act.on, &act.action_id, &act.query)
            .await?,
    ))
}

/// What administrators and colleagues do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Admin {
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

async fn admin(State(world): State<Arc<World>>, Json(act): Json<Admin>) -> Done<Value> {
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

/// What is broken or changed on purpose; every member may be left out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pull {
    /// So many of the next deliveries are sent twice.
    deliver_twice: Option<u32>,
    /// Every Web API call is answered with 429 for so long.
    refuse_for_s: Option<i64>,
    /// Tells every socket to reconnect.
    disconnect: bool,
    kill_bot: bool,
    forge_away_s: Option<u64>,
    limits: Option<RateLimits>,
    scopes: Option<Vec<String>>,
    events: Option<Vec<String>>,
    event_retries_s: Option<Vec<u64>>,
    /// Deliver over HTTP to these from now on; an empty list means Socket Mode.
    deliver_to: Option<Vec<Url>>,
}

async fn levers(State(world): State<Arc<World>>, Json(pull): Json<Pull>) -> Done<Value> {
    let Pull {
        disconnect,
        kill_bot,
        forge_away_s,
        ..
    } = pull;
    let until = pull
        .refuse_for_s
        .map(|seconds| world.now() + TimeDelta::seconds(seconds));
    world.change_settings(|settings| {
        settings.deliver_twice = pull.deliver_twice.unwrap_or(settings.deliver_twice);
        settings.refuse_until = until.or(settings.refuse_until);
        settings.limits = pull.limits.unwrap_or(settings.limits);
        replace(&mut settings.scopes, pull.scopes);
        replace(&mut settings.events, pull.events);
        replace(&mut settings.event_retries_s, pull.event_retries_s);
        replace(&mut settings.delivery, pull.deliver_to.map(delivery));
    });
    if disconnect {
        world.disconnect();
    }
    let failed = |cause: String| Refused(ActError::Failed(cause));
    if let (true, Some(kill)) = (kill_bot, &world.levers().kill_bot) {
        kill().await.map_err(failed)?;
    }
    if let (Some(seconds), Some(away)) = (forge_away_s, &world.levers().forge_away) {
        away(Duration::from_secs(seconds)).await.map_err(failed)?;
    }
    Ok(Json(json!({ "ok": true, "settings": world.settings() })))
}

fn replace<T>(setting: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *setting = new;
    }
}

fn delivery(targets: Vec<Url>) -> Delivery {
    if targets.is_empty() {
        Delivery::Socket
    } else {
        Delivery::Http {
            targets,
            paths: Paths::default(),
        }
    }
}

#[derive(Deserialize)]
struct Redeliver {
    id: u64,
}

async fn redeliver(State(world): State<Arc<World>>, Json(act): Json<Redeliver>) -> Done<Value> {
    Ok(Json(json!({ "id": world.redeliver(act.id).await? })))
}

async fn workspace(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({
        "team": world.team(),
        "app": world.app(),
        "people": world.people(),
        "groups": world.groups(),
        "settings": world.settings(),
        "connections": world.connections(),
    }))
}

#[derive(Deserialize)]
struct Seen {
    person: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

async fn sidebar(State(world): State<Arc<World>>, Query(seen): Query<Seen>) -> Json<Value> {
    Json(json!(world.sidebar(&seen.person)))
}

async fn timeline(State(world): State<Arc<World>>, Query(seen): Query<Seen>) -> Done<Value> {
    Ok(Json(json!(world.timeline(&seen.person, &seen.channel)?)))
}

async fn thread(State(world): State<Arc<World>>, Query(seen): Query<Seen>) -> Done<Value> {
    Ok(Json(json!(world.thread(
        &seen.person,
        &seen.channel,
        &seen.ts
    )?)))
}

async fn view(State(world): State<Arc<World>>, Query(seen): Query<Seen>) -> Json<Value> {
    Json(json!(world.open_view(&seen.person)))
}

#[derive(Deserialize)]
struct About {
    channel: String,
    ts: String,
}

async fn behind(State(world): State<Arc<World>>, Query(about): Query<About>) -> Done<Value> {
    Ok(Json(json!(
        world
            .behind(&about.channel, &about.ts)
            .ok_or(ActError::NoMessage)?
    )))
}

async fn log(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!(world.log()))
}
