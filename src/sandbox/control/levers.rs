//! What is broken or changed on purpose: limits, scopes, refusals, the bot's life.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Done, Refused};
use crate::sandbox::{
    acts::ActError,
    config::{Delivery, Paths, RateLimits},
    world::World,
};

/// Every member may be left out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pull {
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
    /// Installs the app for the whole organisation, or for this workspace alone.
    organisation: Option<bool>,
    /// Deliver over HTTP to these from now on; an empty list means Socket Mode.
    deliver_to: Option<Vec<Url>>,
}

pub(super) async fn levers(State(world): State<Arc<World>>, Json(pull): Json<Pull>) -> Done<Value> {
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
        settings.organisation = pull.organisation.unwrap_or(settings.organisation);
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
    let missing = || failed("Nobody handed this lever in.".into());
    if kill_bot {
        let kill = world.levers().kill_bot.as_ref().ok_or_else(missing)?;
        kill().await.map_err(failed)?;
    }
    if let Some(seconds) = forge_away_s {
        let away = world.levers().forge_away.as_ref().ok_or_else(missing)?;
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
