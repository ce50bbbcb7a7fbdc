//! Tells a page of changes that concern it, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use super::place::Place;
use crate::sandbox::world::{Change, World};

/// Proxies and browsers drop a silent connection after half a minute or so.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The changes that this person can see, from now on.
pub(super) async fn stream(
    State(world): State<Arc<World>>,
    Query(place): Query<Place>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let named = place.person;
    let me = named
        .as_deref()
        .and_then(|name| world.person(name))
        .map(|person| person.id);
    let changes = BroadcastStream::new(world.subscribe());
    // The page was drawn before it listened: the first event makes it look once more.
    let first = futures_util::stream::iter([json!({ "kind": "hello" })]);
    let told = changes.filter_map(move |change| {
        let told = match change {
            Ok(change) => told(&change, me.as_deref(), named.as_deref()),
            Err(BroadcastStreamRecvError::Lagged(_)) => Some(json!({ "kind": "hello" })),
        };
        std::future::ready(told)
    });
    let events = first
        .chain(told)
        .map(|value| Ok(Event::default().data(value.to_string())));
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

/// Slack names people by their ids, Discord's half by their handles.
fn told(change: &Change, me: Option<&str>, handle: Option<&str>) -> Option<Value> {
    let nobody = me.is_none() && handle.is_none();
    let mine = |person: &String| nobody || [me, handle].contains(&Some(person.as_str()));
    let concerns = match change {
        Change::Message { only_for, .. } | Change::Discord { only_for } => {
            only_for.as_ref().is_none_or(mine)
        }
        Change::View { person } | Change::Notice { person, .. } => mine(person),
        Change::Workspace | Change::Log { .. } => true,
    };
    concerns.then(|| json!(change))
}
