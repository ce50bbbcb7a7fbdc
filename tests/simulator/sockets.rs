//! Socket Mode's rules: tickets, ten connections, each payload to one of them.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::harness::{Sim, eventually};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn address(sim: &Sim) -> String {
    sim.call("apps.connections.open", json!({})).await["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Opens a connection and reads its first frame.
async fn connect(sim: &Sim) -> (Socket, Value) {
    let (mut socket, _) = connect_async(address(sim).await).await.unwrap();
    let first = next(&mut socket).await;
    (socket, first)
}

/// The next frame with text in it.
async fn next(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

async fn acknowledge(socket: &mut Socket, envelope: &Value, payload: Value) {
    let frame = json!({ "envelope_id": envelope["envelope_id"], "payload": payload });
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_ticket_opens_one_connection_while_it_is_fresh() {
    let sim = Sim::start(|_| {}).await;
    let url = address(&sim).await;
    assert!(connect_async(&url).await.is_ok());
    assert!(connect_async(&url).await.is_err(), "used");
    let url = address(&sim).await;
    sim.pass(61);
    assert!(connect_async(&url).await.is_err(), "stale");
}

#[tokio::test]
async fn each_payload_goes_to_one_connection_in_turn() {
    let sim = Sim::start(|_| {}).await;
    let (mut one, hello) = connect(&sim).await;
    assert_eq!(
        (hello["type"].as_str(), hello["num_connections"].as_u64()),
        (Some("hello"), Some(1))
    );
    let (mut two, hello) = connect(&sim).await;
    assert_eq!(hello["num_connections"], 2);

    let mut got = Vec::new();
    for text in ["a", "b"] {
        let world = std::sync::Arc::clone(&sim.world);
        let said = tokio::spawn(async move {
            world
                .say("priya", "#platform", None, &format!("/idp {text}"))
                .await
        });
        let (socket, envelope) = tokio::select! {
            envelope = next(&mut one) => (&mut one, envelope),
            envelope = next(&mut two) => (&mut two, envelope),
        };
        assert_eq!(envelope["type"], "slash_commands");
        assert_eq!(envelope["accepts_response_payload"], true);
        acknowledge(socket, &envelope, json!({ "text": format!("got {text}") })).await;
        assert_eq!(said.await.unwrap().unwrap().problem, None);
        got.push(sim.world.log().deliveries.back().unwrap().to.clone());
    }
    assert_ne!(got[0], got[1]);
    assert_eq!(sim.texts("priya", "#platform"), ["got a", "got b"]);
}

#[tokio::test]
async fn there_are_at_most_ten_connections() {
    let sim = Sim::start(|_| {}).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(connect(&sim).await.0);
    }
    let (_, first) = connect(&sim).await;
    assert_eq!(
        first,
        json!({ "type": "disconnect", "reason": "too_many_websockets", "debug_info": { "host": "sandbox" } })
    );
    drop(open.pop());
    eventually("a place", || sim.world.connections() == 9).await;
    assert_eq!(connect(&sim).await.1["type"], "hello");
}

#[tokio::test]
async fn a_connection_told_to_go_gets_nothing_new_but_may_still_acknowledge() {
    let sim = Sim::start(|_| {}).await;
    let (mut old, _) = connect(&sim).await;
    let world = std::sync::Arc::clone(&sim.world);
    let said = tokio::spawn(async move { world.say("priya", "#platform", None, "/idp").await });
    let envelope = next(&mut old).await;
    sim.world.disconnect();
    assert_eq!(next(&mut old).await["reason"], "refresh_requested");
    acknowledge(&mut old, &envelope, json!({})).await;
    assert_eq!(said.await.unwrap().unwrap().problem, None);

    let outcome = sim
        .world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    assert_eq!(
        outcome.problem.as_deref(),
        Some("/idp failed with the error \"dispatch_failed\"")
    );
}

#[tokio::test]
async fn an_app_with_request_urls_has_no_socket_mode() {
    let sim = Sim::start(|_| {}).await;
    let (mut socket, _) = connect(&sim).await;
    socket.close(None).await.unwrap();
    sim.world.change_settings(|settings| {
        let targets = vec![url::Url::parse("http://127.0.0.1:9").unwrap()];
        settings.delivery = idp::sandbox::Delivery::Http {
            targets,
            paths: idp::sandbox::Paths::default(),
        };
    });
    assert_eq!(
        sim.refused("apps.connections.open", json!({})).await,
        "forbidden_team"
    );
}
