//! What a dispatch leads to: an answer by HTTP to whoever acted, or only something learned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use super::super::Edge;
use super::super::act::Leaving;
use super::heard::UnderWay;
use crate::chat::discord::parse::{AnswerRoute, Parsed, parse};
use crate::chat::discord::render;
use crate::chat::discord::verify::{Dispatch, Verified};
use crate::clients::discord::DiscordError;
use crate::domain::event::{Delivery, Event};

/// How long the work may take before an answer leaves without it: what comes over the gateway was longer on its way, and
/// the answer is one more call.
const WORK: Duration = Duration::from_secs(2);
/// Until when an answer that didn't arrive is sent again (Discord gives up after 3 s), how long one try may take, also the
/// only one that there is still time for, and the wait between two.
const ANSWER: Duration = Duration::from_millis(2_700);
const TRY: Duration = Duration::from_secs(1);
const LAST_TRY: Duration = Duration::from_millis(300);
const AGAIN: Duration = Duration::from_millis(200);
/// Discord's code for an interaction that was answered already.
const ANSWERED: u64 = 40_060;

/// Events that wait to be learned from, at most: more than happen while a database is away.
pub(super) const EVENTS: usize = 1 << 20;
/// When so many wait, changes of roles, channels and members are not added: they are read as a whole within a minute
/// anyway. Of what was deleted nobody tells again.
const CHANGES: usize = 1_024;
/// The wait before an event is learned from again, and how often one is tried that breaks though the database is there.
const RELEARN: Duration = Duration::from_secs(1);
const BREAKS: u32 = 3;

/// An event that waits to be learned from, and is under way until then.
pub(super) type Waiting = (Delivery, Arc<UnderWay>);

impl Edge {
    /// Takes what the gateway dispatched: people are answered at once, events are learned from in their order.
    pub(super) fn dispatched(
        self: &Arc<Self>,
        dispatch: Dispatch,
        under_way: UnderWay,
        events: &mpsc::Sender<Waiting>,
    ) {
        let arrived = Instant::now();
        match parse(Verified::from_gateway(dispatch)) {
            Ok(Parsed::Happened(all)) => {
                let under_way = Arc::new(under_way);
                for event in all {
                    wait_for_its_turn((event, Arc::clone(&under_way)), events);
                }
            }
            Ok(Parsed::Ping) => {}
            Ok(parsed) => {
                let edge = Arc::clone(self);
                self.tasks
                    .spawn(async move { edge.answer(parsed, arrived, under_way).await });
            }
            Err(reason) => self.unreadable(reason),
        }
    }

    async fn answer(self: Arc<Self>, parsed: Parsed, arrived: Instant, under_way: UnderWay) {
        match parsed {
            Parsed::Inbound(inbound) => {
                let (route, account) = (
                    inbound.route.clone(),
                    inbound.delivery.sender.account.clone(),
                );
                let Leaving { body, rest } = self.act(*inbound, WORK).await;
                // What it did is kept by now, with the reply; or it takes so long that whoever acted is told to wait.
                let under_way = rest.is_some().then_some(under_way);
                let answered = self.call_back(&route, &body, arrived).await;
                if let (Err(_), None) = (&answered, body.pointer("/data/content")) {
                    // A form can't be brought by any other way: whoever wanted it asks once more.
                    tracing::warn!("An answer that has no words did not reach the person");
                } else {
                    let message = body.get("data").unwrap_or(&Value::Null);
                    self.settle(answered, message, &account).await;
                }
                if let Some(rest) = rest {
                    rest.await;
                }
                drop(under_way);
            }
            Parsed::Completing { route, typed } => {
                // Nobody waits for choices that come late.
                drop(under_way);
                let body = render::choices(&self.app.completions(&typed));
                if let Err(error) = self.call_back(&route, &body, arrived).await {
                    tracing::debug!(%error, "A completion came too late");
                }
            }
            Parsed::Ping | Parsed::Happened(_) => {}
        }
    }

    /// Answers an interaction, again where the way to Discord failed.
    async fn call_back(
        &self,
        route: &AnswerRoute,
        body: &Value,
        arrived: Instant,
    ) -> Result<(), DiscordError> {
        let key = (route.interaction.as_str(), route.token.as_str());
        loop {
            let left = ANSWER.saturating_sub(arrived.elapsed());
            let call = self.client.answer(key, body);
            let answered = tokio::time::timeout(left.clamp(LAST_TRY, TRY), call).await;
            let late = |_| {
                Err(DiscordError::Lost {
                    cause: "it took too long".to_owned(),
                })
            };
            let error = match answered.unwrap_or_else(late) {
                // By an answer of ours that seemed lost, or by another replica.
                Ok(()) | Err(DiscordError::AnswerGone { code: ANSWERED }) => return Ok(()),
                Err(error) => error,
            };
            let wait = match &error {
                DiscordError::Limited { after } => after.unwrap_or(AGAIN),
                DiscordError::Unreachable { .. } | DiscordError::Lost { .. } => AGAIN,
                _ => return Err(error),
            };
            if arrived.elapsed() + wait >= ANSWER {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Learns from events, one after the other.
    pub(super) async fn learn(self: Arc<Self>, mut events: mpsc::Receiver<Waiting>) {
        // What a process that stops can't learn from stays under way to the end: the next one is told again.
        let mut left = Vec::new();
        while let Some((event, under_way)) = events.recv().await {
            let taken = self.learn_from(&event).await;
            let outcome = if taken { "taken" } else { "broken" };
            self.metrics.delivered("discord", outcome);
            if !taken && self.stop.is_cancelled() {
                left.push(under_way);
            }
        }
    }

    /// Learns from an event, again for as long as the database is away. The log has the reasons of what breaks.
    async fn learn_from(&self, event: &Delivery) -> bool {
        let mut broke = 0;
        loop {
            if self.handle(event.clone()).await.is_ok() {
                return true;
            }
            // While the database answers it is the event that can't be learned from.
            if self.app.refused_tokens().await.is_ok() {
                broke += 1;
            }
            if broke >= BREAKS || !self.pause(RELEARN).await {
                return false;
            }
        }
    }
}

fn wait_for_its_turn(waits: Waiting, events: &mpsc::Sender<Waiting>) {
    let is_read_anyway = matches!(waits.0.event, Event::GroupsChanged | Event::AccountChanged);
    let waiting = EVENTS - events.capacity();
    if (is_read_anyway && waiting >= CHANGES) || events.try_send(waits).is_err() {
        tracing::warn!("More happens in the guilds than can be learned from");
    }
}
