//! What is wrong with a definition, and where: the one shape in which every check reports.

use std::fmt;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the reader names it (`commands/new-service.yaml`).
    pub file: String,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 where the whole file is meant.
    pub column: usize,
    /// What is wrong: a sentence without its full stop.
    pub what: String,
    /// What to do about it: a sentence.
    pub hint: Option<String>,
    /// The nearest right word, where one was mistyped.
    pub nearest: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(file: impl Into<String>, mark: Mark, what: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: mark.line,
            column: mark.column,
            what: what.into(),
            hint: None,
            nearest: None,
        }
    }

    /// A problem with the file as a whole.
    pub fn whole(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self::at(file, Mark::default(), what)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the nearest of the right words, if one is near enough to be meant.
    #[must_use]
    pub fn nearest_of<'a>(mut self, word: &str, right: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(word, right).map(str::to_owned);
        self
    }
}

/// `error: WHAT`, then where, then what to do: the manner of rustc and uv, without colour.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        write!(f, "  --> {}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "\n  help: did you mean `{nearest}`?")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The right word nearest to the one given, if it is near enough that it was probably meant.
pub fn nearest<'a>(word: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Jaro-Winkler favours a common beginning, as typing mistakes do; 0.8 is clap's own bound for suggestions, raised
    // a little because a wrong suggestion in a definition costs more than none.
    const NEAR: f64 = 0.82;
    let lower = word.to_lowercase();
    right
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(near, _)| *near >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
