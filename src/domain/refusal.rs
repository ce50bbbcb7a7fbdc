//! "You may not" and "that can't be", as sentences. "We broke" is another type and has no road to a card.
//!
//! Sentences are texts: what is to be typed is a span of code, and a backtick that somebody typed stays one.

use serde::{Deserialize, Serialize};

use super::card::Text;

/// A clear no: what, why, what to do, and the nearest right word where one was mistyped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}{}{}", self.why.as_ref().map(|w| format!(" {w}")).unwrap_or_default(), self.next.as_ref().map(|n| format!(" {n}")).unwrap_or_default())]
pub struct Refusal {
    /// What is refused: a whole sentence.
    pub what: Text,
    /// Why: a whole sentence.
    pub why: Option<Text>,
    /// What to do instead: a whole sentence.
    pub next: Option<Text>,
    /// The nearest right word.
    pub nearest: Option<String>,
}

impl Refusal {
    /// A refusal that says only what.
    pub fn new(what: impl Into<Text>) -> Self {
        Self {
            what: what.into(),
            why: None,
            next: None,
            nearest: None,
        }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, why: impl Into<Text>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn instead(mut self, next: impl Into<Text>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Adds the nearest right word.
    #[must_use]
    pub fn nearest(mut self, word: impl Into<String>) -> Self {
        self.nearest = Some(word.into());
        self
    }
}
