//! Slack's size limits. Block Kit numbers are those of docs.slack.dev/reference/block-kit, as the `slackblocks` crate
//! (specification 1.5.0) holds them too; the oracle tests compare.
//!
//! Lengths are counted in UTF-16 units, which is never less than the number of characters: whichever way Slack counts,
//! what we call short enough is short enough.

pub use crate::chat::text::{length, shorten};

/// Blocks in one message.
pub const MESSAGE_BLOCKS: usize = 50;
/// Characters over all blocks of one message. Undocumented: near 13,200 Slack answers `msg_blocks_too_long` (bolt-js
/// issue 2509), so we stay well below.
pub const MESSAGE_CHARS: usize = 12_000;
/// The fallback text: Slack asks for at most 4,000 and cuts above 40,000 (docs.slack.dev, chat.postMessage).
pub const MESSAGE_TEXT: usize = 4_000;
/// Blocks in one modal.
pub const VIEW_BLOCKS: usize = 100;
/// A modal's title, its submit and its close label.
pub const VIEW_TITLE: usize = 24;
/// A text object: sections and context lines.
pub const TEXT: usize = 3_000;
/// A header block.
pub const HEADER: usize = 150;
/// Elements in one actions block.
pub const ACTIONS: usize = 25;
/// Options behind one overflow menu.
pub const MENU: usize = 5;
/// A button's or an option's label, an option's description.
pub const LABEL: usize = 75;
/// A button's value.
pub const BUTTON_VALUE: usize = 2_000;
/// An option's value.
pub const OPTION_VALUE: usize = 150;
/// Options of a select, and of an answer to a search.
pub const OPTIONS: usize = 100;
/// Check boxes in one group.
pub const CHECKBOXES: usize = 10;
/// Radio buttons in one group. Slack takes 10; beyond 5 a select reads better.
pub const RADIOS: usize = 5;
/// An input's label and hint.
pub const INPUT_LABEL: usize = 2_000;
/// A placeholder.
pub const PLACEHOLDER: usize = 150;
/// What can be typed into a text input.
pub const INPUT_TEXT: usize = 3_000;
/// A dialog's title, text and labels.
pub const CONFIRM_TITLE: usize = 100;
/// The text of a dialog.
pub const CONFIRM_TEXT: usize = 300;
/// The labels of a dialog.
pub const CONFIRM_LABEL: usize = 30;
