//! The gateway, frame by frame: what discord.js hides behind its own patience.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{APPLICATION, TOKEN, calm};
use crate::simulator::harness::Sim;

const GUILDS: u64 = 1;
const MEMBERS: u64 = 1 << 1;
const CONTENT: u64 = 1 << 15;

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connected, its hello read.
    async fn open(sim: &Sim) -> Self {
        let told = sim.done("GET", "gateway/bot", Value::Null).await;
        let url = format!("{}/?v=10&encoding=json", told["url"].as_str().unwrap());
        let (socket, _) = connect_async(url).await.unwrap();
        let mut socket = Self(socket);
        assert_eq!(socket.next().await["op"], 10);
        socket
    }

    async fn send(&mut self, op: u64, data: Value) {
        let frame = json!({ "op": op, "d": data }).to_string();
        self.0.send(Message::text(frame)).await.unwrap();
    }

    async fn identify(&mut self, intents: u64) {
        let properties = json!({ "os": "linux", "browser": "x", "device": "x" });
        self.send(
            2,
            json!({ "token": TOKEN, "intents": intents, "properties": properties }),
        )
        .await;
    }

    /// Reads on until the other side is gone.
    async fn ends(mut self) {
        while self.0.next().await.is_some() {}
    }

    /// The next frame; a close is `{"close": CODE}`.
    async fn next(&mut self) -> Value {
        let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
        match next.await.unwrap() {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Close(Some(frame)))) => json!({ "close": u16::from(frame.code) }),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_begins_with_who_and_what_there_is() {
    let sim = calm().await;
    let mut socket = Socket::open(&sim).await;
    socket.send(1, Value::Null).await;
    assert_eq!(socket.next().await["op"], 11);
    socket.identify(GUILDS | MEMBERS).await;
    let ready = socket.next().await;
    assert_eq!((&ready["t"], &ready["s"]), (&json!("READY"), &json!(1)));
    assert_eq!(ready["d"]["application"]["id"], APPLICATION);
    let guild = socket.next().await;
    assert_eq!(guild["t"], "GUILD_CREATE");
    assert_eq!(guild["d"]["member_count"], 8);
    sim.acts(
        "admin",
        json!({ "take_role": { "person": "alex", "role": "Payments Leads" } }),
    )
    .await;
    assert_eq!(socket.next().await["t"], "GUILD_MEMBER_UPDATE");
    socket.send(99, Value::Null).await;
    assert_eq!(socket.next().await["close"], 4_001);
}

#[tokio::test]
async fn who_may_not_come_in_is_told_by_the_code() {
    let sim = calm().await;
    let mut socket = Socket::open(&sim).await;
    socket
        .send(2, json!({ "token": "wrong", "intents": 1 }))
        .await;
    assert_eq!(socket.next().await["close"], 4_004);
    let mut socket = Socket::open(&sim).await;
    socket.identify(CONTENT).await;
    assert_eq!(socket.next().await["close"], 4_014, "an intent that is off");
    let mut socket = Socket::open(&sim).await;
    socket.identify(1 << 40).await;
    assert_eq!(socket.next().await["close"], 4_013);
    let mut socket = Socket::open(&sim).await;
    socket.send(3, json!({})).await;
    assert_eq!(socket.next().await["close"], 4_003);
    let mut socket = Socket::open(&sim).await;
    socket.identify(GUILDS).await;
    socket.next().await;
    socket.next().await;
    socket.identify(GUILDS).await;
    assert_eq!(socket.next().await["close"], 4_005);
}

#[tokio::test]
async fn what_happened_meanwhile_is_told_to_who_resumes() {
    let sim = calm().await;
    let mut socket = Socket::open(&sim).await;
    socket.identify(GUILDS | MEMBERS).await;
    let ready = socket.next().await;
    let session = ready["d"]["session_id"].clone();
    let seen = socket.next().await["s"].clone();
    sim.acts("levers", json!({ "reconnect": true })).await;
    assert_eq!(socket.next().await["op"], 7);
    assert_eq!(socket.next().await["close"], 4_000);
    sim.acts(
        "admin",
        json!({ "take_role": { "person": "alex", "role": "Payments Leads" } }),
    )
    .await;
    let mut socket = Socket::open(&sim).await;
    socket
        .send(
            6,
            json!({ "token": TOKEN, "session_id": session, "seq": seen }),
        )
        .await;
    assert_eq!(socket.next().await["t"], "GUILD_MEMBER_UPDATE");
    assert_eq!(socket.next().await["t"], "RESUMED");
    sim.acts("levers", json!({ "invalidate": true })).await;
    assert_eq!(
        socket.next().await,
        json!({ "op": 9, "d": false, "s": null, "t": null })
    );
    let mut socket = Socket::open(&sim).await;
    socket
        .send(6, json!({ "token": TOKEN, "session_id": "gone", "seq": 1 }))
        .await;
    assert_eq!(socket.next().await["op"], 9);
}

#[tokio::test]
async fn who_resumes_over_another_connection_is_heard_there_alone() {
    let sim = calm().await;
    let mut old = Socket::open(&sim).await;
    old.identify(GUILDS | MEMBERS).await;
    let session = old.next().await["d"]["session_id"].clone();
    let seen = old.next().await["s"].clone();
    let mut new = Socket::open(&sim).await;
    let resume = json!({ "token": TOKEN, "session_id": session, "seq": seen });
    new.send(6, resume).await;
    assert_eq!(new.next().await["t"], "RESUMED");
    assert_eq!(old.next().await["close"], 4_000);
    // Its end is not the session's.
    old.ends().await;
    sim.acts(
        "admin",
        json!({ "take_role": { "person": "alex", "role": "Payments Leads" } }),
    )
    .await;
    assert_eq!(new.next().await["t"], "GUILD_MEMBER_UPDATE");
}

#[tokio::test]
async fn interactions_come_over_it_and_are_answered_by_a_call() {
    let sim = calm().await;
    let command = json!([{ "name": "idp", "description": "Ask" }]);
    sim.done(
        "PUT",
        &format!("applications/{APPLICATION}/commands"),
        command,
    )
    .await;
    let mut socket = Socket::open(&sim).await;
    socket.identify(0).await;
    socket.next().await;
    let act = json!({ "person": "kai", "channel": "platform", "text": "/idp" });
    let answers = async {
        let event = socket.next().await;
        assert_eq!(event["t"], "INTERACTION_CREATE");
        let own = &event["d"];
        let path = format!(
            "interactions/{}/{}/callback",
            own["id"].as_str().unwrap(),
            own["token"].as_str().unwrap()
        );
        let answer = json!({ "type": 4, "data": { "content": "Here" } });
        assert_eq!(sim.rest_as(None, "POST", &path, answer).await.status, 204);
    };
    let (outcome, ()) = tokio::join!(sim.acts("say", act), answers);
    assert!(outcome["problem"].is_null(), "{outcome}");
    assert_eq!(sim.reads("kai", "platform").await, ["Here"]);
}
