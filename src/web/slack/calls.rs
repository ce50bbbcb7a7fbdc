//! The calls that answer somebody: best effort, never needed later.

use std::sync::Arc;
use std::time::Duration;

use super::Edge;
use crate::app::{self, Broken, instead};
use crate::chat::slack::parse::AnswerRoute;
use crate::chat::slack::render::{self, Answer, Call};
use crate::clients::slack::{Post, SlackError};
use crate::domain::event::Delivery;
use crate::domain::reply::Reply;

/// Slack's code for a view that is no longer as the call expects it.
const HASH_CONFLICT: &str = "hash_conflict";

impl Edge {
    /// Makes one call, within a budget where somebody waits for it.
    pub(super) async fn call(
        &self,
        call: &Call,
        budget: Option<Duration>,
    ) -> Result<(), SlackError> {
        let client = match budget {
            Some(budget) => self.client.within(budget),
            None => self.client.clone(),
        };
        match call {
            Call::OpenView { trigger_id, view } => {
                client.open_view(trigger_id, view).await.map(drop)
            }
            Call::UpdateView {
                view_id,
                hash,
                view,
            } => client.update_view(view_id, hash.as_deref(), view).await,
            Call::Respond { url, body } => client.response_urls().post(url, body).await,
            Call::Say {
                channel,
                only,
                thread,
                message,
            } => {
                let post = Post {
                    channel,
                    thread: thread.as_deref(),
                    text: &message.text,
                    blocks: &message.blocks,
                    metadata: None,
                };
                match only {
                    Some(user) => client.whisper(user, &post).await,
                    None => client.post(&post).await.map(drop),
                }
            }
        }
    }

    /// Makes calls in order, once Slack has its answer. A view that changed meanwhile is drawn as it is by then, where
    /// there is a way to ask for that: of two changes in a row the second one finds the view that the first one made.
    pub(super) fn call_after(
        self: &Arc<Self>,
        calls: Vec<Call>,
        redraw: Option<(Delivery, AnswerRoute)>,
    ) {
        if calls.is_empty() {
            return;
        }
        let edge = Arc::clone(self);
        self.tasks.spawn(async move {
            for call in &calls {
                match (edge.call(call, None).await, &redraw) {
                    (Err(SlackError::ViewGone { code }), Some((delivery, route)))
                        if code == HASH_CONFLICT =>
                    {
                        edge.redraw(delivery.clone(), route).await;
                    }
                    (done, _) => log(call, done),
                }
            }
        });
    }

    pub(super) async fn call_and_log(&self, call: &Call) {
        log(call, self.call(call, None).await);
    }

    async fn redraw(&self, delivery: Delivery, route: &AnswerRoute) {
        match app::handle(&self.app, delivery).await {
            Ok(reply) => {
                for call in render::late(&reply, route) {
                    self.call_and_log(&call).await;
                }
            }
            Err(broken) => {
                tracing::warn!(reference = %broken.reference, "A form was not drawn anew");
            }
        }
    }
}

/// What to say when a view didn't open: the way to open it after all, or that we broke.
pub(super) fn not_opened(error: &SlackError, reply: &Reply, route: &AnswerRoute) -> Answer {
    let card = match error {
        SlackError::Refused { .. } | SlackError::MissingScope { .. } => {
            let broken = Broken::log("opening a view", anyhow::anyhow!("{error}"));
            instead::broken("nothing was opened", &broken)
        }
        SlackError::TriggerGone { .. }
        | SlackError::Limited { .. }
        | SlackError::Unreachable { .. }
        | SlackError::Lost { .. }
        | SlackError::Revoked { .. }
        | SlackError::ChannelGone { .. }
        | SlackError::NotInChannel { .. }
        | SlackError::MessageGone { .. }
        | SlackError::ViewGone { .. }
        | SlackError::UserGone { .. } => {
            tracing::warn!(%error, "A view did not open in time");
            instead::not_opened(reply)
        }
    };
    render::answer(&Reply::Card { card }, route)
}

fn log(call: &Call, done: Result<(), SlackError>) {
    if let Err(error) = done {
        tracing::warn!(%error, call = name(call), "An answer did not reach the person");
    }
}

const fn name(call: &Call) -> &'static str {
    match call {
        Call::OpenView { .. } => "views.open",
        Call::UpdateView { .. } => "views.update",
        Call::Respond { .. } => "response_url",
        Call::Say { .. } => "chat.post",
    }
}
