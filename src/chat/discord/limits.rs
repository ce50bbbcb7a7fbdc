//! Discord's size limits, as docs.discord.com/developers (messages, components reference, receiving and responding)
//! has them. Lengths are counted in UTF-16 units, which is never less than the number of characters.

pub use crate::chat::text::{length, shorten};

/// A message's content.
pub const CONTENT: usize = 2_000;
/// A custom id of a component or a modal.
pub const CUSTOM_ID: usize = 100;
/// A thread's name.
pub const THREAD_NAME: usize = 100;
/// Rows of components under a message.
pub const ROWS: usize = 5;
/// A button's label.
pub const BUTTON_LABEL: usize = 80;
/// A button's address.
pub const BUTTON_URL: usize = 512;
/// A modal's title.
pub const MODAL_TITLE: usize = 45;
/// Components at the top of a modal.
pub const MODAL_COMPONENTS: usize = 5;
/// A label in a modal.
pub const INPUT_LABEL: usize = 45;
/// The sentence under a label.
pub const INPUT_HELP: usize = 100;
/// A placeholder of an input.
pub const PLACEHOLDER: usize = 100;
/// What can be typed into a text input.
pub const INPUT_TEXT: usize = 4_000;
/// Options of a select, and of an answer to a search.
pub const OPTIONS: usize = 25;
/// An option's label, value and description.
pub const OPTION: usize = 100;
