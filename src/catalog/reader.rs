//! Reading maps field by field: what is missing, of the wrong kind or unknown becomes a problem with its place.

use super::problem::{Mark, Problem};
use super::yaml::{Key, Node};

/// The problems of one file, as they are found.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    problems: Vec<Problem>,
}

impl Report {
    pub(super) fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            problems: Vec::new(),
        }
    }

    /// Adds a problem at a place.
    pub(super) fn add(&mut self, at: Mark, what: impl Into<String>) {
        self.problems.push(Problem::at(&self.file, at, what));
    }

    /// Adds a problem at a place, with what to do about it.
    pub(super) fn hint(&mut self, at: Mark, what: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .push(Problem::at(&self.file, at, what).hint(hint));
    }

    /// Adds a problem about a word that isn't one of the right ones.
    pub(super) fn word<'a>(
        &mut self,
        at: Mark,
        what: impl Into<String>,
        word: &str,
        right: impl IntoIterator<Item = &'a str>,
    ) {
        self.problems
            .push(Problem::at(&self.file, at, what).nearest_of(word, right));
    }

    /// Adds a finished problem.
    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn len(&self) -> usize {
        self.problems.len()
    }

    /// The problems in the order of their places.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|p| (p.line, p.column));
        self.problems.dedup();
        self.problems
    }
}

/// A map being read: every field that was asked for is known, all others are unknown.
pub(super) struct Fields<'a> {
    what: &'static str,
    at: Mark,
    members: &'a [(Key, Node)],
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Opens a map; `what` names it in problems: `spec`, `a step`.
    pub(super) fn open(node: &'a Node, what: &'static str, report: &mut Report) -> Option<Self> {
        let Some(members) = node.map() else {
            report.add(
                node.at,
                format!("{what} has to be a map, not {}", node.kind()),
            );
            return None;
        };
        Some(Self {
            what,
            at: node.at,
            members,
            asked: Vec::new(),
        })
    }

    /// Where the map stands.
    pub(super) const fn at(&self) -> Mark {
        self.at
    }

    /// A field that may be there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.asked.push(name);
        self.members
            .iter()
            .find(|(key, _)| key.text == name)
            .map(|(_, value)| value)
    }

    /// A field that has to be there.
    pub(super) fn need(&mut self, name: &'static str, report: &mut Report) -> Option<&'a Node> {
        let found = self.take(name);
        if found.is_none() {
            report.add(self.at, format!("{} has no `{name}`", self.what));
        }
        found
    }

    /// A text that may be there.
    pub(super) fn text(&mut self, name: &'static str, report: &mut Report) -> Option<String> {
        let node = self.take(name)?;
        text(node, name, report)
    }

    /// A text that has to be there.
    pub(super) fn need_text(&mut self, name: &'static str, report: &mut Report) -> Option<String> {
        let node = self.need(name, report)?;
        text(node, name, report)
    }

    /// The items of a list; nothing where there is none.
    pub(super) fn list(&mut self, name: &'static str, report: &mut Report) -> &'a [Node] {
        match self.take(name) {
            None => &[],
            Some(node) => node.list().unwrap_or_else(|| {
                report.add(
                    node.at,
                    format!("`{name}` has to be a list, not {}", node.kind()),
                );
                &[]
            }),
        }
    }

    /// A field that later versions will understand: refused by name, so that nobody relies on it meanwhile.
    pub(super) fn later(&mut self, name: &'static str, report: &mut Report) {
        self.asked.push(name);
        if let Some((key, _)) = self.members.iter().find(|(key, _)| key.text == name) {
            report.add(key.at, format!("`{name}` is not supported yet"));
        }
    }

    /// Reports every field that nobody asked for.
    pub(super) fn close(self, report: &mut Report) {
        for (key, _) in self.members {
            if !self.asked.contains(&key.text.as_str()) {
                let what = format!("unknown field `{}` in {}", key.text, self.what);
                report.word(key.at, what, &key.text, self.asked.iter().copied());
            }
        }
    }
}

/// A text, or a problem about its kind.
pub(super) fn text(node: &Node, name: &str, report: &mut Report) -> Option<String> {
    let found = node.text().map(str::to_owned);
    if found.is_none() {
        report.add(
            node.at,
            format!("`{name}` has to be text, not {}", node.kind()),
        );
    }
    found
}

/// Seconds of a duration as people write it: `90s`, `30m`, `24h`, `7d`.
pub(super) fn seconds(node: &Node, name: &str, report: &mut Report) -> Option<i64> {
    let found = node.text().and_then(parse_seconds);
    if found.is_none() {
        let what = format!("`{name}` is no duration");
        report.hint(
            node.at,
            what,
            "Write a whole number and its unit: 90s, 30m, 24h or 7d.",
        );
    }
    found
}

/// Longest duration: a year. Whatever lasts longer is a mistake.
const MAX_SECONDS: i64 = 366 * 24 * 60 * 60;

fn parse_seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (digits && (1..=MAX_SECONDS).contains(&seconds)).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
        ] {
            assert_eq!(parse_seconds(text), seconds, "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "24 h",
            "-1h",
            "+1h",
            "0s",
            "1.5h",
            "99999d",
            "9223372036854775807d",
            "1ä",
        ] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
    }
}
