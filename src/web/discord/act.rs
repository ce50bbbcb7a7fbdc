//! From an interaction to its answer, inside Discord's three seconds.
//!
//! As on every platform the transaction runs in a task of its own, which ends even if nobody waits for it any more. If it
//! outlasts the budget, the answer promises a reply, and that follows by the interaction's token, which is good for
//! fifteen minutes: it is brought again and again until it is there. Where the token is over (the process was away) or
//! Discord can't be reached by it, the words go by the bot's own, in direct messages.

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
use crate::domain::event::{Delivery, Event};
use crate::domain::reply::Reply;
use crate::web::backoff;

/// Discord's code for an interaction whose answer it hasn't yet, and the wait then: what follows an answer may overtake it
/// on the way.
const UNANSWERED: u64 = 10_015;
const OVERTAKEN: Duration = Duration::from_millis(200);
/// How often that is waited for: an answer that hasn't come by then never will.
const OVERTAKES: u32 = 5;
/// The waits after words that didn't arrive, from the first up to the longest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// For how long an interaction's token is good
/// (docs.discord.com/developers/interactions/receiving-and-responding, "Followup Messages").
const TOKEN: Duration = Duration::from_mins(15);
/// For how long Discord surely knows the mark of a message ("the past few minutes").
const MARK: Duration = Duration::from_mins(2);

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

    /// Acts on a delivery, of a guild that may be new to us. Nothing is learned from one that is not to be served.
    pub(super) async fn handle(&self, delivery: Delivery) -> Result<Reply, Broken> {
        let sender = &delivery.sender;
        if !sender.installation.is_empty() && !(self.greet)(sender.installation.clone()).await {
            if sender.account.is_empty() || matches!(delivery.event, Event::AccountChanged) {
                return Ok(Reply::Done);
            }
            // Whoever acts is told so.
            return app::turn_away(&self.app, &delivery).await;
        }
        let guild = &delivery.sender.installation;
        match delivery.event {
            Event::Installed => self.health.in_guild(guild, true),
            Event::Uninstalled => self.health.in_guild(guild, false),
            _ => {}
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
            let put = edge.bring(&first, Way::Promised(&route)).await;
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
            let said = self.bring(&message, Way::After(route)).await;
            self.settle(said, &message, account).await;
        }
    }

    /// Brings words, again for as long as that may help.
    async fn bring(&self, message: &Value, way: Way<'_>) -> Result<(), DiscordError> {
        let until = Instant::now() + way.patience();
        let mut tried = 0;
        loop {
            tried += 1;
            let Err(error) = self.bring_once(message, way).await else {
                return Ok(());
            };
            let Some(wait) = again(&error, way, tried) else {
                return Err(error);
            };
            if Instant::now() + wait > until || !self.pause(wait).await {
                return Err(error);
            }
        }
    }

    async fn bring_once(&self, message: &Value, way: Way<'_>) -> Result<(), DiscordError> {
        match way {
            Way::Promised(route) => self.client.answer_later(key(route), message).await,
            Way::After(route) => self.client.follow_up(key(route), message).await,
            Way::Direct(account, mark) => self.whisper(message, account, mark).await,
        }
    }

    /// Where the interaction can't be answered any more, or isn't reached, the words go to the person's direct messages.
    pub(super) async fn settle(
        &self,
        said: Result<(), DiscordError>,
        message: &Value,
        account: &str,
    ) {
        let said = match said {
            Err(
                DiscordError::AnswerGone { .. }
                | DiscordError::Lost { .. }
                | DiscordError::Unreachable { .. }
                | DiscordError::Limited { .. },
            ) => {
                let mark = Uuid::now_v7();
                self.bring(message, Way::Direct(account, mark)).await
            }
            said => said,
        };
        if let Err(error) = said {
            tracing::warn!(%error, "An answer did not reach the person");
        }
    }

    async fn whisper(
        &self,
        message: &Value,
        account: &str,
        mark: Uuid,
    ) -> Result<(), DiscordError> {
        let channel = self.client.open_direct(account).await?;
        let mut body = message.clone();
        // Direct messages know no messages for one alone.
        body["flags"] = 0.into();
        let post = Post {
            channel: &channel,
            body: &body,
            answers: None,
            mark,
        };
        self.client.post(&post).await.map(drop)
    }
}

/// Where words go that follow an answer.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// In the place of what it promised.
    Promised(&'a AnswerRoute),
    /// After it.
    After(&'a AnswerRoute),
    /// To an account's direct messages, under a mark.
    Direct(&'a str, Uuid),
}

impl Way<'_> {
    /// For how long words are brought this way.
    const fn patience(self) -> Duration {
        match self {
            Self::Promised(_) | Self::After(_) => TOKEN,
            Self::Direct(..) => MARK,
        }
    }
}

/// What proves that an interaction was ours.
fn key(route: &AnswerRoute) -> (&str, &str) {
    (route.application.as_str(), route.token.as_str())
}

/// After what wait words are brought again that failed so many times; `None`: that wouldn't help, or say them twice.
fn again(error: &DiscordError, way: Way<'_>, failures: u32) -> Option<Duration> {
    match error {
        DiscordError::AnswerGone { code: UNANSWERED } if failures < OVERTAKES => Some(OVERTAKEN),
        DiscordError::Limited { after: Some(after) } => Some((*after).max(OVERTAKEN)),
        DiscordError::Limited { after: None } | DiscordError::Unreachable { .. } => {
            Some(backoff::wait(AGAIN, failures))
        }
        DiscordError::Lost { .. } if !matches!(way, Way::After(_)) => {
            Some(backoff::wait(AGAIN, failures))
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::discord::parse::RouteKind;

    #[test]
    fn words_are_brought_again_as_long_as_it_helps_and_said_once() {
        let route = AnswerRoute {
            kind: RouteKind::Command,
            interaction: "1".to_owned(),
            token: "token".to_owned(),
            application: "2".to_owned(),
            part: None,
        };
        let (promised, after) = (Way::Promised(&route), Way::After(&route));
        let lost = DiscordError::Lost {
            cause: "HTTP 502".to_owned(),
        };
        let wait = again(&lost, promised, 100).unwrap();
        assert!((AGAIN.1 / 2..=AGAIN.1).contains(&wait), "{wait:?}");
        assert_eq!(again(&lost, after, 1), None, "it may stand");
        let limited = DiscordError::Limited {
            after: Some(Duration::from_secs(42)),
        };
        assert_eq!(again(&limited, after, 1), Some(Duration::from_secs(42)));
        let gone = |code| DiscordError::AnswerGone { code };
        assert_eq!(again(&gone(UNANSWERED), promised, 1), Some(OVERTAKEN));
        assert_eq!(again(&gone(UNANSWERED), promised, OVERTAKES), None);
        assert_eq!(again(&gone(50_027), promised, 1), None);
    }
}
