//! What people do: write, press, fill in forms. Each act checks what Slack's own client would check, delivers the
//! payload, and applies the app's answer. Tests, tools and the page all call these.
//!
//! Persons and channels are named by id, handle or `#name`. An act that reached nobody is no error of the caller: the
//! person is told on the spot, and the [`Outcome`] says so.

mod admin;
mod answers;
mod events;
mod form;
mod press;
mod say;
mod submission;
mod suggest;

use serde::Serialize;

pub(in crate::sandbox) use self::events::Told;
pub use self::{
    admin::NewPerson,
    answers::RespondError,
    form::FieldEntry,
    press::{Press, Surface},
};

/// What came of an act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The delivery that carried it, if one was made.
    pub delivery: Option<u64>,
    /// The message that was written, if one was.
    pub ts: Option<String>,
    /// What the person was told because the app didn't answer as it should.
    pub problem: Option<String>,
}

/// Why an act can't be done at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// Unknown id or handle.
    #[error("There is no such person.")]
    NoPerson,
    /// Unknown, or not theirs to see.
    #[error("There is no such channel, or this person can't see it.")]
    NoChannel,
    /// Unknown handle or id.
    #[error("There is no such user group.")]
    NoGroup,
    /// Deleted, or never there.
    #[error("There is no such message.")]
    NoMessage,
    /// Closed, or never opened.
    #[error("This form is not open any more.")]
    NoView,
    /// The message or view has no element with that id.
    #[error("There is nothing called {0:?} to press or fill in.")]
    NoElement(String),
    /// The element doesn't take this value.
    #[error("{0:?} doesn't take this value.")]
    BadValue(String),
    /// Not in the channel.
    #[error("Join the channel to write in it.")]
    NotMember,
    /// Read-only.
    #[error("This channel is archived.")]
    Archived,
    /// The account is switched off.
    #[error("This account is deactivated.")]
    Deactivated,
    /// An external select's app gave no usable answer.
    #[error("{0}")]
    Failed(String),
}
