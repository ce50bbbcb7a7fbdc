//! Getting interactions to the app: signed with the application's key to its endpoint, or over the gateway where it has
//! none (docs.discord.com/developers/interactions/overview, "Setting Up an Endpoint").

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use url::Url;

use super::{
    endpoint::token,
    id::Id,
    interaction::{Interaction, State},
};
use crate::sandbox::{
    deliver::{Ack, Failure, Sent, note, post_once},
    world::{DeliveryRecord, InteractionKind, Kind, MessageRef, World},
};

/// "You must send an initial response within 3 seconds".
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What somebody did, before it is an interaction.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Act {
    pub(in crate::sandbox) kind: InteractionKind,
    pub(in crate::sandbox) member: Id,
    pub(in crate::sandbox) channel: Id,
    /// The message whose component was used.
    pub(in crate::sandbox) message: Option<Id>,
    /// The command's name.
    pub(in crate::sandbox) command: Option<String>,
    pub(in crate::sandbox) data: Value,
}

/// What came of it.
pub(in crate::sandbox) struct Came {
    /// The delivery's number in the log.
    pub(in crate::sandbox) delivery: u64,
    /// What an autocompletion offers, or why nothing came.
    pub(in crate::sandbox) result: Result<Vec<Value>, String>,
}

impl World {
    /// Delivers an interaction and waits for its first answer, at most three seconds.
    pub(in crate::sandbox) async fn interact(self: &Arc<Self>, act: Act) -> Came {
        let token = token();
        let (done, answered) = oneshot::channel();
        let (payload, twice) = self.with(|inner| {
            inner.forget_interactions();
            let id = inner.discord.next_id(inner.now);
            let payload = inner.payload(&act, id, &token);
            let interaction = Interaction {
                id,
                kind: act.kind,
                member: act.member,
                channel: act.channel,
                message: act.message,
                command: act.command.clone(),
                sent_at: inner.now,
                state: State::Waiting,
                original: None,
                choices: Vec::new(),
                done: Some(done),
            };
            inner.live.interactions.insert(token.clone(), interaction);
            let twice = inner.settings.deliver_twice > 0;
            inner.settings.deliver_twice = inner.settings.deliver_twice.saturating_sub(1);
            (payload, twice)
        });
        let about = act.message.map(|id| MessageRef {
            channel: act.channel.to_string(),
            ts: id.to_string(),
        });
        let parcel = Parcel {
            kind: act.kind,
            person: act.member.to_string(),
            about,
            payload,
            again: None,
        };
        let (delivery, result) = self.carry(&parcel, Some((&token, answered))).await;
        if twice {
            let second = Parcel {
                again: Some(delivery),
                ..parcel
            };
            let world = Arc::clone(self);
            tokio::spawn(async move { world.carry(&second, None).await });
        }
        let result = self.with(|inner| {
            let own = inner.live.interactions.get_mut(&token);
            match (result, own) {
                (Ok(()), Some(own)) => Ok(std::mem::take(&mut own.choices)),
                (Err(why), Some(own)) => {
                    own.state = State::Failed;
                    Err(why)
                }
                (_, None) => Err("the interaction is gone".to_owned()),
            }
        });
        Came { delivery, result }
    }

    /// Delivers a recorded interaction once more, freshly signed; its answer is recorded and nothing else.
    pub(in crate::sandbox) async fn interact_again(
        self: &Arc<Self>,
        record: DeliveryRecord,
        kind: InteractionKind,
    ) -> u64 {
        let parcel = Parcel {
            kind,
            person: record.person.unwrap_or_default(),
            about: record.about,
            payload: record.payload,
            again: Some(record.id),
        };
        self.carry(&parcel, None).await.0
    }

    /// Carries an interaction there and the answer back; without anybody who waits for it the answer is only recorded.
    async fn carry(
        self: &Arc<Self>,
        parcel: &Parcel,
        waiting: Option<(&str, oneshot::Receiver<()>)>,
    ) -> (u64, Result<(), String>) {
        let (id, endpoints, turn) = self.with(|inner| {
            let id = inner.log.next_id();
            inner.log_delivery(parcel.record(id, inner.now));
            inner.live.turn += 1;
            (id, inner.live.endpoints.clone(), inner.live.turn)
        });
        let started = Instant::now();
        let deadline = started + ANSWER_WITHIN;
        let (sent, result) = if endpoints.is_empty() {
            let sent = self.push(&parcel.payload);
            (sent.0, sent.1.map(|()| Ack::default()))
        } else {
            self.post_in_turn(parcel, (&endpoints, turn), deadline)
                .await
        };
        let result = match (result, waiting) {
            (Ok(ack), Some((token, answered))) => {
                self.settle(token, ack, (answered, deadline)).await
            }
            (result, _) => result,
        };
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = match &result {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.said()),
        };
        self.with(|inner| inner.log_outcome(id, |record| note(record, sent, &result, ms)));
        (id, told)
    }

    /// Applies an answer that came in the body; waits for one that is to come by a call.
    async fn settle(
        self: &Arc<Self>,
        token: &str,
        ack: Ack,
        (answered, deadline): (oneshot::Receiver<()>, Instant),
    ) -> Result<Ack, Failure> {
        if ack.body.trim().is_empty() {
            return match timeout_at(deadline, answered).await {
                Ok(Ok(())) => Ok(ack),
                _ => Err(Failure::TimedOut),
            };
        }
        let Some(body) = &ack.json else {
            return Err(Failure::Status(ack));
        };
        match self.with(|inner| inner.answer(token, body)) {
            Ok(()) => Ok(ack),
            Err(refusal) => Err(Failure::Unreachable(format!(
                "Discord refuses the answer: {}",
                refusal.words()
            ))),
        }
    }

    /// Over the gateway.
    fn push(&self, payload: &Value) -> (Sent, Result<(), Failure>) {
        let reached = self.with(|inner| {
            let open = inner.live.sessions.connected() > 0;
            inner.emit("INTERACTION_CREATE", 0, payload);
            open
        });
        let sent = Sent {
            to: if reached { "gateway" } else { "" }.to_owned(),
            headers: Vec::new(),
            body: payload.to_string(),
        };
        let result = if reached {
            Ok(())
        } else {
            Err(Failure::Unreachable("the bot is on no gateway".to_owned()))
        };
        (sent, result)
    }

    /// To the next endpoint in turn, passing over those that can't be reached.
    async fn post_in_turn(
        self: &Arc<Self>,
        parcel: &Parcel,
        (endpoints, turn): (&[Url], usize),
        deadline: Instant,
    ) -> (Sent, Result<Ack, Failure>) {
        let body = parcel.payload.to_string();
        let mut failure = Failure::Unreachable("no address to deliver to".to_owned());
        let mut sent = Sent {
            to: String::new(),
            headers: Vec::new(),
            body: body.clone(),
        };
        for at in 0..endpoints.len() {
            let endpoint = &endpoints[(turn + at) % endpoints.len()];
            sent = self.signed(endpoint.as_str(), &body);
            let sending = async {
                self.verified(endpoint.as_str()).await?;
                post_once(self, &sent).await
            };
            match timeout_at(deadline, sending).await {
                Err(_) => return (sent, Err(Failure::TimedOut)),
                Ok(Ok(ack)) if (200..300).contains(&ack.status) => return (sent, Ok(ack)),
                Ok(Ok(ack)) => return (sent, Err(Failure::Status(ack))),
                Ok(Err(cause)) => failure = Failure::Unreachable(cause),
            }
        }
        (sent, Err(failure))
    }
}

/// One interaction on its way.
#[derive(Clone)]
struct Parcel {
    kind: InteractionKind,
    person: String,
    about: Option<MessageRef>,
    payload: Value,
    again: Option<u64>,
}

impl Parcel {
    fn record(&self, id: u64, now: chrono::DateTime<chrono::Utc>) -> DeliveryRecord {
        DeliveryRecord {
            id,
            kind: Kind::Discord(self.kind),
            person: Some(self.person.clone()),
            about: self.about.clone(),
            to: String::new(),
            headers: Vec::new(),
            body: String::new(),
            payload: self.payload.clone(),
            sent_at: now,
            attempt: 0,
            again: self.again,
            answer: None,
            failure: None,
        }
    }
}
