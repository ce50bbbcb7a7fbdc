//! Names on a forge, checked once: a [`RepoName`] or [`Branch`] that exists is safe in a path, a URL and a command line.

use std::fmt;
use std::str::FromStr;

/// Longest owner: GitHub's limit for organisations.
const MAX_OWNER: usize = 39;

/// Longest repository name: GitHub's limit.
const MAX_NAME: usize = 100;

/// Longest branch name; our own limit, GitHub allows 244 bytes.
const MAX_BRANCH: usize = 200;

/// The text can't name what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` can't be the name of {what}: {rule}", text.escape_debug())]
pub struct NameError {
    /// What was given.
    pub text: String,
    /// What it should name.
    pub what: &'static str,
    /// What such names look like.
    pub rule: &'static str,
}

/// `OWNER/NAME`. Upper and lower case are told apart when shown and nowhere else, as on GitHub.
#[derive(Clone, Debug)]
pub struct RepoName {
    owner: String,
    name: String,
}

impl RepoName {
    /// Checks both parts.
    pub fn new(owner: impl Into<String>, name: impl Into<String>) -> Result<Self, NameError> {
        let (owner, name) = (owner.into(), name.into());
        if !is_owner(&owner) {
            let rule = "letters, digits and single dashes between them, up to 39";
            return Err(NameError {
                text: owner,
                what: "an owner",
                rule,
            });
        }
        if !is_repo(&name) {
            let rule = "letters, digits, `.`, `-` and `_`, up to 100, without `.git` at the end";
            return Err(NameError {
                text: name,
                what: "a repository",
                rule,
            });
        }
        Ok(Self { owner, name })
    }

    /// The organisation or person.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name by which it is found, claimed and compared: in lower case.
    pub fn key(&self) -> String {
        format!("{}/{}", self.owner, self.name).to_ascii_lowercase()
    }
}

impl PartialEq for RepoName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for RepoName {}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

fn is_owner(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_OWNER
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_repo(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !matches!(text, "." | "..")
        && !text.starts_with('-')
        && [".git", ".lock"].iter().all(|kept| !lower.ends_with(kept))
}

/// The short name of a branch: `main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch(String);

impl Branch {
    /// The branch that new repositories begin with unless told otherwise.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `refs/heads/NAME`.
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for Branch {
    type Err = NameError;

    /// A narrower rule than `git check-ref-format`: nothing in it needs quoting anywhere.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '-'])
                && !part.ends_with('.')
                && !part.to_ascii_lowercase().ends_with(".lock")
                && !part.contains("..")
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if text.len() <= MAX_BRANCH && text != "HEAD" && text.split('/').all(good) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "letters, digits, `.`, `-`, `_` and `/` between them";
        Err(NameError {
            text: text.to_owned(),
            what: "a branch",
            rule,
        })
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_forge_takes() {
        for (owner, name) in [
            ("acme", "payments-api"),
            ("A-1", ".github"),
            ("x", "a.b_c"),
            ("acme", "-x".trim_start_matches('-')),
        ] {
            assert!(RepoName::new(owner, name).is_ok(), "{owner}/{name}");
        }
        assert_eq!(RepoName::new("Acme", "API"), RepoName::new("acme", "api"));
    }

    #[test]
    fn names_that_leave_their_place_are_refused() {
        let long = "x".repeat(101);
        for (owner, name) in [
            ("", "a"),
            ("a", ""),
            ("..", "a"),
            ("a", ".."),
            ("a", "."),
            (".new", "a"),
            ("-a", "b"),
            ("a-", "b"),
            ("a--b", "c"),
            ("a/b", "c"),
            ("a", "b/c"),
            ("a", "b.git"),
            ("a", "b.GIT"),
            ("a", "-rf"),
            ("a", "b c"),
            ("a", "b\0"),
            ("ä", "b"),
            ("a", &long),
            (&long, "a"),
            ("a", "b.lock"),
        ] {
            assert!(RepoName::new(owner, name).is_err(), "{owner}/{name}");
        }
    }

    #[test]
    fn branches() {
        for good in ["main", "feature/x-1", "v1.2", "a_b"] {
            assert_eq!(
                good.parse::<Branch>().map(|b| b.full()),
                Ok(format!("refs/heads/{good}"))
            );
        }
        for bad in [
            "", "HEAD", "/a", "a/", "a//b", "-x", "a/-x", ".a", "a/.b", "a..b", "a.lock",
            "a.LOCK/b", "a b", "a~1", "a^", "a:b", "a\n", "@{x", "a.",
        ] {
            assert!(bad.parse::<Branch>().is_err(), "{bad}");
        }
    }
}
