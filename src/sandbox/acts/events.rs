//! Events on their way to the app: only those subscribed to, retried as Slack does.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::sandbox::{
    deliver::{Failure, Parcel, Retry},
    wire,
    world::{DeliveryKind, World},
};

impl World {
    /// Sends an event if the app subscribed to `subscription` (`message.im` covers messages in its DMs).
    ///
    /// Returns at once; deliveries and retries happen on their own.
    pub(in crate::sandbox) fn emit(
        self: &Arc<Self>,
        subscription: &str,
        person: Option<&str>,
        event: Value,
    ) {
        let settings = self.settings();
        if !settings.events.iter().any(|own| own == subscription) {
            return;
        }
        let payload = self.with(|inner| wire::event(inner, event));
        let person = person.map(ToOwned::to_owned);
        let world = Arc::clone(self);
        tokio::spawn(async move {
            world
                .deliver_event(person, payload, settings.event_retries_s)
                .await;
        });
    }

    async fn deliver_event(
        self: Arc<Self>,
        person: Option<String>,
        payload: Value,
        waits: Vec<u64>,
    ) {
        let mut retry = None;
        let mut waits = waits.into_iter().enumerate();
        loop {
            let mut parcel = Parcel::new(DeliveryKind::Event, payload.clone()).retrying(retry);
            if let Some(person) = &person {
                parcel = parcel.by(person);
            }
            let delivered = self.deliver(parcel).await;
            let reason = match delivered.result {
                Ok(_) => return,
                Err(Failure::Status(answer)) if answer.no_retry => return,
                Err(Failure::Status(_)) => "http_error",
                Err(Failure::TimedOut) => "http_timeout",
                Err(Failure::Unreachable(_)) => "connection_failed",
            };
            let Some((count, wait)) = waits.next() else {
                return;
            };
            tokio::time::sleep(Duration::from_secs(wait)).await;
            let number = u32::try_from(count + 1).unwrap_or(u32::MAX);
            retry = Some(Retry { number, reason });
        }
    }
}
