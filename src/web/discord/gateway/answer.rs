//! What a dispatch leads to: an answer by HTTP to whoever acted, or only something learned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use super::super::Edge;
use super::super::act::Leaving;
use crate::chat::discord::parse::{AnswerRoute, Parsed, parse};
use crate::chat::discord::render;
use crate::chat::discord::verify::{Dispatch, Verified};
use crate::clients::discord::DiscordError;
use crate::domain::event::Delivery;

/// How long the work may take before an answer leaves without it: what comes over the gateway was longer on its way, and
/// the answer is one more call.
const WORK: Duration = Duration::from_secs(2);
/// Until when an answer that didn't arrive is sent again, and after what wait (Discord gives up after 3 s).
const ANSWER: Duration = Duration::from_millis(2_700);
const AGAIN: Duration = Duration::from_millis(200);
/// Discord's code for an interaction that was answered already.
const ANSWERED: u64 = 40_060;

/// Events that wait to be learned from, at most. What doesn't fit is read as a whole within a minute anyway.
pub(super) const EVENTS: usize = 1_024;

impl Edge {
    /// Takes what the gateway dispatched: people are answered at once, events are learned from in their order.
    pub(super) fn dispatched(
        self: &Arc<Self>,
        dispatch: Dispatch,
        events: &mpsc::Sender<Delivery>,
    ) {
        let arrived = Instant::now();
        match parse(Verified::from_gateway(dispatch)) {
            Ok(Parsed::Happened(all)) => {
                for event in all {
                    if events.try_send(event).is_err() {
                        tracing::warn!("More happens in the guilds than can be learned from");
                    }
                }
            }
            Ok(Parsed::Ping) => {}
            Ok(parsed) => {
                let edge = Arc::clone(self);
                self.tasks
                    .spawn(async move { edge.answer(parsed, arrived).await });
            }
            Err(reason) => self.unreadable(reason),
        }
    }

    async fn answer(self: Arc<Self>, parsed: Parsed, arrived: Instant) {
        match parsed {
            Parsed::Inbound(inbound) => {
                let (route, account) = (
                    inbound.route.clone(),
                    inbound.delivery.sender.account.clone(),
                );
                let Leaving { body, rest } = self.act(*inbound, WORK).await;
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
            }
            Parsed::Completing { route, typed } => {
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
        loop {
            let key = (route.interaction.as_str(), route.token.as_str());
            match self.client.answer(key, body).await {
                // By an answer of ours that seemed lost, or by another replica.
                Err(DiscordError::AnswerGone { code: ANSWERED }) => return Ok(()),
                Err(
                    DiscordError::Unreachable { .. }
                    | DiscordError::Lost { .. }
                    | DiscordError::Limited { .. },
                ) if arrived.elapsed() < ANSWER => {
                    tokio::time::sleep(AGAIN).await;
                }
                answered => return answered,
            }
        }
    }

    /// Learns from events, one after the other.
    pub(super) async fn learn(self: Arc<Self>, mut events: mpsc::Receiver<Delivery>) {
        while let Some(event) = events.recv().await {
            let outcome = match self.handle(event).await {
                Ok(_) => "taken",
                // The log has the reason; what was to be learned is found out by the next look.
                Err(_) => "broken",
            };
            self.metrics.delivered("discord", outcome);
        }
    }
}
