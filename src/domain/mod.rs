//! The core: states, rules, plans and words as values. Pure: no IO, no clock, no randomness.
//!
//! Everything here is a function of its arguments: time, ids and facts are handed in, effects are described and left
//! to others. That is what lets the rules be tested by the thousand and read without the rest of the house.

#[macro_use]
mod words;

pub mod action;
pub mod audit;
pub mod canonical;
pub mod card;
pub mod event;
pub mod form;
pub mod id;
pub mod link;
pub mod message;
pub mod permission;
pub mod person;
pub mod plan;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod rule;
pub mod run;
pub mod slash;
pub mod step;
pub mod team;
pub mod tie;
pub mod tree;
pub mod view;
pub mod vote;

pub use words::UnknownWord;
