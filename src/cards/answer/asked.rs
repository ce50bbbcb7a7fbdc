//! Answers around asking: who may not and why, what was mistyped, what can be opened instead.

use chrono::{DateTime, Utc};

use super::home::Offer;
use crate::cards::root::{about, name};
use crate::cards::{Open, button, words};
use crate::domain::card::{Block, ButtonStyle, Card, Text};
use crate::domain::id::{DraftId, RequestNumber};
use crate::domain::person::Platform;
use crate::domain::refusal::Refusal;
use crate::domain::slash::{Ask, Slash};
use crate::domain::view::RequestView;

/// Longest piece of somebody's words that is said back.
const SAID_BACK: usize = 200;
/// Buttons in a row.
const ROW: usize = 3;

/// Why somebody may not ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MayNotAsk {
    /// A guest of some channels.
    Guest,
    /// Someone of another company in a shared channel.
    Outsider,
    /// A bot or an app.
    Bot,
    /// A deactivated account, or one of somebody who left.
    Inactive,
    /// The delivery is of a workspace or an app that isn't installed here.
    NotInstalled,
    /// The operator lists the servers that are served, and this one isn't among them.
    Unlisted {
        /// Its id, as the operator would write it.
        place: String,
    },
    /// Nobody knows yet where somebody belongs who acts where the platform names no place: in direct messages.
    Unplaced,
    /// Somebody acts where the platform names no place, and the one that they are known from refuses us, or took us out.
    Away {
        /// Its name.
        place: String,
    },
    /// No workspace is known yet: the first start hasn't heard from the platform who it is.
    Starting,
    /// In none of the groups that the command allows.
    NotAllowed {
        /// The command.
        command: String,
        /// The groups that may.
        allow: Vec<String>,
    },
    /// As many open requests as one person may have.
    TooMany {
        /// The limit.
        max: u32,
        /// The slash command, where this is read.
        slash: Slash,
    },
    /// New requests are stopped for now.
    Paused {
        /// The operator's reason.
        reason: String,
    },
    /// The groups that decide who may ask can't be read now.
    Stale {
        /// The group.
        group: String,
    },
}

/// Why somebody may not ask, in one sentence, and what to do instead, as it is read on this platform.
pub fn may_not_ask(why: &MayNotAsk, on: Platform) -> Refusal {
    let here = words::installation(on);
    match why {
        MayNotAsk::Guest => {
            Refusal::new("Guests can't ask for this; a full member can ask for you.")
        }
        MayNotAsk::Outsider => Refusal::new(format!(
            "Only members of this {here} can ask for this; someone of the company that owns it can ask for you."
        )),
        MayNotAsk::Bot => Refusal::new("Bots and apps can't ask for this; a person has to."),
        MayNotAsk::Inactive if on == Platform::Discord => Refusal::new(
            "You aren't in the server any more, as far as I know, so you can't ask for anything.",
        )
        .instead("If you just came back, please try again in a minute."),
        MayNotAsk::Inactive => Refusal::new(
            "Your account is deactivated, so it can't ask for anything; your workspace's admins can change that.",
        ),
        MayNotAsk::NotInstalled => Refusal::new(format!(
            "This {here} isn't connected to this bot; whoever runs it has to install it here first."
        )),
        MayNotAsk::Unlisted { place } => {
            Refusal::new("This server isn't among those that I am to serve.").instead(
                Text::plain("Whoever runs me can add its id, ")
                    .code(words::line(place))
                    .and(", to ")
                    .code("guilds")
                    .and(" under ")
                    .code("[discord]")
                    .and(" in my configuration, and start me again."),
            )
        }
        MayNotAsk::Unplaced => Refusal::new("I don't know yet where you belong.").instead(
            "Please type the command in a channel of your server first; from then on it works here too.",
        ),
        MayNotAsk::Away { place } => Refusal::new(format!(
            "I know you from {}, and can't serve it at the moment.",
            words::line(place)
        ))
        .instead(
            "If I was taken out of that server, whoever manages it can add me again; else whoever runs me finds the reason in the log.",
        ),
        MayNotAsk::Starting => Refusal::new(format!(
            "I have only just started and am still looking up this {here}."
        ))
        .instead(
            "Please try again in a few seconds. If it stays like this, whoever runs me finds the reason in the log.",
        ),
        MayNotAsk::NotAllowed { command, allow } => {
            let allow: Vec<String> = allow
                .iter()
                .map(|g| words::group_name(g.strip_prefix("group:").unwrap_or(g)))
                .collect();
            Refusal::new(format!(
                "Only {} can ask for {}.",
                words::all_of(&allow),
                words::line(command)
            ))
            .instead("Someone there can ask for you.")
        }
        MayNotAsk::TooMany { max, slash } => Refusal::new(format!(
            "You have {} open, which is the limit.",
            words::count(*max as usize, "request")
        ))
        .instead(
            Text::default()
                .code(words::typed(slash, Ask::List))
                .and(" shows them; ")
                .code(words::typed(slash, Ask::Cancel("ID")))
                .and(" takes one back."),
        ),
        MayNotAsk::Paused { reason } => Refusal::new("New requests are paused.")
            .because(words::sentence(reason))
            .instead("Requests that run go on."),
        MayNotAsk::Stale { group } => Refusal::new(format!(
            "I can't tell at the moment who is in {}.",
            words::group_name(group)
        ))
        .instead("Please try again in a minute."),
    }
}

/// A refusal as something to read.
pub fn refused(refusal: &Refusal) -> Card {
    let mut line = words::lined(&refusal.what);
    for more in [&refusal.why, &refusal.next].into_iter().flatten() {
        line = line.and(" ");
        line.0.extend(words::lined(more).0);
    }
    if let Some(nearest) = &refusal.nearest {
        line = line
            .and(" Did you mean ")
            .code(words::line(nearest))
            .and("?");
    }
    Card::lines([line])
}

/// We broke: what was not done, and the reference under which the log has the cause.
///
/// `undone` is a clause: `your click was not counted`, `nothing was asked for`.
pub fn broken(undone: &str, reference: &str) -> Card {
    Card::lines([format!(
        "Something broke on our side; {}. Reference {reference}",
        words::clause(undone)
    )])
}

/// A form was sent before the account was looked up: it is kept.
pub fn looking_up(draft: DraftId) -> Card {
    with_button(
        "I am still looking up your account; what you typed is kept. Please send it again in a few seconds.".into(),
        &Open::Draft(draft),
        "Continue",
    )
}

/// Something was asked for that only members read, before the account was looked up.
pub fn not_looked_up() -> Card {
    Card::lines(["I am still looking up your account. Please try again in a few seconds."])
}

/// A form couldn't be opened in time: here is a button that can.
pub fn open_form(what: &Open) -> Card {
    with_button(
        "The form couldn't be opened in time. This button opens it, with what you typed:".into(),
        what,
        "Open form",
    )
}

/// A form was asked for where only a button can open one.
pub fn form_by_button(what: &Open) -> Card {
    with_button(
        "This button opens the form, with what you typed:".into(),
        what,
        "Open form",
    )
}

/// There is a draft of this command: go on, or start anew.
pub fn draft_found(
    command: &str,
    draft: DraftId,
    typed_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Card {
    let line = Text::plain("You began ")
        .code(words::line(command))
        .and(" at ")
        .with(words::when(typed_at, now))
        .and("; what you typed is kept.");
    let fallback = line.to_string();
    Card {
        fallback,
        blocks: vec![
            Block::Lines { lines: vec![line] },
            Block::Buttons {
                buttons: vec![
                    button::open(&Open::Draft(draft), "Continue", ButtonStyle::Primary),
                    button::open(
                        &Open::Command(command.to_owned()),
                        "Start anew",
                        ButtonStyle::Plain,
                    ),
                ],
                menu: Vec::new(),
            },
        ],
    }
}

/// The form can't be sent any more: it was sent, or lay too long.
pub fn draft_gone() -> Card {
    Card::lines([
        "This form was sent already, or is too old to go on with. Type the command again to begin anew.",
    ])
}

/// The request was taken; where it stands comes by the permalink.
pub fn submitted(number: RequestNumber, subject: &str, place: &str) -> Card {
    Card::lines([format!(
        "{number} {} is asked for. It stands in {}.",
        about(subject),
        words::line(place)
    )])
}

/// One word that is no command: the nearest one, and where all stand.
pub fn unknown_command(typed: &str, nearest: Option<&Offer>, slash: &Slash) -> Card {
    let typed = words::clip(&words::line(typed), SAID_BACK);
    let line = Text::plain("There is no command ").code(typed).and(".");
    let Some(offer) = nearest else {
        let all = words::typed(slash, Ask::Help);
        return Card::lines([line.and(" All of them: ").code(all)]);
    };
    let line = line
        .and(" Did you mean ")
        .code(words::typed(slash, Ask::Command(&offer.name)))
        .and("?");
    Card {
        fallback: line.to_string(),
        blocks: vec![
            Block::Lines { lines: vec![line] },
            offers(std::slice::from_ref(offer)),
        ],
    }
}

/// A sentence that is no command: the commands, with the words kept in what they open.
pub fn sentence(typed: &str, commands: &[Offer], slash: &Slash) -> Card {
    let typed = words::clip(&words::line(typed), SAID_BACK);
    if commands.is_empty() {
        return unknown_command(&typed, None, slash);
    }
    let line = Text::plain("You wrote \"")
        .and(typed)
        .and("\". Which of these is it? Your words go along.");
    let mut lines = vec![line];
    lines.extend(commands.iter().map(Offer::line));
    Card {
        fallback: lines
            .iter()
            .map(Text::to_string)
            .collect::<Vec<_>>()
            .join(" "),
        blocks: vec![Block::Lines { lines }, offers(commands)],
    }
}

/// Somebody typed a decision: only the button knows which plan they saw.
pub fn use_the_button(waiting: &[RequestView]) -> Card {
    let mut lines = vec![Text::plain(
        "Decisions count by the buttons on the card only, so that it is certain which plan you saw.",
    )];
    if !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(name).collect();
        lines.push(Text::plain(format!(
            "Waiting for you: {}.",
            names.join(", ")
        )));
    }
    Card::lines(lines)
}

/// A reserved word whose command doesn't exist yet.
pub fn not_built(word: &str, slash: &Slash) -> Card {
    Card::lines([Text::default()
        .code(words::line(word))
        .and(" isn't built yet. What there is: ")
        .code(words::typed(slash, Ask::Help))])
}

/// Buttons of commands: three in the row, the rest behind the menu.
pub(super) fn offers(commands: &[Offer]) -> Block {
    let mut buttons: Vec<_> = commands.iter().map(Offer::button).collect();
    let menu = buttons.split_off(buttons.len().min(ROW));
    Block::Buttons { buttons, menu }
}

pub(super) fn with_button(line: Text, what: &Open, label: &str) -> Card {
    Card {
        fallback: format!("{line} ({label})"),
        blocks: vec![
            Block::Lines { lines: vec![line] },
            Block::Buttons {
                buttons: vec![button::open(what, label, ButtonStyle::Primary)],
                menu: Vec::new(),
            },
        ],
    }
}
