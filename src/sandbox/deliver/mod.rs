//! Getting payloads to the app and its acknowledgement back, by signed HTTP or over Socket Mode, and writing down both.

mod http;
mod links;
mod socket;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

pub(in crate::sandbox) use self::{http::post_once, links::Links, socket::connect};
use super::{
    acts::ActError,
    config::Delivery,
    world::{Answer, DeliveryKind, DeliveryRecord, Kind, MessageRef, World},
};

/// <https://docs.slack.dev/interactivity/handling-user-interaction>: "within 3 seconds".
const ACK_WITHIN: Duration = Duration::from_secs(3);

/// One payload to be delivered.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Parcel {
    kind: DeliveryKind,
    payload: Value,
    person: Option<String>,
    about: Option<MessageRef>,
    retry: Option<Retry>,
    again: Option<u64>,
}

/// This is not the first try of an event.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Retry {
    /// 1 for the first retry.
    pub(in crate::sandbox) number: u32,
    /// `http_timeout`, `http_error` or `connection_failed`.
    pub(in crate::sandbox) reason: &'static str,
}

/// What came of a delivery.
pub(in crate::sandbox) struct Delivered {
    /// Its number in the log.
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) result: Result<Ack, Failure>,
}

/// The app's acknowledgement.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Ack {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) body: String,
    /// The body, if it is JSON.
    pub(in crate::sandbox) json: Option<Value>,
    /// The app asked not to be told of this event again.
    pub(in crate::sandbox) no_retry: bool,
}

/// Why there was no acknowledgement.
#[derive(Clone, Debug)]
pub(in crate::sandbox) enum Failure {
    /// Nothing within three seconds.
    TimedOut,
    /// Nobody listens.
    Unreachable(String),
    /// Another status than 2xx.
    Status(Ack),
}

/// What left the simulator, for the log.
pub(in crate::sandbox) struct Sent {
    pub(in crate::sandbox) to: String,
    pub(in crate::sandbox) headers: Vec<(String, String)>,
    pub(in crate::sandbox) body: String,
}

impl Failure {
    /// In words.
    pub(in crate::sandbox) fn said(&self) -> String {
        match self {
            Self::TimedOut => "no answer within three seconds".to_owned(),
            Self::Unreachable(cause) => cause.clone(),
            Self::Status(ack) => format!("the app answered {}", ack.status),
        }
    }
}

impl Parcel {
    pub(in crate::sandbox) fn new(kind: DeliveryKind, payload: Value) -> Self {
        Self {
            kind,
            payload,
            person: None,
            about: None,
            retry: None,
            again: None,
        }
    }

    pub(in crate::sandbox) fn by(self, person: &str) -> Self {
        Self {
            person: Some(person.to_owned()),
            ..self
        }
    }

    pub(in crate::sandbox) fn about(self, about: Option<MessageRef>) -> Self {
        Self { about, ..self }
    }

    pub(in crate::sandbox) fn retrying(self, retry: Option<Retry>) -> Self {
        Self { retry, ..self }
    }
}

impl World {
    /// Delivers a payload and waits for the acknowledgement, at most three seconds.
    pub(in crate::sandbox) async fn deliver(self: &Arc<Self>, parcel: Parcel) -> Delivered {
        let twice = self.with(|inner| {
            let twice = inner.settings.deliver_twice > 0;
            inner.settings.deliver_twice = inner.settings.deliver_twice.saturating_sub(1);
            twice
        });
        let delivered = self.send(&parcel).await;
        if twice {
            let second = Parcel {
                again: Some(delivered.id),
                ..parcel
            };
            let world = Arc::clone(self);
            tokio::spawn(async move { world.send(&second).await });
        }
        delivered
    }

    /// Sends a recorded delivery once more, freshly signed; its answer is recorded and nothing else.
    ///
    /// # Errors
    /// When there is no such record.
    pub async fn redeliver(self: &Arc<Self>, id: u64) -> Result<u64, ActError> {
        let record = self.with(|inner| inner.log.delivery(id).cloned());
        let record = record.ok_or_else(|| ActError::Failed("There is no such delivery.".into()))?;
        let kind = match record.kind {
            Kind::Slack(kind) => kind,
            Kind::Discord(kind) => return Ok(self.interact_again(record, kind).await),
        };
        let parcel = Parcel {
            kind,
            payload: record.payload,
            person: record.person,
            about: record.about,
            retry: None,
            again: Some(id),
        };
        Ok(self.send(&parcel).await.id)
    }

    async fn send(self: &Arc<Self>, parcel: &Parcel) -> Delivered {
        let settings = self.settings();
        let id = self.with(|inner| {
            let id = inner.log.next_id();
            let record = DeliveryRecord {
                id,
                kind: Kind::Slack(parcel.kind),
                person: parcel.person.clone(),
                about: parcel.about.clone(),
                to: String::new(),
                headers: Vec::new(),
                body: String::new(),
                payload: parcel.payload.clone(),
                sent_at: inner.now,
                attempt: parcel.retry.map_or(0, |retry| retry.number),
                again: parcel.again,
                answer: None,
                failure: None,
            };
            inner.log_delivery(record);
            id
        });
        let started = Instant::now();
        let (sent, result) = match &settings.delivery {
            Delivery::Http { targets, paths } => http::post(self, parcel, (targets, paths)).await,
            Delivery::Socket => socket::push(self, parcel).await,
        };
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.with(|inner| inner.log_outcome(id, |record| note(record, sent, &result, ms)));
        Delivered { id, result }
    }
}

/// Completes a record by what was sent and what came back.
pub(in crate::sandbox) fn note(
    record: &mut DeliveryRecord,
    sent: Sent,
    result: &Result<Ack, Failure>,
    ms: u64,
) {
    record.to = sent.to;
    record.headers = sent.headers;
    record.body = sent.body;
    match result {
        Ok(ack) | Err(Failure::Status(ack)) => {
            record.answer = Some(Answer {
                status: ack.status,
                body: ack.body.clone(),
                ms,
            });
        }
        Err(Failure::TimedOut) => record.failure = Some(format!("no answer within {ms} ms")),
        Err(Failure::Unreachable(cause)) => record.failure = Some(cause.clone()),
    }
}
