//! Answers to a press, and to `cancel`: why it didn't count, or what it started.

use chrono::{DateTime, Utc};

use crate::cards::root::{insiders, name};
use crate::cards::{Open, button, words};
use crate::domain::card::{Card, Text};
use crate::domain::permission::Verb;
use crate::domain::request::RequestState;
use crate::domain::slash::{Ask, Slash};
use crate::domain::view::RequestView;
use crate::domain::vote::VoteRefused;

/// Why a vote didn't count. `own_groups` are the groups that the presser is in.
pub fn vote_refused(
    view: &RequestView,
    refused: &VoteRefused,
    own_groups: &[String],
    now: DateTime<Utc>,
) -> Card {
    // Whatever else is true, a request that is decided says so first.
    if view.state != RequestState::AwaitingApproval {
        return late_of(view, now);
    }
    match refused {
        VoteRefused::OwnRequest => own_request(view),
        VoteRefused::NotADecider => stranger(view, own_groups),
        VoteRefused::Stale { group, synced_at } => stale(group, *synced_at, now),
        VoteRefused::Twice => twice(view),
        VoteRefused::Late { since } => {
            Card::lines([
                Text::plain(format!("The time to decide {} was up at ", view.number))
                    .with(words::day(*since))
                    .and("; it can be asked again from its card."),
            ])
        }
        VoteRefused::OtherPlan => old_plan(view, now),
    }
}

fn own_request(view: &RequestView) -> Card {
    Card::lines([format!(
        "You asked for this, so your vote can't count. Can decide: {}.",
        deciders(view)
    )])
}

fn stranger(view: &RequestView, own_groups: &[String]) -> Card {
    let groups = view.plan.as_ref().map_or_else(
        || "others".to_owned(),
        |plan| words::handles(&plan.require, words::all_of),
    );
    let own: Vec<String> = own_groups.iter().map(|g| words::group_name(g)).collect();
    let own = if own.is_empty() {
        "none".to_owned()
    } else {
        own.join(", ")
    };
    Card::lines([format!(
        "Only {groups} decide {}. Your groups: {own}.",
        view.number
    )])
}

fn stale(group: &str, synced_at: DateTime<Utc>, now: DateTime<Utc>) -> Card {
    let age = words::took((now - synced_at).num_milliseconds());
    Card::lines([Text::plain(format!(
        "I can't tell at the moment who is in {}: the group was last read {age} ago (",
        words::group_name(group)
    ))
    .with(words::when(synced_at, now))
    .and("). Your click was not counted; please try again in a minute.")])
}

fn twice(view: &RequestView) -> Card {
    let lacking = view
        .plan
        .as_ref()
        .map_or_else(String::new, |plan| words::quorums(&plan.lacking));
    Card::lines([format!(
        "You have voted on this plan; a person counts once. Still wanted: {lacking}. Can decide: {}.",
        deciders(view)
    )])
}

/// The press came from a card that showed an earlier plan.
pub fn old_plan(view: &RequestView, now: DateTime<Utc>) -> Card {
    let changed = view.plan.as_ref().and_then(|plan| plan.replaced_at);
    Card::lines([Text::plain("The plan changed at ")
        .with(words::when(changed.unwrap_or(view.since), now))
        .and(". Please read the new one and decide again.")])
}

/// What a press that comes too late is told: read in one look, without the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late<'a> {
    /// Where the request stands.
    pub state: RequestState,
    /// Who decided or ended it, if anybody did.
    pub by: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The request moved on before the press: what happened, by whom, when.
pub fn late(late: &Late<'_>, now: DateTime<Utc>) -> Card {
    let by = late.by.map(words::line);
    let what = match late.state {
        RequestState::Planning | RequestState::AwaitingApproval => {
            return Card::lines([
                "The plan is being made again. Its card will show the new one; please decide then.",
            ]);
        }
        RequestState::Approved => done_by(by, "approved"),
        RequestState::Denied => done_by(by, "denied"),
        RequestState::Cancelled => done_by(by, "cancelled"),
        RequestState::Expired => "This expired".to_owned(),
        RequestState::Refused => "This was found impossible".to_owned(),
        RequestState::PlanFailed => "This plan couldn't be made".to_owned(),
    };
    Card::lines([Text::plain(format!("{what} at "))
        .with(words::when(late.at, now))
        .and("; the card is up to date now.")])
}

fn late_of(view: &RequestView, now: DateTime<Utc>) -> Card {
    let end = view.end.as_ref();
    let ended = end.map(|e| (e.by.as_ref(), e.at));
    let approved = view.run.as_ref().and_then(|run| run.approved_by.last());
    let approved = approved.map(|(who, at)| (Some(who), *at));
    let (by, at) = match view.state {
        RequestState::Approved => approved,
        _ => ended,
    }
    .unwrap_or((None, view.since));
    let by = by.map(|p| p.name.as_str());
    late(
        &Late {
            state: view.state,
            by,
            at,
        },
        now,
    )
}

fn done_by(who: Option<String>, did: &str) -> String {
    who.map_or_else(
        || format!("This was {did}"),
        |who| format!("{who} {did} this"),
    )
}

/// The presser is not among those who may do this.
pub fn may_not(verb: Verb, view: &RequestView) -> Card {
    let what = match verb {
        Verb::Cancel => "cancel",
        Verb::Retry => "retry",
        Verb::Undo => "undo",
        Verb::SeePlan => "see the plan of",
    };
    let who = match (&view.run, view.state) {
        (Some(run), RequestState::Approved) => insiders(view, run),
        _ => vec![words::line(&view.requester.name), "platform".to_owned()],
    };
    Card::lines([format!(
        "Only {} can {what} {}.",
        words::one_of(&who),
        view.number
    )])
}

/// The act doesn't fit the state any more (cancel of what has ended, retry of what goes on).
pub fn nothing_to_do(verb: Verb, view: &RequestView, now: DateTime<Utc>) -> Card {
    let what = match verb {
        Verb::Cancel => "cancelled",
        Verb::Retry => "retried",
        Verb::Undo => "undone",
        Verb::SeePlan => "shown",
    };
    let (state, _) = crate::cards::root::state(view, now);
    Card::lines([
        Text::plain(format!("{} can't be {what} now:", name(view))),
        state,
    ])
}

/// Retry or Undo was pressed on a card of an earlier try.
pub fn old_run(view: &RequestView, now: DateTime<Utc>) -> Card {
    let at = view.run.as_ref().map_or(view.since, |run| run.since);
    Card::lines([Text::plain(format!("{} moved on at ", name(view)))
        .with(words::when(at, now))
        .and(". The card is up to date now.")])
}

/// Retry was pressed, but the approval is too old to go on with. `own`: by the one who asked.
pub fn too_old(view: &RequestView, own: bool) -> Card {
    let why = format!("The approval of {} is too old to go on with.", name(view));
    let left = view
        .run
        .as_ref()
        .is_some_and(|run| !button::undo_words(run).is_empty());
    if left {
        let then = "Undo takes back what was made; then it can be asked again from its card.";
        return Card::lines([format!("{why} {then}")]);
    }
    if !own {
        let who = words::line(&view.requester.name);
        return Card::lines([format!("{why} {who} can ask again.")]);
    }
    let line = Text::plain(format!("{why} It can be asked again, filled in as it was:"));
    super::asked::with_button(line, &Open::Again(view.id), "Ask again")
}

/// Cancel was taken.
pub fn cancelled(view: &RequestView) -> Card {
    Card::lines([if view.state == RequestState::Cancelled {
        format!("{} is cancelled. Nothing was created.", name(view))
    } else {
        format!(
            "{} is being cancelled; what was done is taken back. Its card shows how far it is.",
            name(view)
        )
    }])
}

/// Undo was taken.
pub fn undo_begun(view: &RequestView) -> Card {
    Card::lines([format!(
        "{} is being undone; its card shows how far it is.",
        name(view)
    )])
}

/// No request has this number (or this id).
pub fn unknown_request(typed: &str, slash: &Slash) -> Card {
    let typed = words::clip(&words::line(typed), 40);
    Card::lines([Text::plain("There is no request ")
        .code(typed)
        .and(". Yours stand under ")
        .code(words::typed(slash, Ask::List))
        .and(".")])
}

fn deciders(view: &RequestView) -> String {
    view.plan
        .as_ref()
        .map_or_else(|| "nobody yet".to_owned(), words::deciders)
}
