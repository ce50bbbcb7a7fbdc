//! From a delivery to its answer, inside Slack's three seconds.
//!
//! The transaction runs in a task of its own: it ends even if nobody waits for it any more. If it outlasts the budget
//! the person reads "still working" and the reply follows by what ways are left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::{JoinError, JoinHandle};

use super::{Edge, calls};
use crate::app::{self, Broken, instead};
use crate::chat::slack::parse::{AnswerRoute, Inbound, RouteKind};
use crate::chat::slack::render::{self, Answer};
use crate::domain::event::{Delivery, Event, Turn};
use crate::domain::form::FieldError;
use crate::domain::reply::Reply;

/// How long the transaction may take before an answer leaves without it (Slack gives up after 3 s).
const WORK: Duration = Duration::from_millis(2_500);
/// When a view has to be open, counted from the delivery: its trigger dies after 3 s.
const VIEW: Duration = Duration::from_millis(2_800);
/// What opening a view gets at most, and at least.
const OPENING: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(2));

/// What Slack is told.
#[derive(Debug, PartialEq)]
pub(super) enum Ack {
    /// It is ours now; with an answer, where there is one.
    Taken(Option<Value>),
    /// Nothing was kept: Slack is to deliver it again. Only events are delivered again.
    DeliverAgain,
}

/// Asks for the page of a form as it is by then, with nothing new, where a changed field redraws one.
fn redraw(delivery: &Delivery) -> Option<Delivery> {
    let Event::PageFilled {
        draft,
        page,
        turn: Turn::Stay,
        ..
    } = delivery.event
    else {
        return None;
    };
    Some(Delivery {
        key: format!("{}:redraw", delivery.key),
        sender: delivery.sender.clone(),
        event: Event::PageFilled {
            draft,
            page,
            values: Vec::new(),
            turn: Turn::Stay,
        },
    })
}

/// What came of the work, and what has to be said if it broke.
type Worked = Result<Result<Reply, Broken>, JoinError>;

impl Edge {
    /// Acts on a delivery.
    pub(super) async fn act(self: &Arc<Self>, inbound: Inbound) -> Ack {
        let began = Instant::now();
        let Inbound { delivery, route } = inbound;
        let undone = instead::undone(&delivery.event);
        let searched = matches!(delivery.event, Event::Searched { .. });
        let redraw = redraw(&delivery);
        let edge = Arc::clone(self);
        let mut work = self
            .tasks
            .spawn(async move { app::handle(&edge.app, delivery).await });

        let ack = match tokio::time::timeout(WORK, &mut work).await {
            Ok(worked) => match reply(worked, undone, &route) {
                Some(reply) => self.leave(&reply, &route, (began, redraw)).await,
                None => Ack::DeliverAgain,
            },
            // Nobody waits for its answer, and what is delivered again finds the work done or breaks as well.
            Err(_) if route.kind == RouteKind::Event => {
                tracing::warn!("An event takes longer than Slack waits; it is to come again");
                Ack::DeliverAgain
            }
            Err(_) => self.leave_later(work, undone, route),
        };
        // A search is a key press: it would drown the rest.
        if !searched {
            self.metrics.answered(began.elapsed());
        }
        self.metrics.delivered(
            "slack",
            match ack {
                Ack::Taken(_) => "taken",
                Ack::DeliverAgain => "broken",
            },
        );
        ack
    }

    /// Opens the view, if one is to be opened, gives the body, and leaves the rest for after.
    async fn leave(
        self: &Arc<Self>,
        reply: &Reply,
        route: &AnswerRoute,
        (began, redraw): (Instant, Option<Delivery>),
    ) -> Ack {
        let mut answer = render::answer(reply, route);
        if let Some(call) = answer.before.take() {
            let left = VIEW
                .saturating_sub(began.elapsed())
                .clamp(OPENING.0, OPENING.1);
            if let Err(error) = self.call(&call, Some(left)).await {
                answer = calls::not_opened(&error, reply, route);
            }
        }
        let Answer { body, after, .. } = answer;
        self.call_after(after, redraw.map(|delivery| (delivery, route.clone())));
        Ack::Taken(body)
    }

    /// Answers without the reply, which follows.
    fn leave_later(
        self: &Arc<Self>,
        work: JoinHandle<Result<Reply, Broken>>,
        undone: &'static str,
        route: AnswerRoute,
    ) -> Ack {
        tracing::warn!(kind = ?route.kind, "An answer left without its reply, which takes longer");
        let body = render::still_working(&instead::still_working(), &route);
        let edge = Arc::clone(self);
        self.tasks.spawn(async move {
            let Some(reply) = reply(work.await, undone, &route) else {
                return;
            };
            for call in render::late(&reply, &route) {
                if edge.call(&call, None).await.is_err() {
                    let instead = Reply::Card {
                        card: instead::not_opened(&reply),
                    };
                    for call in render::late(&instead, &route) {
                        edge.call_and_log(&call).await;
                    }
                    return;
                }
            }
        });
        Ack::Taken(body)
    }
}

/// The reply, also to work that broke; none where Slack will deliver again.
fn reply(worked: Worked, undone: &str, route: &AnswerRoute) -> Option<Reply> {
    let broken = match worked {
        Ok(Ok(reply)) => return Some(possible(reply, route)),
        Ok(Err(broken)) => broken,
        Err(panicked) => Broken::log("answering Slack", panicked.into()),
    };
    let card = instead::broken(undone, &broken);
    match (route.kind, route.fields.first()) {
        (RouteKind::Event, _) => None,
        // The page stays, and with it what was typed.
        (RouteKind::ViewSubmission, Some((field, _))) => Some(Reply::Errors {
            errors: vec![FieldError {
                field: field.clone(),
                label: field.clone(),
                message: card.fallback,
            }],
        }),
        _ => Some(Reply::Card { card }),
    }
}

/// Nothing opens a view from a mention: there a button does.
fn possible(reply: Reply, route: &AnswerRoute) -> Reply {
    match (&reply, route.kind) {
        (Reply::Form { .. }, RouteKind::Event) => Reply::Card {
            card: instead::not_opened(&reply),
        },
        _ => reply,
    }
}
