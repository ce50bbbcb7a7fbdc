//! Paths inside a tree: relative, confined, and harmless in a git repository on any system.
//!
//! The names that git itself keeps for its own files are refused in every spelling that a file system may take for them
//! (upper case, trailing dots and spaces, alternate streams, invisible characters), as `git fsck --strict` does.

use std::borrow::Borrow;
use std::fmt;

/// Longest path in bytes: Linux' `PATH_MAX` (4096, with the closing NUL) less room for the folder it is written to.
const MAX_PATH: usize = 3072;

/// Longest name between two slashes, in bytes: Linux' `NAME_MAX`.
const MAX_NAME: usize = 255;

/// A relative path with `/` between names, checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// A path that may not stand in a tree, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {fault}", path.escape_debug())]
pub struct PathError {
    /// The path as it was given.
    pub path: String,
    /// What is wrong with it.
    pub fault: PathFault,
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// Nothing between two slashes, at the beginning or the end; or nothing at all.
    #[error("is empty, begins or ends with `/`, or has an empty name in it")]
    Empty,
    /// `.` or `..`.
    #[error("has `.` or `..` in it")]
    Dots,
    /// A backslash or a control character.
    #[error("has a backslash or a control character in it")]
    Character,
    /// More than `MAX_PATH` bytes, or `MAX_NAME` in one name.
    #[error("is too long")]
    Long,
    /// A name that git keeps for itself.
    #[error("has a name in it that git keeps for itself")]
    Git,
}

impl TreePath {
    /// Checks a path.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let path = text.into();
        match fault(&path) {
            None => Ok(Self(path)),
            Some(fault) => Err(PathError { path, fault }),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders that the path stands in, outermost first: `a`, `a/b` for `a/b/c`.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// `other` inside this folder.
    pub fn join(&self, other: &TreePath) -> Result<TreePath, PathError> {
        TreePath::new(format!("{self}/{other}"))
    }

    /// The path relative to a folder, if it stands in it.
    pub fn strip_folder(&self, folder: &TreePath) -> Option<TreePath> {
        let rest = self.0.strip_prefix(folder.as_str())?.strip_prefix('/')?;
        Some(TreePath(rest.to_owned()))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Same order, same hash as the text: maps by path are asked with a plain `&str`.
impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for TreePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

fn fault(path: &str) -> Option<PathFault> {
    if path.len() > MAX_PATH {
        return Some(PathFault::Long);
    }
    path.split('/').find_map(|name| match name {
        "" => Some(PathFault::Empty),
        "." | ".." => Some(PathFault::Dots),
        _ if name.len() > MAX_NAME => Some(PathFault::Long),
        _ if name.contains(|c: char| c == '\\' || c.is_control()) => Some(PathFault::Character),
        _ if is_gits_own(name) => Some(PathFault::Git),
        _ => None,
    })
}

/// `.git` and `.gitmodules`, also as NTFS and HFS+ would understand another spelling of them.
///
/// A tree has no submodules, so `.gitmodules` could only mislead. The lists of spellings are those of git's own
/// `is_ntfs_dotgit` and `is_hfs_dotgit` (`path.c`, `utf8.c`).
fn is_gits_own(name: &str) -> bool {
    let seen: String = name
        .chars()
        .filter(|c| !is_ignored_by_hfs(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let stem = seen
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_end_matches([' ', '.']);
    match stem {
        ".git" | ".gitmodules" | "git~1" => true,
        _ => stem
            .strip_prefix("gitmod~")
            .is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit()),
    }
}

/// Characters that HFS+ leaves out when it compares names (git's `next_hfs_char`).
fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_paths_pass() {
        for good in [
            "a",
            "a/b",
            ".github/workflows/ci.yml",
            ".gitignore",
            ".gitattributes",
            "git",
            "Grüße/ä b.txt",
            "a..b",
            "...",
            "-x",
            "~",
            "git~2",
        ] {
            assert_eq!(
                TreePath::new(good).map(|p| p.to_string()),
                Ok(good.to_owned())
            );
        }
    }

    #[test]
    fn paths_that_leave_or_mislead_are_refused() {
        use PathFault::{Character, Dots, Empty, Git, Long};
        let long_name = "n".repeat(256);
        let long_path = "abc/".repeat(1000) + "d";
        for (bad, fault) in [
            ("", Empty),
            ("/", Empty),
            ("/a", Empty),
            ("a/", Empty),
            ("a//b", Empty),
            (".", Dots),
            ("..", Dots),
            ("a/../b", Dots),
            ("./a", Dots),
            ("a\\b", Character),
            ("a\0", Character),
            ("a\nb", Character),
            ("a\u{85}", Character),
            (&long_name, Long),
            (&long_path, Long),
            (".git", Git),
            ("a/.git/config", Git),
            (".GIT", Git),
            (".git.", Git),
            (".git /x", Git),
            ("git~1", Git),
            ("GIT~1/x", Git),
            (".git::$INDEX_ALLOCATION", Git),
            (".g\u{200c}it", Git),
            (".gitmodules", Git),
            ("x/.GitModules", Git),
            ("gitmod~1", Git),
        ] {
            assert_eq!(TreePath::new(bad).unwrap_err().fault, fault, "{bad:?}");
        }
    }

    #[test]
    fn folders_are_listed_from_the_outside() {
        let path = TreePath::new("a/b/c").unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path.name(), "c");
    }

    proptest! {
        #[test]
        fn whatever_passes_stays_below_its_root(text in "[a./\\\\gitGIT~1:\u{200c} ]{0,12}") {
            if let Ok(path) = TreePath::new(text) {
                let joined = std::path::Path::new("/root").join(path.as_str());
                prop_assert!(joined.starts_with("/root"));
                prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
                prop_assert!(joined.components().count() > 2);
            }
        }
    }
}
