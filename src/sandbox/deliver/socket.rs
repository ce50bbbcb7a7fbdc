//! Socket Mode: envelopes over web sockets that the app opened with a ticket.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{ACK_WITHIN, Ack, Failure, Parcel, Sent, links::Order};
use crate::sandbox::world::{Change, DeliveryKind, World};

/// How often the server pings; Slack's clients give up after 30 s without one.
const PING_EVERY: Duration = Duration::from_secs(10);
/// "Connections are refreshed about once an hour."
const CONNECTION_LIFE: Duration = Duration::from_hours(1);
/// How long an app may still acknowledge on a connection that it was told to leave.
const GRACE: Duration = Duration::from_secs(10);

/// Sends an envelope and waits for its acknowledgement.
pub(super) async fn push(world: &World, parcel: &Parcel) -> (Sent, Result<Ack, Failure>) {
    let envelope_id = uuid::Builder::from_random_bytes(rand::random())
        .into_uuid()
        .to_string();
    let kind = match parcel.kind {
        DeliveryKind::Command => "slash_commands",
        DeliveryKind::Event => "events_api",
        DeliveryKind::BlockActions
        | DeliveryKind::ViewSubmission
        | DeliveryKind::ViewClosed
        | DeliveryKind::BlockSuggestion => "interactive",
    };
    let mut envelope = json!({
        "envelope_id": envelope_id,
        "payload": parcel.payload,
        "type": kind,
        "accepts_response_payload": parcel.kind != DeliveryKind::Event,
    });
    if parcel.kind == DeliveryKind::Event {
        envelope["retry_attempt"] = json!(parcel.retry.map_or(0, |retry| retry.number));
        envelope["retry_reason"] = json!(parcel.retry.map_or("", |retry| retry.reason));
    }
    let frame = envelope.to_string();
    let Some((link, ack)) = world.links().send(&envelope_id, &frame) else {
        let sent = Sent {
            to: String::new(),
            headers: Vec::new(),
            body: frame,
        };
        return (sent, Err(Failure::Unreachable("no open connection".into())));
    };
    let sent = Sent {
        to: format!("socket {link}"),
        headers: Vec::new(),
        body: frame,
    };
    let Ok(Ok(payload)) = timeout(ACK_WITHIN, ack).await else {
        world.links().give_up(&envelope_id);
        return (sent, Err(Failure::TimedOut));
    };
    let empty = payload.is_null() || payload.as_object().is_some_and(Map::is_empty);
    let body = if empty {
        String::new()
    } else {
        payload.to_string()
    };
    let json = Some(payload).filter(|payload| payload.is_object() && !empty);
    (
        sent,
        Ok(Ack {
            status: 200,
            body,
            json,
            no_retry: false,
        }),
    )
}

/// `GET /link?ticket=…`: the address that `apps.connections.open` gave out.
pub(in crate::sandbox) async fn connect(
    State(world): State<Arc<World>>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let ticket = query.get("ticket").map(String::as_str).unwrap_or_default();
    if !world.links().redeem(ticket, world.now()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| serve(world, socket))
}

async fn serve(world: Arc<World>, mut socket: WebSocket) {
    let (orders, mut inbox) = mpsc::unbounded_channel();
    let Some((id, count)) = world.links().join(orders) else {
        let _ = socket.send(disconnect("too_many_websockets")).await;
        let _ = socket.send(Message::Close(None)).await;
        return;
    };
    let hello = json!({
        "type": "hello",
        "num_connections": count,
        "debug_info": { "host": "sandbox", "started": world.now(), "build_number": 1, "approximate_connection_time": CONNECTION_LIFE.as_secs() },
        "connection_info": { "app_id": world.app().id },
    });
    // Pages say whether the app is connected.
    world.with(|inner| inner.changed(Change::Workspace));
    if socket.send(Message::text(hello.to_string())).await.is_ok() {
        talk(&world, id, &mut socket, &mut inbox).await;
    }
    world.links().leave(id);
    world.with(|inner| inner.changed(Change::Workspace));
}

/// Carries frames both ways until one side ends it.
async fn talk(
    world: &World,
    id: u64,
    socket: &mut WebSocket,
    inbox: &mut mpsc::UnboundedReceiver<Order>,
) {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let mut refresh_at = Instant::now() + CONNECTION_LIFE;
    let mut close_at = None;
    loop {
        let end = close_at.unwrap_or(refresh_at);
        let outgoing = tokio::select! {
            order = inbox.recv() => match order {
                Some(Order::Text(frame)) => Message::text(frame),
                Some(Order::Refresh(reason)) => {
                    close_at = Some(Instant::now() + GRACE);
                    disconnect(reason)
                }
                None => return,
            },
            frame = socket.recv() => {
                heard = Instant::now();
                match frame {
                    Some(Ok(Message::Text(text))) => acknowledge(world, text.as_str()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                }
                continue;
            }
            _ = pings.tick() => {
                if heard.elapsed() > PING_EVERY * 3 {
                    return;
                }
                Message::Ping("Ping from sandbox".into())
            }
            () = sleep_until(end) => {
                if close_at.is_some() {
                    let _ = socket.send(Message::Close(None)).await;
                    return;
                }
                refresh_at = Instant::now() + CONNECTION_LIFE;
                world.links().refresh(Some(id), "refresh_requested");
                continue;
            }
        };
        if socket.send(outgoing).await.is_err() {
            return;
        }
    }
}

fn acknowledge(world: &World, text: &str) {
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        return;
    };
    if let Some(id) = frame.get("envelope_id").and_then(Value::as_str) {
        world
            .links()
            .acknowledge(id, frame.get("payload").cloned().unwrap_or(Value::Null));
    }
}

fn disconnect(reason: &str) -> Message {
    let frame =
        json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "sandbox" } });
    Message::text(frame.to_string())
}
