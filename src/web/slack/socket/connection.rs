//! One Socket Mode connection, from `hello` to its end.

use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::super::Edge;
use super::super::act::Ack;
use super::Times;
use crate::chat::slack::parse::{Parsed, parse};
use crate::chat::slack::verify::Verified;

/// Envelopes worked on at once; more wait unread, which Slack sees.
const AT_ONCE: usize = 128;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection is to be replaced.
#[derive(Debug)]
pub(super) enum Over {
    /// Slack wants a new one; the old one drains.
    Refresh,
    /// It ended, or can't be used.
    Lost(String),
    /// We were told to stop.
    Stopped,
}

/// A connection that has been greeted.
pub(super) struct Connection {
    edge: Arc<Edge>,
    write: SplitSink<Socket, Message>,
    read: SplitStream<Socket>,
    times: Times,
    stop: CancellationToken,
}

/// What goes on in a connection.
enum Heard {
    Nothing,
    Over(Over),
}

impl Connection {
    /// Connects and waits for `hello`.
    pub(super) async fn open(
        edge: Arc<Edge>,
        address: &Url,
        times: Times,
        stop: CancellationToken,
    ) -> Result<Self, String> {
        let (socket, _) = timeout(times.greeting, connect_async(address.as_str()))
            .await
            .map_err(|_| "connecting took too long".to_owned())?
            .map_err(|error| format!("connecting failed: {error}"))?;
        let (write, mut read) = socket.split();
        loop {
            let message = timeout(times.greeting, read.next())
                .await
                .map_err(|_| "no hello came".to_owned())?
                .ok_or_else(|| "the connection ended before hello".to_owned())?
                .map_err(|error| error.to_string())?;
            let Some(word) = text(&message) else { continue };
            match word.get("type").and_then(Value::as_str) {
                Some("hello") => break,
                Some("disconnect") => return Err(reason(&word)),
                _ => {}
            }
        }
        Ok(Self {
            edge,
            write,
            read,
            times,
            stop,
        })
    }

    /// Reads and answers until the end. Tells `over` once that another connection is wanted.
    pub(super) async fn serve(mut self, over: mpsc::Sender<Over>) {
        let (acks, mut outbox) = mpsc::channel::<String>(AT_ONCE);
        let work = TaskTracker::new();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let times = self.times;
        let mut ping = interval_at(Instant::now() + times.ping, times.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        let mut drained_at: Option<Instant> = None;
        let stop = self.stop.clone();

        let end = loop {
            let deadline = drained_at.unwrap_or(heard_at + times.silence);
            tokio::select! {
                () = stop.cancelled() => break Over::Stopped,
                () = tokio::time::sleep_until(deadline) => break Over::Lost("Slack fell silent".to_owned()),
                Some(ack) = outbox.recv() => {
                    if let Err(error) = self.write.send(Message::text(ack)).await {
                        break Over::Lost(error.to_string());
                    }
                }
                _ = ping.tick() => {
                    if let Err(error) = self.write.send(Message::Ping(Vec::new().into())).await {
                        break Over::Lost(error.to_string());
                    }
                }
                message = self.read.next() => {
                    let message = match message {
                        Some(Ok(message)) => message,
                        Some(Err(error)) => break Over::Lost(error.to_string()),
                        None => break Over::Lost("the connection ended".to_owned()),
                    };
                    heard_at = Instant::now();
                    match self.hear(&message, &acks, &work, &places).await {
                        Heard::Nothing => {}
                        Heard::Over(Over::Refresh) => {
                            // Slack may warn first and insist later: one successor is enough.
                            if drained_at.is_none() {
                                drained_at = Some(Instant::now() + times.drain);
                                tell(&over, Over::Refresh);
                            }
                        }
                        Heard::Over(other) => break other,
                    }
                }
            }
        };
        if drained_at.is_none() {
            tell(&over, end);
        }
        drop(acks);
        self.last_words(outbox, &work).await;
    }

    /// Lets work under way end and sends its acknowledgements, while the other side still takes them.
    async fn last_words(mut self, mut outbox: mpsc::Receiver<String>, work: &TaskTracker) {
        work.close();
        let last_words = self.times.last_words;
        let sending = async {
            while let Some(ack) = outbox.recv().await {
                if self.write.send(Message::text(ack)).await.is_err() {
                    return;
                }
            }
            // The other side may be gone already.
            let _ = self.write.close().await;
        };
        if timeout(last_words, sending).await.is_err() {
            tracing::warn!(
                "Left a Socket Mode connection with work under way; Slack delivers it again"
            );
        }
    }

    async fn hear(
        &mut self,
        message: &Message,
        acks: &mpsc::Sender<String>,
        work: &TaskTracker,
        places: &Arc<Semaphore>,
    ) -> Heard {
        if let Message::Close(frame) = message {
            let why = frame
                .as_ref()
                .map_or_else(String::new, |frame| format!(": {}", frame.reason));
            return Heard::Over(Over::Lost(format!("Slack closed the connection{why}")));
        }
        let Some(said) = text(message) else {
            return Heard::Nothing;
        };
        match said.get("type").and_then(Value::as_str) {
            Some("disconnect") => {
                let why = reason(&said);
                tracing::info!(why, "Slack asks for another Socket Mode connection");
                // `warning` and `refresh_requested` want a successor; the rest is an end.
                return match said.get("reason").and_then(Value::as_str) {
                    Some("link_disabled" | "too_many_websockets") => Heard::Over(Over::Lost(why)),
                    _ => Heard::Over(Over::Refresh),
                };
            }
            Some("hello") | None => return Heard::Nothing,
            Some(_) => {}
        }
        // Closed never happens: nobody closes the semaphore.
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return Heard::Nothing;
        };
        let edge = Arc::clone(&self.edge);
        let acks = acks.clone();
        work.spawn(async move {
            if let Some(ack) = take(&edge, said).await {
                // The connection may have ended meanwhile: Slack delivers again, and the inbox knows it.
                let _ = acks.send(ack).await;
            }
            drop(place);
        });
        Heard::Nothing
    }
}

/// Each connection tells this once, and whoever listens is gone only when all of us stop.
fn tell(over: &mpsc::Sender<Over>, what: Over) {
    if over.try_send(what).is_err() {
        tracing::debug!("Nobody asks any more why a Socket Mode connection is over");
    }
}

/// Acts on an envelope and gives its acknowledgement; none where Slack is to deliver it again.
async fn take(edge: &Arc<Edge>, mut envelope: Value) -> Option<String> {
    let id = envelope.get("envelope_id")?.as_str()?.to_owned();
    let kind = envelope.get("type")?.as_str()?.to_owned();
    let answers = envelope.get("accepts_response_payload") == Some(&Value::Bool(true));
    let payload = envelope
        .get_mut("payload")
        .map(Value::take)
        .unwrap_or_default();
    let body = match parse(Verified::from_socket(kind, payload)) {
        Ok(Parsed::Inbound(inbound)) => match edge.act(*inbound).await {
            Ack::Taken(body) => body,
            Ack::DeliverAgain => return None,
        },
        Ok(Parsed::Challenge(_) | Parsed::Ping) | Err(_) => None,
    };
    let ack = match body.filter(|_| answers) {
        Some(payload) => json!({ "envelope_id": id, "payload": payload }),
        None => json!({ "envelope_id": id }),
    };
    Some(ack.to_string())
}

fn text(message: &Message) -> Option<Value> {
    serde_json::from_str(message.to_text().ok().filter(|_| message.is_text())?).ok()
}

fn reason(word: &Value) -> String {
    match word.get("reason").and_then(Value::as_str) {
        Some("link_disabled") => {
            "Socket Mode is switched off in the app's settings (link_disabled)".to_owned()
        }
        Some("too_many_websockets") => {
            "the app has ten connections already (too_many_websockets)".to_owned()
        }
        Some(reason) => reason.to_owned(),
        None => "no reason given".to_owned(),
    }
}
