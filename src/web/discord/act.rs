//! From an interaction to its answer, inside Discord's three seconds.
//!
//! As on every platform the transaction runs in a task of its own, which ends even if nobody waits for it any more. If it
//! outlasts the budget, the answer promises a reply, and that follows by the interaction's token, which is good for
//! fifteen minutes; where it isn't any more (the process was away), by the bot's own, in direct messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use super::Edge;
use crate::app::{self, Broken, instead};
use crate::chat::discord::parse::{AnswerRoute, Inbound};
use crate::chat::discord::render::{self, Answer};
use crate::clients::discord::{DiscordError, Post};
use crate::domain::reply::Reply;

/// How long the transaction may take before an answer leaves without it (Discord gives up after 3 s).
const WORK: Duration = Duration::from_millis(2_500);

type Worked = Result<Result<Reply, Broken>, JoinError>;

impl Edge {
    /// Acts on an interaction; gives the answer's body.
    pub(super) async fn act(self: &Arc<Self>, inbound: Inbound) -> Value {
        let began = Instant::now();
        let Inbound { delivery, route } = inbound;
        let undone = instead::undone(&delivery.event);
        let account = delivery.sender.account.clone();
        let app = self.app.clone();
        let mut work = self
            .tasks
            .spawn(async move { app::handle(&app, delivery).await });
        let body = match tokio::time::timeout(WORK, &mut work).await {
            Ok(worked) => {
                let Answer { body, after } = render::answer(&reply(worked, undone), &route);
                if !after.is_empty() {
                    let edge = Arc::clone(self);
                    self.tasks
                        .spawn(async move { edge.say(after, &route, &account).await });
                }
                body
            }
            Err(_) => self.leave_later(work, undone, (route, account)),
        };
        self.metrics.answered(began.elapsed());
        self.metrics.delivered("discord", "taken");
        body
    }

    /// Answers without the reply, which follows.
    fn leave_later(
        self: &Arc<Self>,
        work: JoinHandle<Result<Reply, Broken>>,
        undone: &'static str,
        (route, account): (AnswerRoute, String),
    ) -> Value {
        tracing::warn!(kind = ?route.kind, "An answer left without its reply, which takes longer");
        let body = render::still_working(&route);
        let edge = Arc::clone(self);
        self.tasks.spawn(async move {
            let reply = reply(work.await, undone);
            let mut messages = render::late(&reply, &route).into_iter();
            let Some(first) = messages.next() else {
                return;
            };
            let key = (route.application.as_str(), route.token.as_str());
            let put = edge.client.answer_later(key, &first).await;
            edge.settle(put, &first, &account).await;
            edge.say(messages.collect(), &route, &account).await;
        });
        body
    }

    /// Says more, in order.
    async fn say(&self, messages: Vec<Value>, route: &AnswerRoute, account: &str) {
        let key = (route.application.as_str(), route.token.as_str());
        for message in messages {
            let said = self.client.follow_up(key, &message).await;
            self.settle(said, &message, account).await;
        }
    }

    /// Where the interaction can't be answered any more, the words go to the person's direct messages.
    async fn settle(&self, said: Result<(), DiscordError>, message: &Value, account: &str) {
        let said = match said {
            Err(DiscordError::AnswerGone { .. }) => self.whisper(message, account).await,
            said => said,
        };
        if let Err(error) = said {
            tracing::warn!(%error, "An answer did not reach the person");
        }
    }

    async fn whisper(&self, message: &Value, account: &str) -> Result<(), DiscordError> {
        let channel = self.client.open_direct(account).await?;
        let mut body = message.clone();
        // Direct messages know no messages for one alone.
        body["flags"] = 0.into();
        let post = Post {
            channel: &channel,
            body: &body,
            answers: None,
            mark: Uuid::now_v7(),
        };
        self.client.post(&post).await.map(drop)
    }
}

/// The reply, also to work that broke.
fn reply(worked: Worked, undone: &str) -> Reply {
    let broken = match worked {
        Ok(Ok(reply)) => return reply,
        Ok(Err(broken)) => broken,
        Err(panicked) => Broken::log("answering Discord", panicked.into()),
    };
    Reply::Card {
        card: instead::broken(undone, &broken),
    }
}
