//! Messages beside the root card: the three milestones of a thread, the reminder, and where a request stands.
//!
//! A request's thread gets at most three of them (asked, decided, ended). Only these mention anybody.

use chrono::{DateTime, Utc};

use super::root::{name, state, subject, title};
use super::{button, words};
use crate::domain::card::{Block, Card, Mention, Span, Text};
use crate::domain::person::{GroupName, PersonName, Platform};
use crate::domain::request::RequestState;
use crate::domain::run::RunState;
use crate::domain::view::{PlanView, RequestView};

/// Why a request's thread goes on in the requester's direct messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The channel was archived or deleted.
    Archived,
    /// The bot was removed from the channel, or was never in it: each platform has its own way to let it in.
    NotIn(Platform),
}

/// Asks the people who can decide and who read along here. Without anybody to call, the groups are named.
///
/// `@payments-leads: 142 payments-api needs one of you by Tue 14:05. The buttons are on the card above; …`
pub fn approval_asked(view: &RequestView, call: &[Mention]) -> Card {
    let Some(plan) = &view.plan else {
        return Card::lines([Text::plain(format!("{} is being planned.", name(view)))]);
    };
    let mut line = Text::default();
    for (at, whom) in call.iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        line = line.and(space).with(Span::Mention { whom: whom.clone() });
    }
    if call.is_empty() {
        line = line.and(words::handles(asked(plan), words::all_of));
    }
    line = line.and(format!(": {} needs {}", name(view), wanted(asked(plan))));
    if let Some(until) = plan.expires_at {
        line = line.and(" by ").with(words::day(until));
    }
    Card::lines([line.and(". The buttons are on the card above; ask questions here.")])
}

/// What was decided: `Approved by Alex Ruiz (rule team-lead, plan 7f3a9c).` A Deny calls the requester.
pub fn decided(view: &RequestView) -> Card {
    if view.state == RequestState::Denied {
        return ended(view);
    }
    let plan = view.plan.as_ref();
    let digest = plan.map_or_else(String::new, |p| format!(", plan {}", p.digest.short()));
    let (who, rule) = match (&view.run, plan) {
        (Some(run), _) => (names(&run.approved_by), words::line(&run.rule)),
        (None, Some(plan)) => (names(&plan.approvals), words::line(&plan.rule)),
        (None, None) => (Vec::new(), String::new()),
    };
    Card::lines([if who.is_empty() {
        Text::plain(format!("Approved: rule {rule} asks nobody{digest}."))
    } else {
        Text::plain(format!(
            "Approved by {} (rule {rule}{digest}).",
            words::all_of(&who)
        ))
    }])
}

/// How it ended, to the requester: ready, stopped, denied, expired, refused, taken back.
pub fn ended(view: &RequestView) -> Card {
    let line = words_to_requester(view);
    Card::lines([line])
}

fn words_to_requester(view: &RequestView) -> Text {
    let to = Text::default().with(words::call(&view.requester));
    let run = view
        .run
        .as_ref()
        .filter(|_| view.state == RequestState::Approved);
    let Some(run) = run else {
        let (_, say) = state(view, view.since);
        return to.and(format!(" {}: {}", name(view), words::stopped(&say)));
    };
    let stopped = run.steps.iter().find(|s| s.cause.is_some());
    let title = stopped.map_or_else(|| "a step".to_owned(), |s| words::line(&s.title));
    let cause = stopped
        .and_then(|s| s.cause.as_deref())
        .map_or_else(String::new, |c| format!(": {}", words::clause(c)));
    match run.state {
        RunState::Succeeded => ready(to, view),
        RunState::Failed => to.and(format!(
            " {} stopped at {title}{cause}. Retry or Undo on the card.",
            view.number
        )),
        RunState::Blocked => to.and(format!(
            " {} needs a look at {title}{cause}. What to check stands on the card.",
            view.number
        )),
        _ => {
            let (_, say) = state(view, run.since);
            to.and(format!(" {}: {}", name(view), words::stopped(&say)))
        }
    }
}

fn ready(to: Text, view: &RequestView) -> Text {
    let links = view.run.iter().flat_map(|run| &run.links);
    let links: Vec<_> = links.filter(|(_, url)| words::opens(url)).collect();
    let mut line = to.and(format!(" {} is ready", subject(view)));
    for (at, (title, url)) in links.iter().enumerate() {
        line = line
            .and(if at == 0 { ": " } else { " · " })
            .with(Span::Link {
                url: url.clone(),
                label: words::line(title),
            });
    }
    if links.is_empty() {
        line.and(".")
    } else {
        line
    }
}

/// The one reminder, to somebody who can act. The link leads to the card with the buttons, where there is one.
pub fn reminder(view: &RequestView, card: Option<&str>) -> Card {
    let mut line = Text::plain(format!("{} still waits for you", name(view)));
    let mut buttons = Vec::new();
    if let Some(plan) = &view.plan {
        let groups = words::handles(&plan.lacking, words::one_of);
        line = Text::plain(format!(
            "{} still waits for {} of {groups}",
            name(view),
            one(plan)
        ));
        if let Some(until) = plan.expires_at {
            line = line
                .and(", until ")
                .with(words::day(until))
                .and(", then it expires");
        }
        buttons = vec![
            button::approve(view, plan),
            button::deny(plan),
            button::see_plan(plan),
        ];
    }
    line = line.and(".");
    if let Some(url) = card.filter(|url| words::opens(url)) {
        line = line.and(" ").with(Span::Link {
            url: url.to_owned(),
            label: "The card with its thread".to_owned(),
        });
    }
    let fallback = line.to_string();
    let mut blocks = vec![Block::Lines {
        lines: vec![line, title(view)],
    }];
    // A card that was decided meanwhile asks nobody any more.
    if view.state == RequestState::AwaitingApproval && !buttons.is_empty() {
        blocks.push(Block::Buttons {
            buttons,
            menu: Vec::new(),
        });
    }
    Card { fallback, blocks }
}

/// Says why the request is told here from now on.
pub fn moved(view: &RequestView, why: Moved) -> Card {
    let why = match why {
        Moved::Archived => "its channel was archived or deleted".to_owned(),
        Moved::NotIn(platform) => {
            format!("I can't post in its channel ({})", words::let_in(platform))
        }
    };
    Card::lines([Text::plain(format!("{} goes on here: {why}.", name(view)))])
}

/// Tells the requester where the request stands: `Your request 142 payments-api stands in #platform.`
pub fn permalink(view: &RequestView, channel: &str, url: Option<&str>) -> Card {
    let line = Text::plain(format!("Your request {} stands in ", name(view)));
    Card::lines([match url.filter(|url| words::opens(url)) {
        Some(url) => line
            .with(Span::Link {
                url: url.to_owned(),
                label: words::line(channel),
            })
            .and("."),
        None => line.and(format!("{}.", words::line(channel))),
    }])
}

/// The quorums that are asked; all of the rule once none is lacking, so that the question still reads well later.
fn asked(plan: &PlanView) -> &[(GroupName, u32)] {
    if plan.lacking.is_empty() {
        &plan.require
    } else {
        &plan.lacking
    }
}

/// `one of you`, or how many out of which group.
fn wanted(quorums: &[(GroupName, u32)]) -> String {
    match quorums {
        [(_, 1)] => "one of you".to_owned(),
        [(_, count)] => format!("{count} of you"),
        several => words::quorums(several),
    }
}

fn one(plan: &PlanView) -> String {
    match plan.lacking.as_slice() {
        [(_, 1)] | [] => "one".to_owned(),
        [(_, count)] => count.to_string(),
        _ => "some".to_owned(),
    }
}

fn names(votes: &[(PersonName, DateTime<Utc>)]) -> Vec<String> {
    votes.iter().map(|(p, _)| words::line(&p.name)).collect()
}
