//! Cards, forms and replies into Discord's JSON.
//!
//! A card is a message's content in Discord's own Markdown with rows of buttons under it; what doesn't fit into one message
//! goes on in the next. Content notifies and is read aloud as it stands, so there is no second text beside it.

mod answer;
mod buttons;
mod markdown;
mod message;
mod modal;

pub use answer::{Answer, answer, choices, late, pong, still_working};
pub use message::{Rendered, message};

#[cfg(test)]
mod tests;
