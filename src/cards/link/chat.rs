//! Two chat accounts become one person: the code, the question to the one who asked for it, and how it ended.

use chrono::{DateTime, Utc};

use crate::cards::{button, words};
use crate::domain::card::{Block, ButtonStyle, Card, Text};
use crate::domain::event::ButtonId;
use crate::domain::id::AccountId;
use crate::domain::link::chat::{CodeState, CodeView, CodeWord, Side};
use crate::domain::person::Platform;
use crate::domain::refusal::Refusal;
use crate::domain::slash::{self, Ask, Slash};

/// With whom an account is linked, for its own eyes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The account.
    pub account: AccountId,
    /// The others.
    pub with: Vec<Side>,
    /// Whether that can be ended with a button: what the operator wrote can't.
    pub own: bool,
}

/// `Discord (Acme)`
fn place((platform, name): (Platform, &str)) -> String {
    format!("{} ({})", words::platform(platform), words::line(name))
}

/// `alex on Discord (Acme)`
fn who(side: &Side) -> String {
    let place = place((side.platform, &side.place));
    format!("{} on {place}", words::line(&side.name))
}

/// The code, for the one who asked for it: where it is to be typed, and with whom they are linked already.
pub fn code(
    code: &CodeWord,
    places: &[(Platform, String)],
    (slash, until): (&Slash, DateTime<Utc>),
    linked: Option<&Linked>,
) -> Card {
    let mut line = Text::default();
    for (at, (typed, places)) in ways(code, places, slash).into_iter().enumerate() {
        line = line
            .and(if at == 0 { "Type " } else { ", or " })
            .code(typed)
            .and(format!(" with your account on {}", words::one_of(&places)));
    }
    let line = line
        .and(" until ")
        .with(words::clock(until))
        .and(", then confirm here: both accounts become one person.");
    let mut card = Card::lines([
        line,
        Text::plain(
            "It works once. Never type a code there that somebody else sent you, and give yours to nobody.",
        ),
    ]);
    if let Some(linked) = linked {
        let standing = standing(linked);
        card.fallback = format!("{} {}", standing.fallback, card.fallback);
        card.blocks = standing.blocks.into_iter().chain(card.blocks).collect();
    }
    card
}

/// What gives the code, and the places that take it so: not all platforms take the same words.
fn ways(
    code: &CodeWord,
    places: &[(Platform, String)],
    slash: &Slash,
) -> Vec<(String, Vec<String>)> {
    let code = code.to_string();
    let mut ways: Vec<(String, Vec<String>)> = Vec::new();
    for (platform, name) in places {
        let typed = words::typed(&slash.on(*platform), Ask::Link(Some(&code)));
        let there = place((*platform, name));
        match ways.iter_mut().find(|(known, _)| *known == typed) {
            Some((_, places)) => places.push(there),
            None => ways.push((typed, vec![there])),
        }
    }
    ways
}

/// With whom the reader is linked, and the button that ends it.
pub fn standing(linked: &Linked) -> Card {
    let with: Vec<String> = linked.with.iter().map(who).collect();
    let with = format!("You are one person with {}.", words::all_of(&with));
    if !linked.own {
        return Card::lines([format!(
            "{with} The platform team says so in idp's configuration, and only they can change it."
        )]);
    }
    let mut card = Card::lines([format!(
        "{with} What either may do here, the other may too."
    )]);
    card.blocks.push(Block::Buttons {
        buttons: vec![button::button(
            ButtonId::LinkEnd,
            &linked.account,
            "Unlink",
            ButtonStyle::Danger,
        )],
        menu: Vec::new(),
    });
    card
}

/// The answer to the one who typed a code: the other account has to confirm.
pub fn claimed(asked: &Side, until: DateTime<Utc>) -> Card {
    Card::lines([Text::plain(format!(
        "Now confirm it as {}: a direct message with a button waits there until ",
        who(asked)
    ))
    .with(words::clock(until))
    .and(". Until then nothing is linked.")])
}

/// The question to the one who asked for a code; after its end, what became of it.
pub fn asked(view: &CodeView) -> Card {
    let other = view
        .other
        .as_ref()
        .map_or_else(|| "Somebody".to_owned(), who);
    if view.state != CodeState::Claimed {
        return Card::lines([over_with(view.state, &other)]);
    }
    let mut card = Card::lines([
        Text::default()
            .bold(other)
            .and(" typed your code. Is that you? Please say so until ")
            .with(words::clock(view.expires_at))
            .and("."),
        Text::plain(
            "If you confirm, both accounts are one person here: what either asked for belongs to both, and what either may decide the other may too.",
        ),
    ]);
    let answer = |id, label, style| button::button(id, &view.id, label, style);
    card.blocks.push(Block::Buttons {
        buttons: vec![
            answer(ButtonId::LinkConfirm, "Confirm", ButtonStyle::Primary),
            answer(ButtonId::LinkRefuse, "Not me", ButtonStyle::Danger),
        ],
        menu: Vec::new(),
    });
    card
}

/// What stands where the question stood.
fn over_with(state: CodeState, other: &str) -> String {
    match state {
        CodeState::Open | CodeState::Claimed => format!("{other} typed your code."),
        CodeState::Linked => format!("You confirmed that {other} is you."),
        CodeState::Refused => format!("You said that {other} isn't you. Nothing was linked."),
        CodeState::Expired => {
            format!("{other} typed your code, and nobody confirmed in time. Nothing was linked.")
        }
        CodeState::Replaced => {
            format!("{other} typed your code, and it was given up. Nothing was linked by it.")
        }
    }
}

/// Nothing came of it, to the one who typed the code.
pub fn over(view: &CodeView) -> Card {
    let asked = who(&view.asked);
    Card::lines([match view.state {
        CodeState::Refused => Text::plain(format!(
            "{asked} said that this account isn't theirs. Nothing was linked."
        )),
        CodeState::Open
        | CodeState::Claimed
        | CodeState::Linked
        | CodeState::Expired
        | CodeState::Replaced => Text::plain(format!(
            "The code of {asked} wasn't confirmed in time, or given up for another. Nothing was linked by it. For a new one, type "
        ))
        .code(words::typed(&view.slash, Ask::Link(None)))
        .and(" there."),
    }])
}

/// Two accounts are one person from now on: to each of them, naming the other.
pub fn linked(with: &Side) -> Card {
    Card::lines([Text::plain(format!(
        "You and {} are one person here from now on: what either asked for belongs to both, and what either may decide the other may too. If that is wrong, type ",
        who(with)
    ))
    // The same words on every platform.
    .code(format!("{} link", slash::NAME))
    .and(" or ask the platform team.")])
}

/// They no longer are.
pub fn unlinked(from: &Side) -> Card {
    Card::lines([format!(
        "You and {} are no longer one person here. What was decided before stays.",
        who(from)
    )])
}

/// The answer to the one who confirmed.
pub fn confirmed(with: &Side) -> Card {
    Card::lines([format!("You and {} are one person from now on.", who(with))])
}

/// The answer to the one who said that the other isn't them.
pub fn refused(slash: &Slash) -> Card {
    Card::lines([Text::plain(
        "Nothing was linked. Whoever that is saw your code: it is used up. For another, type ",
    )
    .code(words::typed(slash, Ask::Link(None)))
    .and(".")])
}

/// The answer to the one who unlinked; `still`: the operator's file keeps them linked.
pub fn parted(still: bool) -> Card {
    Card::lines([if still {
        "What you confirmed yourself is ended. You are still one person with accounts that the platform team named in idp's configuration."
    } else {
        "This account is a person of its own again. What was decided before stays, and what was asked for by either can't be decided by the other."
    }])
}

/// There is no other chat to be linked with.
pub fn nowhere_else(slash: &Slash, github: bool) -> Refusal {
    let refusal =
        Refusal::new("idp serves no other chat here that an account of yours could be in.");
    if github {
        return refusal.instead(links_github(Text::default(), slash));
    }
    refusal
}

/// What links an account on GitHub, behind other words.
fn links_github(before: Text, slash: &Slash) -> Text {
    before
        .code(words::typed(slash, Ask::Link(Some("github"))))
        .and(" links your account on GitHub.")
}

/// What was typed can't be a code.
pub fn no_code(typed: &str, slash: &Slash, github: bool) -> Refusal {
    let typed = words::clip(&words::line(typed), 40);
    let refusal = Refusal::new(
        Text::default()
            .code(typed)
            .and(" is no code: those look like ")
            .code("K7QM-2RXV")
            .and("."),
    );
    let here = Text::default()
        .code(words::typed(slash, Ask::Link(None)))
        .and(" gives you one, to be typed with your other account.");
    refusal.instead(if github {
        links_github(here.and(" "), slash)
    } else {
        here
    })
}

/// A code that is none, was used, or is over.
pub fn not_good(slash: &Slash) -> Refusal {
    Refusal::new("There is no such code, or it was used, or its time is over.").instead(
        Text::default()
            .code(words::typed(slash, Ask::Link(None)))
            .and(", typed with your other account, gives you a new one."),
    )
}

/// Too many wrong codes.
pub fn too_many_guesses() -> Refusal {
    Refusal::new("You typed too many wrong codes.")
        .instead("Please wait ten minutes, and then type a new one.")
}

/// A code that was typed in the workspace that it came from.
pub fn typed_where_it_came_from() -> Refusal {
    Refusal::new("That code was asked for in this very place.")
        .instead("Type it with your account in the other chat.")
}

/// Both accounts are one person already.
pub fn one_already() -> Refusal {
    Refusal::new("These two accounts are one person already.")
}

/// One of the two accounts is a guest's by now, or deactivated.
pub fn no_member_any_more() -> Refusal {
    Refusal::new("Only active full members can be linked, and one of the two accounts isn't.")
}

/// The human would have two accounts in one place.
pub fn two_in_one_place(platform: Platform, name: &str) -> Refusal {
    Refusal::new(format!(
        "Linked with that, you would have two accounts on {}.",
        place((platform, name))
    ))
    .instead("If both are yours, the platform team can say so in idp's configuration.")
}

/// A button of somebody else's, or of a code that is gone.
pub fn not_yours() -> Refusal {
    Refusal::new("That isn't yours to answer.")
}

/// A code that was answered before.
pub fn settled(state: CodeState) -> Refusal {
    Refusal::new(match state {
        CodeState::Linked => "You confirmed that already.",
        CodeState::Refused => "You said already that it isn't you.",
        CodeState::Open | CodeState::Claimed | CodeState::Expired | CodeState::Replaced => {
            "That code's time is over. Nothing was linked."
        }
    })
}

/// Nothing that a button could end.
pub fn nothing_to_unlink(by_file: bool) -> Refusal {
    if by_file {
        return Refusal::new(
            "The platform team says in idp's configuration that these accounts are one person.",
        )
        .instead("Only they can change it.");
    }
    Refusal::new("This account isn't linked with another one.")
}
