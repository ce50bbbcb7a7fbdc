//! Events on their way to the app: only those subscribed to, retried as Slack does.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::sandbox::{
    deliver::{Failure, Parcel, Retry},
    wire,
    world::{Author, DeliveryKind, Message, World},
};

/// What happened to a message.
pub(in crate::sandbox) enum Told {
    /// It was written.
    Posted,
    /// It was changed.
    Edited,
    /// It was taken away: as it stood before.
    Deleted(Box<Message>),
}

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

    /// Tells the app of a message that was written, edited or deleted where the bot is, its own ones included.
    pub(in crate::sandbox) fn tell(self: &Arc<Self>, what: &Told, channel: &str, ts: &str) {
        let event = self.with(|inner| {
            let bot = &inner.workspace.app.user_id;
            let channel = inner.channel(channel).filter(|own| own.has(bot))?;
            let subscription = wire::message_subscription(channel);
            if !inner.settings.events.iter().any(|own| own == subscription) {
                return None;
            }
            let channel = channel.clone();
            let message = match what {
                Told::Deleted(message) => channel.messages.get(ts).unwrap_or(message),
                Told::Posted | Told::Edited => channel.messages.get(ts)?,
            };
            let author = match &message.author {
                Author::Person(id) => inner.person(id).cloned(),
                Author::Bot | Author::Slackbot => None,
            };
            let event = match what {
                Told::Posted => match &author {
                    Some(person) => wire::message_event(message, person, &channel),
                    None => wire::own_message_event(inner, message, &channel),
                },
                Told::Deleted(_) if !message.tombstone => {
                    wire::deleted_event(inner, message, &channel)
                }
                Told::Edited | Told::Deleted(_) => wire::changed_event(inner, message, &channel),
            };
            Some((subscription, author.map(|own| own.id), event))
        });
        if let Some((subscription, person, event)) = event {
            self.emit(subscription, person.as_deref(), event);
        }
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
