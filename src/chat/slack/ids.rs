//! The names under which forms go out and come back. Drawing and reading share them, so that they can't drift apart.
//!
//! Slack keeps what was typed into an input as long as its block id stays the same, so a field's id carries page and
//! revision. An input's action id says how its value is to be read. Field names are at most 200 characters and values
//! of choices at most 150: `catalog` refuses others.

use crate::domain::id::DraftId;

/// The callback id of a form's page.
pub(super) const FORM: &str = "form.page";
/// The callback id of the reason of a Deny.
pub(super) const REASON: &str = "deny.reason";
/// The callback id of a page that is only read.
pub(super) const READING: &str = "reading";
/// The block that asks for a reason.
pub(super) const REASON_BLOCK: &str = "reason";

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
    pub(super) const fn action_id(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Switch => "switch",
            Self::Choice => "choice",
            Self::Choices => "choices",
        }
    }

    pub(super) fn of(action_id: &str) -> Option<Self> {
        [
            Self::Text,
            Self::Number,
            Self::Switch,
            Self::Choice,
            Self::Choices,
        ]
        .into_iter()
        .find(|reading| reading.action_id() == action_id)
    }
}

/// The block id of a field.
pub(super) fn field_block(name: &str, page: u32, revision: u32) -> String {
    format!("field:{page}.{revision}:{name}")
}

/// The field that a block id stands for.
pub(super) fn field_name(block_id: &str) -> Option<&str> {
    let (_, name) = block_id.strip_prefix("field:")?.split_once(':')?;
    Some(name)
}

/// What a form remembers: its draft and page, nothing else.
pub(super) fn form_memory(draft: DraftId, page: u32) -> String {
    format!("{draft}:{page}")
}

/// Draft and page of a form.
pub(super) fn read_form_memory(memory: &str) -> Option<(DraftId, u32)> {
    let (draft, page) = memory.split_once(':')?;
    Some((draft.parse().ok()?, page.parse().ok()?))
}
