//! One connection to the gateway: what is heard there until it is over.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use twilight_gateway::error::ReceiveMessageErrorType;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{CloseFrame, Message, Shard, ShardState};

use super::super::Edge;
use super::Times;
use super::answer::Waiting;
use super::heard::Heard;
use super::shard::Over;
use super::standing::{Id, Standing};
use crate::chat::discord::parse::is_wanted;
use crate::chat::discord::verify::Dispatch;

/// A connection, which heartbeats and introduces itself.
pub(super) type Line = Shard<InMemoryQueue>;

/// What a connection is served with.
pub(super) struct Connection<'a> {
    pub(super) edge: &'a Arc<Edge>,
    pub(super) times: Times,
    /// Where events go that are learned from.
    pub(super) events: &'a mpsc::Sender<Waiting>,
    /// Where it is noted how far was heard.
    pub(super) heard: &'a Arc<Heard>,
    pub(super) shard: Id,
    pub(super) standing: &'a Standing,
}

impl Connection<'_> {
    /// Hears what is said until the connection is over.
    pub(super) async fn listen(&self, line: &mut Line, stop: &CancellationToken) -> Over {
        let (mut is_in, mut was_in) = (false, false);
        let mut deadline = Instant::now() + self.times.greeting;
        loop {
            let said = tokio::select! {
                said = line.next() => said,
                () = stop.cancelled() => {
                    self.leave(line).await;
                    return Over::Stopped;
                }
                () = tokio::time::sleep_until(deadline), if !is_in => {
                    return Over::Lost("no greeting came".to_owned(), was_in);
                }
            };
            match said {
                Some(Ok(Message::Text(text))) => self.hear(&text, line),
                Some(Ok(Message::Close(frame))) => {
                    return closed(frame.map(|frame| frame.code), was_in);
                }
                Some(Err(error)) => match error.kind() {
                    // What it said stays out of the log.
                    ReceiveMessageErrorType::Deserializing { .. } => {
                        tracing::debug!("Discord's gateway said something unheard of");
                    }
                    _ => return Over::Lost("connecting failed".to_owned(), was_in),
                },
                None => return Over::Refused("Discord closed the connection for good".to_owned()),
            }
            let now_in = line.state() == ShardState::Active;
            if now_in && !is_in {
                was_in = true;
                self.standing.works(self.shard);
                tracing::info!(shard = self.shard.0, "Connected to Discord's gateway");
            } else if is_in && !now_in {
                // It reconnects by itself.
                deadline = Instant::now() + self.times.greeting;
            }
            is_in = now_in;
        }
    }

    /// Takes what is said, then notes that it was heard: nobody may believe so before it is known to be under way.
    fn hear(&self, text: &str, line: &Line) {
        self.take(text, line);
        self.heard.note(line);
    }

    /// Takes what is worth it.
    fn take(&self, text: &str, line: &Line) {
        let header = serde_json::from_str::<Header<'_>>(text);
        let (Ok(header), Some(session)) = (header, line.session()) else {
            return;
        };
        let (Some(name), Some(number)) = (header.t, header.s) else {
            return;
        };
        if !is_wanted(&name) {
            return;
        }
        let whole = serde_json::from_str::<Value>(text).ok();
        let data = whole.and_then(|mut whole| whole.get_mut("d").map(Value::take));
        let dispatch = Dispatch {
            name: name.into_owned(),
            key: format!("{}:{number}", session.id()),
            data: data.unwrap_or_default(),
        };
        let under_way = self.heard.begin(number);
        self.edge.dispatched(dispatch, under_way, self.events);
    }

    /// Says goodbye, and hears what was said until then. It is not waited for an answer: a line that is closed under it
    /// connects anew by itself. The session ends with it, unless it is the process that stops: the next one goes on with it.
    async fn leave(&self, line: &mut Line) {
        line.close(if self.edge.stop.is_cancelled() {
            CloseFrame::RESUME
        } else {
            CloseFrame::NORMAL
        });
        let last_words = poll_fn(|cx| {
            loop {
                match line.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(Message::Text(text)))) => self.hear(&text, line),
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending if matches!(line.state(), ShardState::Disconnected { .. }) => {
                        return Poll::Ready(());
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        let said = tokio::time::timeout(self.times.last_words, last_words).await;
        if said.is_err() {
            tracing::debug!("Discord's gateway took no goodbye");
        }
    }
}

/// What tells whether a dispatch is worth reading.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    t: Option<Cow<'a, str>>,
    #[serde(default)]
    s: Option<u64>,
}

/// Why Discord closed a connection (docs.discord.com/developers/topics/opcodes-and-status-codes, "Gateway Close Event
/// Codes").
fn closed(code: Option<u16>, was_in: bool) -> Over {
    match code {
        Some(4_004) => Over::Refused("Discord refuses the token (4004)".to_owned()),
        Some(code @ (4_013 | 4_014)) => {
            Over::Refused(format!("Discord doesn't grant the intents ({code})"))
        }
        Some(code @ (4_007 | 4_009)) => Over::Expired(
            format!("Discord doesn't go on with the session ({code})"),
            was_in,
        ),
        Some(code) => Over::Lost(format!("the connection was closed ({code})"), was_in),
        None => Over::Lost("the connection was closed".to_owned(), was_in),
    }
}
