//! A tree: the files that a repository will hold, as one value.
//!
//! Steps hand each other trees by their digest and never by a directory, so any replica can do the next step. A tree
//! can only be built out of safe parts: paths are relative and confined ([`TreePath`]), no file stands where another
//! entry needs a folder, symbolic links stay inside, and the whole keeps within [`MAX_FILES`] and [`MAX_BYTES`]. Whoever
//! holds a [`Tree`] has nothing left to check.

mod codec;
mod path;

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Bound;

pub use self::codec::{DecodeError, ParseTreeIdError, TreeId};
pub use self::path::{PathError, PathFault, TreePath};

/// Most entries in a tree. Our own limit: fifty times the largest template that we ship or measured.
pub const MAX_FILES: usize = 10_000;

/// Most bytes in all entries of a tree together. Our own limit: a tree is kept as one row and held in memory by the
/// step that works on it.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Longest target of a symbolic link, in bytes. Our own limit, a quarter of Linux' `PATH_MAX`.
const MAX_LINK: usize = 1024;

/// What kind of entry stands at a path. Folders are not entries: they exist where a path needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A plain file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link; the bytes are its target.
    Symlink,
}

/// One entry: its kind and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub mode: Mode,
    /// The content, or the target of a link.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A plain file.
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: Mode::File,
            bytes: bytes.into(),
        }
    }

    /// A file that may be run.
    pub fn executable(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: Mode::Executable,
            bytes: bytes.into(),
        }
    }

    /// A symbolic link to `target`, relative to the folder that it stands in.
    pub fn symlink(target: impl Into<String>) -> Self {
        Self {
            mode: Mode::Symlink,
            bytes: target.into().into_bytes(),
        }
    }
}

/// What to do in a merge where both trees have an entry at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The entry that was there first stays (Backstage's default in `fetch:template`).
    Keep,
    /// The newcomer takes its place.
    Replace,
}

/// Why an entry can't stand in a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The path itself is no good.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There is an entry at this path already.
    #[error("two files want to stand at `{0}`")]
    Twice(TreePath),
    /// One entry is a file where the other needs a folder.
    #[error("`{file}` is a file, so nothing can stand below it at `{below}`")]
    FileIsFolder {
        /// The entry that is not a folder.
        file: String,
        /// The entry that needs it to be one.
        below: String,
    },
    /// A symbolic link leaves the tree, or can't be read as one.
    #[error("the symbolic link `{0}` has no relative target inside the tree")]
    LinkLeaves(TreePath),
    /// More than [`MAX_FILES`] entries.
    #[error("more than {MAX_FILES} files")]
    TooManyFiles,
    /// More than [`MAX_BYTES`] bytes.
    #[error("more than {} MB in all files together", MAX_BYTES / (1024 * 1024))]
    TooManyBytes,
}

/// Files by path, in the byte order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<TreePath, Entry>,
    bytes: usize,
}

impl Tree {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an entry at a path where none stands yet.
    pub fn insert(&mut self, path: TreePath, entry: Entry) -> Result<(), TreeError> {
        if self.entries.contains_key(&path) {
            return Err(TreeError::Twice(path));
        }
        self.put(path, entry)
    }

    /// Puts an entry at a path, in place of the one that may stand there.
    pub fn replace(&mut self, path: TreePath, entry: Entry) -> Result<(), TreeError> {
        self.put(path, entry)
    }

    /// Adds the entries of `other`; `existing` decides where both have one.
    pub fn merge(mut self, other: Tree, existing: Existing) -> Result<Tree, TreeError> {
        for (path, entry) in other.entries {
            match existing {
                Existing::Keep if self.entries.contains_key(&path) => {}
                Existing::Keep | Existing::Replace => self.put(path, entry)?,
            }
        }
        Ok(self)
    }

    /// The same entries, all moved into a folder. Fails where a path grows too long.
    pub fn below(self, folder: &TreePath) -> Result<Tree, TreeError> {
        let mut moved = Tree::new();
        for (path, entry) in self.entries {
            moved.put(folder.join(&path)?, entry)?;
        }
        Ok(moved)
    }

    /// The entries inside a folder, with paths relative to it. Fails where a link reaches out of that folder.
    pub fn within(&self, folder: &TreePath) -> Result<Tree, TreeError> {
        let mut inner = Tree::new();
        for (path, entry) in &self.entries {
            if let Some(rest) = path.strip_folder(folder) {
                inner.put(rest, entry.clone())?;
            }
        }
        Ok(inner)
    }

    /// The entry at a path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// All entries in the byte order of their paths.
    pub fn iter(&self) -> btree_map::Iter<'_, TreePath, Entry> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of all entries together.
    pub fn total_bytes(&self) -> usize {
        self.bytes
    }

    fn put(&mut self, path: TreePath, entry: Entry) -> Result<(), TreeError> {
        let replaced = self.entries.get(&path).map(|old| old.bytes.len());
        if replaced.is_none() {
            self.check_place(&path)?;
            if self.entries.len() >= MAX_FILES {
                return Err(TreeError::TooManyFiles);
            }
        }
        if entry.mode == Mode::Symlink && !stays_inside(&path, &entry.bytes) {
            return Err(TreeError::LinkLeaves(path));
        }
        let bytes = self.bytes - replaced.unwrap_or(0) + entry.bytes.len();
        if bytes > MAX_BYTES {
            return Err(TreeError::TooManyBytes);
        }
        self.bytes = bytes;
        self.entries.insert(path, entry);
        Ok(())
    }

    /// No file above the new path, nothing below it.
    fn check_place(&self, path: &TreePath) -> Result<(), TreeError> {
        let clash = |file: &str, below: &str| TreeError::FileIsFolder {
            file: file.to_owned(),
            below: below.to_owned(),
        };
        if let Some(above) = path
            .folders()
            .find(|folder| self.entries.contains_key(*folder))
        {
            return Err(clash(above, path.as_str()));
        }
        let folder = format!("{path}/");
        match self
            .entries
            .range::<str, _>((Bound::Included(folder.as_str()), Bound::Unbounded))
            .next()
        {
            Some((below, _)) if below.as_str().starts_with(&folder) => {
                Err(clash(path.as_str(), below.as_str()))
            }
            _ => Ok(()),
        }
    }
}

impl<'a> IntoIterator for &'a Tree {
    type Item = (&'a TreePath, &'a Entry);
    type IntoIter = btree_map::Iter<'a, TreePath, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Whether a link's target is relative and stays inside the tree.
///
/// `..` counts only at the beginning: behind a folder that is itself a link, it would lead elsewhere than the text says.
fn stays_inside(link: &TreePath, target: &[u8]) -> bool {
    let Ok(target) = std::str::from_utf8(target) else {
        return false;
    };
    if target.len() > MAX_LINK {
        return false;
    }
    let (mut up, mut rest) = (0, target.trim_end_matches('/'));
    while let Some(after) = rest.strip_prefix("..") {
        match after.strip_prefix('/') {
            Some(after) => rest = after,
            None if after.is_empty() => rest = "",
            None => break,
        }
        up += 1;
    }
    let named = if rest.is_empty() || rest == "." {
        up > 0 || rest == "."
    } else {
        TreePath::new(rest).is_ok()
    };
    named && up <= link.folders().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        for (at, text) in files {
            tree.insert(path(at), Entry::file(*text)).unwrap();
        }
        tree
    }

    /// Trees of few, short, often equal names, so that clashes happen.
    pub(super) fn any_tree() -> impl Strategy<Value = Tree> {
        let entry = (
            prop_oneof!["[ab]", "[ab]/[ab]", "[ab]/[ab]/[a-c.]x"],
            0..3u8,
            proptest::collection::vec(any::<u8>(), 0..20),
        );
        proptest::collection::vec(entry, 0..12).prop_map(|entries| {
            let mut tree = Tree::new();
            for (at, mode, bytes) in entries {
                let entry = match mode {
                    0 => Entry::file(bytes),
                    1 => Entry::executable(bytes),
                    _ => Entry::symlink("target"),
                };
                let _refused_where_they_clash = tree.insert(path(&at), entry);
            }
            tree
        })
    }

    #[test]
    fn a_file_is_no_folder_whichever_came_first() {
        let mut first = tree(&[("a", "1")]);
        assert!(matches!(
            first.insert(path("a/b/c"), Entry::file("2")),
            Err(TreeError::FileIsFolder { .. })
        ));
        let mut second = tree(&[("a/b/c", "1"), ("a-b", "2")]);
        assert!(matches!(
            second.insert(path("a"), Entry::file("2")),
            Err(TreeError::FileIsFolder { .. })
        ));
        assert!(matches!(
            second.insert(path("a/b"), Entry::file("2")),
            Err(TreeError::FileIsFolder { .. })
        ));
        assert_eq!(second.len(), 2);
    }

    #[test]
    fn the_second_file_at_a_path_is_refused_but_may_replace() {
        let mut tree = tree(&[("a", "one")]);
        assert_eq!(
            tree.insert(path("a"), Entry::file("two")),
            Err(TreeError::Twice(path("a")))
        );
        tree.replace(path("a"), Entry::file("twice")).unwrap();
        assert_eq!((tree.len(), tree.total_bytes()), (1, 5));
    }

    #[test]
    fn links_stay_inside() {
        for (link, target) in [
            ("a", "b"),
            ("d/a", "../b"),
            ("d/e/a", "../../x/y"),
            ("d/a", ".."),
            ("d/a", "b/"),
            ("a", "."),
        ] {
            let mut tree = Tree::new();
            assert_eq!(
                tree.insert(path(link), Entry::symlink(target)),
                Ok(()),
                "{link} -> {target}"
            );
        }
        for (link, target) in [
            ("a", ""),
            ("a", ".."),
            ("a", "../b"),
            ("d/a", "../../b"),
            ("a", "/etc/passwd"),
            ("a", "b/../../c"),
            ("a", "b/../c"),
            ("a", ".git/config"),
            ("d/a", "../.git"),
            ("a", "b\0c"),
            ("a", "..\\b"),
        ] {
            let mut tree = Tree::new();
            assert_eq!(
                tree.insert(path(link), Entry::symlink(target)),
                Err(TreeError::LinkLeaves(path(link))),
                "{link} -> {target}"
            );
        }
    }

    #[test]
    fn too_many_files_and_too_many_bytes_are_refused() {
        let mut tree = Tree::new();
        for n in 0..MAX_FILES {
            tree.insert(path(&format!("f{n}")), Entry::file(""))
                .unwrap();
        }
        assert_eq!(
            tree.insert(path("more"), Entry::file("")),
            Err(TreeError::TooManyFiles)
        );
        let mut tree = Tree::new();
        tree.insert(path("big"), Entry::file(vec![0; MAX_BYTES]))
            .unwrap();
        assert_eq!(
            tree.insert(path("more"), Entry::file("x")),
            Err(TreeError::TooManyBytes)
        );
        tree.replace(path("big"), Entry::file("small again"))
            .unwrap();
        assert_eq!(tree.insert(path("more"), Entry::file("x")), Ok(()));
    }

    #[test]
    fn below_and_within_are_each_others_way_back() {
        let inner = tree(&[("README.md", "r"), ("src/main.js", "m")]);
        let outer = inner.clone().below(&path("services/pay")).unwrap();
        assert!(outer.get("services/pay/src/main.js").is_some());
        assert_eq!(outer.within(&path("services/pay")).unwrap(), inner);
        assert!(outer.within(&path("services/pa")).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn merging_keeps_or_replaces_and_never_loses_a_path(left in any_tree(), right in any_tree()) {
            for existing in [Existing::Keep, Existing::Replace] {
                let Ok(merged) = left.clone().merge(right.clone(), existing) else { continue };
                for (at, entry) in &merged {
                    let (l, r) = (left.get(at.as_str()), right.get(at.as_str()));
                    let wanted = if existing == Existing::Keep { l.or(r) } else { r.or(l) };
                    prop_assert_eq!(Some(entry), wanted);
                }
                for (at, _) in left.iter().chain(right.iter()) {
                    prop_assert!(merged.get(at.as_str()).is_some());
                }
                prop_assert_eq!(merged.total_bytes(), merged.iter().map(|(_, e)| e.bytes.len()).sum::<usize>());
            }
        }

        #[test]
        fn merging_a_tree_with_itself_changes_nothing(tree in any_tree()) {
            prop_assert_eq!(tree.clone().merge(tree.clone(), Existing::Replace), Ok(tree));
        }
    }
}
