//! The only place that prints: results to standard output, everything else to standard error.
//!
//! A result is what another program may read; notes, progress and problems are for the person in front. Progress is one
//! line that rewrites itself on a terminal and a line per step elsewhere. Colour says nothing that words don't.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use crate::boot::postgres::Stage;
use crate::boot::problem::Problem;

/// Where a command talks to the person who typed it.
#[derive(Debug)]
pub struct Printer {
    /// Standard error is a terminal that can move its cursor.
    live: bool,
    colour: bool,
    /// The progress line that stands there unfinished.
    line: Mutex<Option<String>>,
}

impl Printer {
    /// A printer for this process.
    pub fn new() -> Self {
        let terminal = stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            live: terminal && !dumb,
            colour: terminal && !dumb && std::env::var_os("NO_COLOR").is_none(),
            line: Mutex::new(None),
        }
    }

    /// Prints a line of the result.
    pub fn result(&self, line: impl Display) -> Result<(), Problem> {
        self.clear();
        match writeln!(stdout(), "{line}") {
            // Whoever reads (`head`, say) has seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|e| Problem::failed("can't print the result").because(e)),
        }
    }

    /// Tells the person something that is not the result.
    pub fn note(&self, line: impl Display) {
        self.clear();
        say(format_args!("{line}\n"));
    }

    /// Tells what is being done now; the next progress or note takes its place.
    pub fn progress(&self, text: &str) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if self.live {
            say(format_args!("\r\x1b[2K{text}…"));
        } else if line.as_deref() != Some(text) {
            say(format_args!("{text}…\n"));
        }
        *line = Some(text.to_owned());
    }

    /// Tells what the managed Postgres is busy with.
    pub fn stage(&self, stage: &Stage) {
        match stage {
            // Elsewhere than on a terminal, a line each second would be noise.
            Stage::Downloading { seconds: 1.., .. } if !self.live => {}
            Stage::Downloaded { .. } => self.note(stage),
            _ => self.progress(&stage.to_string()),
        }
    }

    /// Tells why the command failed, and gives the exit code for it.
    pub fn problem(&self, problem: &Problem) -> ExitCode {
        self.clear();
        let (error, hint) = (self.paint("1;31", "error"), self.paint("1;36", "hint"));
        say(format_args!("{error}: {}\n", problem.text()));
        if let Some(place) = problem.place() {
            say(format_args!("  --> {place}\n"));
        }
        for cause in problem.causes() {
            say(format_args!("  Caused by: {}\n", cause.trim()));
        }
        for (n, text) in problem.hints().iter().enumerate() {
            let gap = if n == 0 { "\n" } else { "" };
            say(format_args!("{gap}{hint}: {text}\n"));
        }
        ExitCode::from(problem.exit_code())
    }

    /// Takes an unfinished progress line away.
    fn clear(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.take().is_some() && self.live {
            say(format_args!("\r\x1b[2K"));
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Default for Printer {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes to standard error. If even that fails there is nobody left to tell.
fn say(text: std::fmt::Arguments<'_>) {
    let mut to = stderr();
    let _ = to.write_fmt(text).and_then(|()| to.flush());
}
