//! Every sentence that people read: functions from state to `Card`.
//!
//! Pure: what is shown is made from a [`RequestView`](crate::domain::view::RequestView) and a moment, so a card sent
//! late shows the state of its sending. What people typed only ever stands in `Plain`, `Bold` or `Code` spans, which
//! each platform escapes. States are words, names are plain, and a link is only made of an address that opens.

mod button;
mod facts;
mod waits;
mod words;

pub mod answer;
pub mod form;
pub mod link;
pub mod notice;
pub mod plan;
pub mod refusal;
mod root;

pub use button::Open;
pub use root::{closed, name, root};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
