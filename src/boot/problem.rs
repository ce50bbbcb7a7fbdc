//! What the operator reads when idp can't do something: a sentence, its cause and what to do next.
//!
//! Everything in `boot` fails with this one type, because everything in `boot` fails before a person: whoever typed
//! the command. The text says what is wrong, each hint is one thing to try, and the cause is the library's own words.

use std::fmt;

/// Why a command ends without success.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    text: String,
    place: Option<String>,
    cause: Option<anyhow::Error>,
    hints: Vec<String>,
}

/// What sort of problem it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The asked thing was refused or did not work.
    Failed,
    /// The command or its configuration was written wrongly.
    Misuse,
}

impl Problem {
    /// Something was refused or did not work.
    pub fn failed(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failed,
            text: text.into(),
            place: None,
            cause: None,
            hints: Vec::new(),
        }
    }

    /// A command or a configuration was written wrongly.
    pub fn misuse(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Misuse,
            ..Self::failed(text)
        }
    }

    /// Adds where it is: a file, with line and column from 1 where they are known.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds the library's own words.
    #[must_use]
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds one thing to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What is wrong, in one sentence without a full stop.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it is, if it is in a file.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What to try, in the order of promise.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The words of each cause, the nearest first.
    pub fn causes(&self) -> Vec<String> {
        self.cause
            .iter()
            .flat_map(anyhow::Error::chain)
            .map(ToString::to_string)
            .collect()
    }

    /// 1 for refused or failed, 2 for misuse: the codes of the command line's contract.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Misuse => 2,
        }
    }
}

/// Turns a library's error into a [`Problem`] at the place that knows what was being tried.
pub trait OrFail<T> {
    /// Says what could not be done; the error becomes the cause.
    fn or_fail(self, text: impl Into<String>) -> Result<T, Problem>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail(self, text: impl Into<String>) -> Result<T, Problem> {
        self.map_err(|cause| Problem::failed(text).because(cause))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {place}")?;
        }
        for cause in self.causes() {
            write!(f, "\n  Caused by: {}", cause.trim())?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_then_causes_then_hints() {
        let problem = Problem::failed("can't read `idp.toml`")
            .because(std::io::Error::other("disk on fire"))
            .hint("check the disk");
        assert_eq!(
            problem.to_string(),
            "can't read `idp.toml`\n  Caused by: disk on fire\nhint: check the disk"
        );
        assert_eq!(
            (problem.exit_code(), Problem::misuse("x").exit_code()),
            (1, 2)
        );
    }
}
