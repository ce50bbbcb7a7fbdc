//! "Behind the scenes": what was delivered to the app, what it answered, which Web API calls it made.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Change, Inner, Message, World};

/// How many of each are kept; older ones are forgotten.
const KEPT: usize = 2000;
/// How many of each are written to the state file, which is written whole at every change.
const KEPT_OVER_RESTART: usize = 200;

/// A message by its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageRef {
    /// `C…`, `D…`, or a snowflake
    pub channel: String,
    /// Its timestamp; on Discord its id.
    pub ts: String,
}

/// What was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// A slash command.
    Command,
    /// A press in a message or view.
    BlockActions,
    /// A submitted view.
    ViewSubmission,
    /// A closed view.
    ViewClosed,
    /// A search of an external select.
    BlockSuggestion,
    /// An event.
    Event,
}

/// An interaction of Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// Discord tries the endpoint.
    Ping,
    /// A command.
    ApplicationCommand,
    /// A button or select.
    MessageComponent,
    /// A command that is being typed.
    Autocomplete,
    /// A sent modal.
    ModalSubmit,
}

impl InteractionKind {
    /// Whether somebody did something, and wasn't only looking for words.
    pub(in crate::sandbox) const fn is_act(self) -> bool {
        matches!(
            self,
            Self::ApplicationCommand | Self::MessageComponent | Self::ModalSubmit
        )
    }
}

/// What was delivered, on whichever platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kind {
    /// Of Slack's.
    Slack(DeliveryKind),
    /// Of Discord's.
    Discord(InteractionKind),
}

/// One payload on its way to the app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Counts up.
    pub id: u64,
    /// What was delivered.
    pub kind: Kind,
    /// Whose act it was.
    pub person: Option<String>,
    /// The message it happened on.
    pub about: Option<MessageRef>,
    /// Where it went: an address, or `socket 3`. Empty when nobody could be reached.
    pub to: String,
    /// HTTP headers with the signature, or none over a socket.
    pub headers: Vec<(String, String)>,
    /// The bytes as sent.
    pub body: String,
    /// The payload inside, readable.
    pub payload: Value,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// 0 for the first try of an event.
    pub attempt: u32,
    /// This is a second sending of the delivery with that id.
    pub again: Option<u64>,
    /// What came back.
    pub answer: Option<Answer>,
    /// Why nothing did.
    pub failure: Option<String>,
}

/// What the app answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status, or 200 for a socket's acknowledgement.
    pub status: u16,
    /// The body as it came.
    pub body: String,
    /// How long it took.
    pub ms: u64,
}

/// One Web API call, or one post to a response URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallRecord {
    /// Counts up.
    pub id: u64,
    /// `chat.postMessage`, `response_url`, or `POST /channels/…`.
    pub method: String,
    /// Its arguments, without the token.
    pub args: Value,
    /// When it came.
    pub at: DateTime<Utc>,
    /// HTTP status.
    pub status: u16,
    /// What the simulator answered.
    pub answer: Value,
    /// The message it made or changed.
    pub touched: Option<MessageRef>,
    /// How long the simulator took.
    pub ms: u64,
}

/// Everything recorded, newest last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Log {
    next: u64,
    /// Payloads to the app.
    pub deliveries: VecDeque<DeliveryRecord>,
    /// Calls by the app.
    pub calls: VecDeque<CallRecord>,
}

/// What is known about one message.
#[derive(Clone, Debug, Serialize)]
pub struct Behind {
    /// The message itself.
    pub message: Message,
    /// The command or submission delivered last before it was posted; the wire doesn't say what caused a message.
    pub before: Option<DeliveryRecord>,
    /// Presses on it.
    pub deliveries: Vec<DeliveryRecord>,
    /// Calls that made or changed it.
    pub calls: Vec<CallRecord>,
}

impl Log {
    /// The newest records, as many as are worth keeping over a restart.
    pub(super) fn newest(&self) -> Self {
        let last = |len: usize| len.saturating_sub(KEPT_OVER_RESTART);
        Self {
            next: self.next,
            deliveries: self
                .deliveries
                .range(last(self.deliveries.len())..)
                .cloned()
                .collect(),
            calls: self
                .calls
                .range(last(self.calls.len())..)
                .cloned()
                .collect(),
        }
    }

    /// A number for the next record.
    pub(in crate::sandbox) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A delivery by its number.
    pub fn delivery(&self, id: u64) -> Option<&DeliveryRecord> {
        self.deliveries.iter().rev().find(|record| record.id == id)
    }

    /// What happened on a message, and the calls that made or changed it.
    pub(in crate::sandbox) fn about(
        &self,
        of: &MessageRef,
    ) -> (Vec<DeliveryRecord>, Vec<CallRecord>) {
        let on = self.deliveries.iter();
        let by = self.calls.iter();
        (
            on.filter(|own| own.about.as_ref() == Some(of))
                .cloned()
                .collect(),
            by.filter(|own| own.touched.as_ref() == Some(of))
                .cloned()
                .collect(),
        )
    }

    /// The newest command or submission.
    pub(super) fn newest_cause(&self) -> Option<u64> {
        let causes = [DeliveryKind::Command, DeliveryKind::ViewSubmission].map(Kind::Slack);
        self.deliveries
            .iter()
            .rev()
            .find(|record| causes.contains(&record.kind))
            .map(|record| record.id)
    }
}

fn keep<T>(records: &mut VecDeque<T>, record: T) {
    if records.len() == KEPT {
        records.pop_front();
    }
    records.push_back(record);
}

impl Inner {
    /// Notes a delivery before it is sent.
    pub(in crate::sandbox) fn log_delivery(&mut self, record: DeliveryRecord) {
        self.changed(Change::Log {
            about: record.about.clone(),
        });
        keep(&mut self.log.deliveries, record);
    }

    /// Completes a delivery's record.
    pub(in crate::sandbox) fn log_outcome(
        &mut self,
        id: u64,
        complete: impl FnOnce(&mut DeliveryRecord),
    ) {
        let found = self
            .log
            .deliveries
            .iter_mut()
            .rev()
            .find(|record| record.id == id);
        if let Some(record) = found {
            complete(record);
            let about = record.about.clone();
            self.changed(Change::Log { about });
        }
    }

    /// Notes a call.
    pub(in crate::sandbox) fn log_call(&mut self, record: CallRecord) {
        self.changed(Change::Log {
            about: record.touched.clone(),
        });
        keep(&mut self.log.calls, record);
    }
}

impl World {
    /// What is known about one message.
    pub fn behind(&self, channel: &str, ts: &str) -> Option<Behind> {
        self.with(|inner| {
            let message = inner.message(channel, ts)?.clone();
            let of = MessageRef {
                channel: message.channel.clone(),
                ts: ts.to_owned(),
            };
            let log = &inner.log;
            let (deliveries, calls) = log.about(&of);
            Some(Behind {
                before: message
                    .after_delivery
                    .and_then(|id| log.delivery(id))
                    .cloned(),
                deliveries,
                calls,
                message,
            })
        })
    }

    /// Everything recorded.
    pub fn log(&self) -> Log {
        self.with(|inner| inner.log.clone())
    }
}
