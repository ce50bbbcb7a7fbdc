//! `/idp` alone, `help`, `status` and `list`: what can be done, what is open, what waits for whom.

use chrono::{DateTime, Utc};

use super::asked::offers;
use crate::cards::root::{name, state, title};
use crate::cards::{Open, button, waits, words};
use crate::domain::card::{Block, Button, ButtonStyle, Card, Text};
use crate::domain::id::DraftId;
use crate::domain::slash::{Ask, Slash};
use crate::domain::view::RequestView;

/// Requests shown by one answer: three lines each stay well inside a message's fifty blocks (<https://docs.slack.dev/reference/block-kit/blocks>).
const SHOWN: usize = 10;

/// A command that somebody may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name as typed: `new-service`.
    pub name: String,
    /// Its title: `Create a service from a golden path`.
    pub title: String,
    /// What its button opens: the command, or a draft that keeps words for it.
    pub open: Open,
}

/// All that `/idp` alone shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Home<'a> {
    /// The slash command as typed (`/idp-staging`), where this is read.
    pub slash: &'a Slash,
    /// What this person may ask for.
    pub commands: &'a [Offer],
    /// Drafts of the last 24 hours: the command and the draft.
    pub drafts: &'a [(String, DraftId)],
    /// This person's open requests.
    pub mine: &'a [RequestView],
    /// Open requests that wait for this person.
    pub waiting: &'a [RequestView],
}

impl Offer {
    /// `new-service: Create a service from a golden path`
    pub(super) fn line(&self) -> Text {
        Text::default()
            .code(words::line(&self.name))
            .and(format!(" {}", words::line(&self.title)))
    }

    pub(super) fn button(&self) -> Button {
        button::open(&self.open, &self.name, ButtonStyle::Plain)
    }
}

/// What can I do, what waits for me, what have I open.
pub fn home(home: &Home<'_>, now: DateTime<Utc>) -> Card {
    let mut blocks = Vec::new();
    if !home.waiting.is_empty() {
        blocks.push(heading("Waits for you"));
        blocks.extend(requests(home.waiting, now));
    }
    blocks.push(heading("What you can ask for"));
    if home.commands.is_empty() {
        blocks.push(lines(vec![
            "Nothing yet: no command is open to you.".into(),
        ]));
    } else {
        blocks.push(lines(home.commands.iter().map(Offer::line).collect()));
        blocks.push(offers(home.commands));
    }
    if !home.drafts.is_empty() {
        blocks.push(heading("Begun"));
        let begun = |(command, _): &(String, DraftId)| {
            Text::default()
                .code(words::line(command))
                .and(" is half filled in")
        };
        blocks.push(lines(home.drafts.iter().map(begun).collect()));
        let buttons = home.drafts.iter().take(3).map(|(command, id)| {
            let label = format!("Continue {command}");
            let label = if label.chars().count() > 20 {
                "Continue"
            } else {
                &label
            };
            button::open(&Open::Draft(*id), label, ButtonStyle::Plain)
        });
        blocks.push(Block::Buttons {
            buttons: buttons.collect(),
            menu: Vec::new(),
        });
    }
    blocks.push(heading("Your open requests"));
    if home.mine.is_empty() {
        blocks.push(lines(vec!["None.".into()]));
    } else {
        blocks.extend(requests(home.mine, now));
    }
    blocks.push(Block::Small {
        lines: vec![Text::plain("More: ").code(words::typed(home.slash, Ask::Help))],
    });
    Card {
        fallback: format!(
            "{}: {} to ask for, {} waiting for you, {} open of yours",
            words::line(home.slash.name()),
            words::count(home.commands.len(), "command"),
            home.waiting.len(),
            home.mine.len()
        ),
        blocks,
    }
}

/// Which accounts can be linked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// One on GitHub.
    pub github: bool,
    /// Those of several chats.
    pub chats: bool,
}

/// Every command and every word, as they are typed where this is read.
pub fn help(slash: &Slash, commands: &[Offer], links: Links) -> Card {
    let typed = |ask: Ask<'_>, what: &str| {
        Text::default()
            .code(words::typed(slash, ask))
            .and(format!(" {what}"))
    };
    let mut asks: Vec<Text> = commands
        .iter()
        .map(|c| typed(Ask::Command(&c.name), &words::line(&c.title)))
        .collect();
    if asks.is_empty() {
        asks.push("No command is open to you.".into());
    }
    let mut words_of_ours = vec![
        typed(
            Ask::Home,
            "what you can ask for, what waits for you, what you have open",
        ),
        typed(Ask::Status(None), "what your open requests wait for"),
        typed(Ask::Status(Some("ID")), "the same of one request"),
        typed(Ask::List, "your latest requests"),
        typed(
            Ask::Cancel("ID"),
            "takes a request back; what was done is undone",
        ),
    ];
    if links.chats {
        words_of_ours.push(typed(
            Ask::Link(None),
            "makes this account and yours in the other chat one person",
        ));
    }
    if links.github {
        words_of_ours.push(typed(
            Ask::Link(Some("github")),
            "makes your account on GitHub count here",
        ));
    }
    words_of_ours.push(typed(Ask::Help, "this"));
    let mut blocks = vec![heading("Ask"), lines(asks)];
    if !commands.is_empty() {
        blocks.push(offers(commands));
    }
    blocks.push(heading("Look after"));
    blocks.push(lines(words_of_ours));
    Card {
        fallback: format!(
            "{}: {}, status, list, cancel",
            words::typed(slash, Ask::Help),
            commands
                .iter()
                .map(|c| words::line(&c.name))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        blocks,
    }
}

/// What one request, or each open one, waits for, since when, and who can unblock it.
pub fn status(views: &[RequestView], now: DateTime<Utc>) -> Card {
    if views.is_empty() {
        return Card::lines(["You have no open request."]);
    }
    told(views, now)
}

/// One request; `follows`: its card comes to the reader, who looks at it from another chat, by direct message.
pub fn status_of(view: &RequestView, follows: bool, now: DateTime<Utc>) -> Card {
    let mut card = told(std::slice::from_ref(view), now);
    if follows {
        let here = "Its card with the buttons comes to you here as a direct message, and stays up to date.";
        card.fallback = format!("{} {here}", card.fallback);
        card.blocks.push(lines(vec![here.into()]));
    }
    card
}

/// The latest requests, open or not.
pub fn list(views: &[RequestView], now: DateTime<Utc>) -> Card {
    if views.is_empty() {
        return Card::lines(["You haven't asked for anything yet."]);
    }
    told(views, now)
}

fn told(views: &[RequestView], now: DateTime<Utc>) -> Card {
    let says: Vec<String> = views
        .iter()
        .take(SHOWN)
        .map(|view| words::stopped(&format!("{}: {}", name(view), state(view, now).1)))
        .collect();
    Card {
        fallback: says.join(" "),
        blocks: requests(views, now),
    }
}

/// Three lines a request: what, where it stands, what it waits for.
fn requests(views: &[RequestView], now: DateTime<Utc>) -> Vec<Block> {
    let mut blocks: Vec<Block> = views
        .iter()
        .take(SHOWN)
        .map(|view| {
            let mut told = vec![title(view), state(view, now).0];
            told.extend(waits::line(view, now));
            lines(told)
        })
        .collect();
    if views.len() > SHOWN {
        let more = views.len() - SHOWN;
        blocks.push(Block::Small {
            lines: vec![Text::plain(format!(
                "and {more} more; ask for one by its number"
            ))],
        });
    }
    blocks
}

fn heading(text: &str) -> Block {
    Block::Heading {
        text: text.to_owned(),
    }
}

fn lines(lines: Vec<Text>) -> Block {
    Block::Lines { lines }
}
