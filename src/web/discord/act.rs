//! From an interaction to its answer, inside Discord's three seconds.
//!
//! As on every platform the transaction runs in a task of its own, which ends even if nobody waits for it any more. If it
//! outlasts the budget, the answer promises a reply, and that follows by the interaction's token, which is good for
//! fifteen minutes; where it isn't any more (the process was away), by the bot's own, in direct messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use super::Edge;
use crate::app::{self, Broken, instead};
use crate::chat::discord::parse::{AnswerRoute, Inbound};
use crate::chat::discord::render::{self, Answer};
use crate::clients::discord::{DiscordError, Post};
use crate::domain::event::Delivery;
use crate::domain::reply::Reply;

/// Discord's code for an interaction whose answer it hasn't yet, and the wait then: what follows an answer may overtake it
/// on the way.
const UNANSWERED: u64 = 10_015;
const OVERTAKEN: Duration = Duration::from_millis(200);
/// How often words are brought that follow an answer, the wait after one that failed, and the longest that Discord may ask for.
const TRIES: u32 = 5;
const AGAIN: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

type Worked = Result<Result<Reply, Broken>, JoinError>;

/// An answer that is to leave.
pub(super) struct Leaving {
    /// The answer itself.
    pub(super) body: Value,
    /// What follows once it has left.
    pub(super) rest: Option<BoxFuture<'static, ()>>,
}

impl Edge {
    /// Acts on an interaction: its answer is there within the budget.
    pub(super) async fn act(self: &Arc<Self>, inbound: Inbound, budget: Duration) -> Leaving {
        let began = Instant::now();
        let Inbound { delivery, route } = inbound;
        let undone = instead::undone(&delivery.event);
        let account = delivery.sender.account.clone();
        let edge = Arc::clone(self);
        let mut work = self.tasks.spawn(async move { edge.handle(delivery).await });
        let leaving = match tokio::time::timeout(budget, &mut work).await {
            Ok(worked) => {
                let Answer { body, after } = render::answer(&reply(worked, undone), &route);
                let edge = Arc::clone(self);
                let rest = (!after.is_empty())
                    .then(|| async move { edge.say(after, &route, &account).await }.boxed());
                Leaving { body, rest }
            }
            Err(_) => self.leave_later(work, undone, (route, account)),
        };
        self.metrics.answered(began.elapsed());
        self.metrics.delivered("discord", "taken");
        leaving
    }

    /// Acts on a delivery, of a guild that may be new to us.
    pub(super) async fn handle(&self, delivery: Delivery) -> Result<Reply, Broken> {
        if !delivery.sender.installation.is_empty() {
            (self.greet)(delivery.sender.installation.clone()).await;
        }
        app::handle(&self.app, delivery).await
    }

    /// Answers without the reply, which follows.
    fn leave_later(
        self: &Arc<Self>,
        work: JoinHandle<Result<Reply, Broken>>,
        undone: &'static str,
        (route, account): (AnswerRoute, String),
    ) -> Leaving {
        tracing::warn!(kind = ?route.kind, "An answer left without its reply, which takes longer");
        let body = render::still_working(&route);
        let edge = Arc::clone(self);
        let rest = async move {
            let reply = reply(work.await, undone);
            let mut messages = render::late(&reply, &route).into_iter();
            let Some(first) = messages.next() else {
                return;
            };
            let put = edge.put(&route, &first, Way::Promised).await;
            edge.settle(put, &first, &account).await;
            edge.say(messages.collect(), &route, &account).await;
        };
        Leaving {
            body,
            rest: Some(rest.boxed()),
        }
    }

    /// Says more, in order.
    async fn say(&self, messages: Vec<Value>, route: &AnswerRoute, account: &str) {
        for message in messages {
            let said = self.put(route, &message, Way::After).await;
            self.settle(said, &message, account).await;
        }
    }

    /// Brings words by the interaction's token, again where that may help.
    async fn put(
        &self,
        route: &AnswerRoute,
        message: &Value,
        way: Way,
    ) -> Result<(), DiscordError> {
        let key = (route.application.as_str(), route.token.as_str());
        let mut tried = 0;
        loop {
            tried += 1;
            let put = match way {
                Way::Promised => self.client.answer_later(key, message).await,
                Way::After => self.client.follow_up(key, message).await,
            };
            match put {
                Err(error) if tried < TRIES => match again(&error, way) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                put => return put,
            }
        }
    }

    /// Where the interaction can't be answered any more, the words go to the person's direct messages.
    pub(super) async fn settle(
        &self,
        said: Result<(), DiscordError>,
        message: &Value,
        account: &str,
    ) {
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

/// Where words go that follow an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the place of what it promised.
    Promised,
    /// After it.
    After,
}

/// After what wait words are brought again; `None`: that wouldn't help, or say them twice.
fn again(error: &DiscordError, way: Way) -> Option<Duration> {
    match error {
        DiscordError::AnswerGone { code: UNANSWERED } => Some(OVERTAKEN),
        DiscordError::Limited { after } => Some(after.unwrap_or(AGAIN).min(LONGEST)),
        DiscordError::Unreachable { .. } => Some(AGAIN),
        DiscordError::Lost { .. } if way == Way::Promised => Some(AGAIN),
        _ => None,
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
