//! "We broke": the cause goes to the log under a reference, and the reference is all that people see.

use std::fmt;

use rand::RngExt as _;

/// What people can name when they ask for help: `E-8KQ2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// Letters and digits that nobody mistakes for one another when reading them aloud.
    const LETTERS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

    /// A new one. Four characters are a million values: enough to find a line in the log of a day.
    pub fn new() -> Self {
        let mut rng = rand::rng();
        let letters =
            (0..4).map(|_| char::from(Self::LETTERS[rng.random_range(0..Self::LETTERS.len())]));
        Self(["E-".to_owned(), letters.collect()].concat())
    }

    /// As people read it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A failure of ours. It has no road to a card: only its reference has.
#[derive(Debug, thiserror::Error)]
#[error("{reference}")]
pub struct Broken {
    /// What people are shown.
    pub reference: Reference,
    /// The cause, already logged under the reference.
    pub source: anyhow::Error,
}

impl Broken {
    /// Logs the cause once, under a new reference. `doing` says what was under way: `answering a press`.
    pub fn log(doing: &str, source: anyhow::Error) -> Self {
        let reference = Reference::new();
        tracing::error!(%reference, cause = format!("{source:#}"), "Broke while {doing}");
        Self { reference, source }
    }
}
