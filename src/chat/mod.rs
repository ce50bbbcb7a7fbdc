//! Pure translation between the wire of the chat platforms and the words of `domain`.
//!
//! Inwards: raw bytes are verified, then read into a closed `Event`. Outwards: cards, forms and replies become the
//! platform's JSON. Nothing here has a clock, a network or a database: `now` and secrets are handed in, and what is to
//! be sent is returned as a value.

pub mod discord;
mod fields;
pub mod github;
pub mod slack;
mod text;
