//! The names under which buttons and forms go out and come back. Drawing and reading share them, so that they can't
//! drift apart. All of them are bounded by `limits::CUSTOM_ID`.

use super::limits::{CUSTOM_ID, length};
use crate::domain::event::ButtonId;
use crate::domain::form::short_name;
use crate::domain::id::{DraftId, PlanId};

/// Before a button that was confirmed already: it stands in the private answer that asks once more.
const CONFIRMED: char = '!';
const FORM: &str = "form";
const REASON: &str = "deny";
/// The input of a modal that asks for a reason.
pub(super) const REASON_INPUT: &str = "reason";

/// The part of a page that one modal holds: Discord's take five inputs, a page may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The draft.
    pub draft: DraftId,
    /// The page, from 0.
    pub page: u32,
    /// Which part of it, from 0.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
}

impl Part {
    /// Whether the page is whole with this one.
    pub const fn is_last(self) -> bool {
        self.part + 1 >= self.parts
    }
}

/// What a modal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modal {
    Form(Part),
    Reason(PlanId),
}

impl std::fmt::Display for Modal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Form(Part {
                draft,
                page,
                part,
                parts,
            }) => write!(f, "{FORM} {draft} {page} {part} {parts}"),
            Self::Reason(plan) => write!(f, "{REASON} {plan}"),
        }
    }
}

impl Modal {
    /// Reads a modal's custom id.
    pub(super) fn read(id: &str) -> Option<Self> {
        let mut words = id.split(' ');
        match words.next()? {
            FORM => {
                let draft = words.next()?.parse().ok()?;
                let mut number = || words.next()?.parse().ok();
                Some(Self::Form(Part {
                    draft,
                    page: number()?,
                    part: number()?,
                    parts: number()?,
                }))
            }
            REASON => Some(Self::Reason(words.next()?.parse().ok()?)),
            _ => None,
        }
    }
}

/// A button's custom id; none for one that is too long. Values are ids, so that is a mistake of ours.
pub(super) fn button(id: ButtonId, value: &str, confirmed: bool) -> Option<String> {
    let mark = if confirmed { "!" } else { "" };
    let id = format!("{mark}{id} {value}");
    (length(&id) <= CUSTOM_ID).then(|| id.trim_end().to_owned())
}

/// Which button, its value, and whether it was confirmed.
pub(super) fn read_button(id: &str) -> Option<(ButtonId, String, bool)> {
    let plain = id.strip_prefix(CONFIRMED).unwrap_or(id);
    let (button, value) = plain.split_once(' ').unwrap_or((plain, ""));
    Some((button.parse().ok()?, value.to_owned(), plain != id))
}

/// How an input's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Text,
    Number,
    Switch,
    Choice,
    Choices,
}

impl Reading {
    const ALL: [Self; 5] = [
        Self::Text,
        Self::Number,
        Self::Switch,
        Self::Choice,
        Self::Choices,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Switch => "switch",
            Self::Choice => "choice",
            Self::Choices => "choices",
        }
    }

    /// The custom id of a field's input. A name that is too long for it is stood for by a shorter one.
    pub(super) fn input(self, name: &str) -> String {
        let word = self.word();
        let id = format!("{word} {name}");
        if length(&id) <= CUSTOM_ID {
            id
        } else {
            format!("{word} {}", short_name(name))
        }
    }

    /// How an input is read, and of which field it is.
    pub(super) fn of(id: &str) -> Option<(Self, &str)> {
        let (word, name) = id.split_once(' ')?;
        let found = Self::ALL.iter().find(|reading| reading.word() == word);
        found.map(|reading| (*reading, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_comes_back() {
        let draft: DraftId = "0193d1a0-0000-7000-8000-000000000001".parse().unwrap();
        let plan: PlanId = "0193d1a0-0000-7000-8000-000000000002".parse().unwrap();
        let part = Part {
            draft,
            page: 3,
            part: 1,
            parts: 2,
        };
        for modal in [Modal::Form(part), Modal::Reason(plan)] {
            assert_eq!(Modal::read(&modal.to_string()), Some(modal));
            assert!(length(&modal.to_string()) <= CUSTOM_ID);
        }
        for &id in ButtonId::ALL {
            for confirmed in [false, true] {
                let drawn = button(id, &format!("{plan}:0"), confirmed).unwrap();
                let read = read_button(&drawn).unwrap();
                assert_eq!(read, (id, format!("{plan}:0"), confirmed));
            }
        }
        assert_eq!(
            read_button(&button(ButtonId::LinkOpen, "", false).unwrap())
                .unwrap()
                .1,
            ""
        );
        let long = "n".repeat(CUSTOM_ID);
        for reading in Reading::ALL {
            let id = reading.input("db size");
            assert_eq!(Reading::of(&id), Some((reading, "db size")));
            let id = reading.input(&long);
            assert!(length(&id) <= CUSTOM_ID, "{id}");
            assert_eq!(
                Reading::of(&id),
                Some((reading, short_name(&long).as_str()))
            );
        }
        assert_eq!(
            button(ButtonId::FormOpen, &"n".repeat(CUSTOM_ID), false),
            None
        );
    }

    #[test]
    fn strange_ids_are_nobodys() {
        for id in [
            "",
            " ",
            "!",
            "form",
            "form x 0 0 1",
            "deny",
            "request.approved x",
            "vote",
        ] {
            assert_eq!(Modal::read(id), None, "{id}");
            assert_eq!(read_button(id), None, "{id}");
            assert_eq!(Reading::of(id), None, "{id}");
        }
    }
}
