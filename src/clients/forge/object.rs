//! A tree of files as git objects: blobs, trees and one commit without a parent.
//!
//! Everything that goes into an object is given: people, date and message come from the caller, never from the clock or
//! from a git configuration. So the same tree and the same [`CommitSpec`] always have the same commit id, and a retry
//! finds its own work again.

use std::collections::HashSet;
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use sha1::{Digest, Sha1};

use crate::domain::tree::{Mode, Tree};

/// The name of a git object: the SHA-1 of its kind, length and content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The SHA-1 of bytes that are no object: a pack or its index.
    pub(super) fn digest(bytes: &[u8]) -> Self {
        Self(Sha1::digest(bytes).into())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// The text is no name of a git object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a git object is named by 40 hex digits")]
pub struct ParseObjectIdError;

impl FromStr for ObjectId {
    type Err = ParseObjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 20];
        hex::decode_to_slice(text, &mut id).map_err(|_| ParseObjectIdError)?;
        Ok(Self(id))
    }
}

impl serde::Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ObjectId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Somebody as git writes them: `Name <mail>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    name: String,
    mail: String,
}

impl Ident {
    /// Takes out of both what git's format has no room for (`<`, `>`, control characters and git's own "crud" at the
    /// ends), as git itself does; nothing left becomes `unknown`.
    pub fn new(name: &str, mail: &str) -> Self {
        let clean = |text: &str| {
            let kept: String = text
                .chars()
                .filter(|c| !matches!(c, '<' | '>') && !c.is_control())
                .collect();
            let kept = kept.trim_matches(|c: char| c.is_whitespace() || ".,:;\"\\'".contains(c));
            if kept.is_empty() {
                "unknown".to_owned()
            } else {
                kept.to_owned()
            }
        };
        Self {
            name: clean(name),
            mail: clean(mail),
        }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.mail)
    }
}

/// Everything that a commit says besides its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSpec {
    /// Who asked for it.
    pub author: Ident,
    /// Who made it.
    pub committer: Ident,
    /// Author and committer date: seconds since 1970, written as `+0000`. Negative ones become 0, as git knows none.
    pub at: i64,
    /// The message; ends with exactly one newline in the commit.
    pub message: String,
}

impl CommitSpec {
    fn content(&self, tree: ObjectId) -> Vec<u8> {
        let at = self.at.max(0);
        let Self {
            author, committer, ..
        } = self;
        // NUL ends the message for git: everything behind it would be hidden, and `git fsck --strict` complains.
        let message = self.message.replace('\0', "");
        let mut text = format!(
            "tree {tree}\nauthor {author} {at} +0000\ncommitter {committer} {at} +0000\n\n"
        );
        text.push_str(message.trim_end());
        text.push('\n');
        text.into_bytes()
    }
}

/// Kind of an object, as its header and as the packs number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit = 1,
    Tree = 2,
    Blob = 3,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
        }
    }
}

/// One object with its name.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) id: ObjectId,
    pub(super) kind: Kind,
    pub(super) content: std::borrow::Cow<'a, [u8]>,
}

/// All objects of one commit, each once, the commit first.
#[derive(Debug)]
pub struct Objects<'a> {
    /// The commit.
    pub commit: ObjectId,
    pub(super) list: Vec<Object<'a>>,
}

impl<'a> Objects<'a> {
    /// The objects of a commit of this tree.
    pub fn new(tree: &'a Tree, commit: &CommitSpec) -> Self {
        let mut known = Known::default();
        let leaves: Vec<Leaf<'a>> = tree
            .iter()
            .map(|(path, entry)| Leaf {
                rest: path.as_str(),
                mode: mode(entry.mode),
                id: known.add(Kind::Blob, (&entry.bytes).into()),
            })
            .collect();
        let root = folder(&leaves, &mut known);
        let commit = known.add(Kind::Commit, commit.content(root).into());
        known.list.reverse(); // git reads a pack from the front: the commit, its trees, then the files
        Self {
            commit,
            list: known.list,
        }
    }
}

/// An entry below the folder being written; `rest` is its path from there.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    rest: &'a str,
    mode: &'static str,
    id: ObjectId,
}

/// Writes a folder and those in it.
///
/// Git sorts a folder's entries as if folders were named `name/`, which is the byte order of whole paths that the
/// leaves come in, so each folder's leaves stand together and nothing has to be sorted again.
fn folder(leaves: &[Leaf<'_>], known: &mut Known<'_>) -> ObjectId {
    let mut content = Vec::with_capacity(leaves.len() * 40);
    let mut rest = leaves;
    while let Some(first) = rest.first() {
        let (name, mode, id, used) = match first.rest.split_once('/') {
            None => (first.rest, first.mode, first.id, 1),
            Some((name, _)) => {
                let inner: Vec<Leaf<'_>> =
                    rest.iter().map_while(|leaf| leaf.inside(name)).collect();
                (name, "40000", folder(&inner, known), inner.len())
            }
        };
        content.extend_from_slice(mode.as_bytes());
        content.push(b' ');
        content.extend_from_slice(name.as_bytes());
        content.push(0);
        content.extend_from_slice(id.as_bytes());
        rest = &rest[used..];
    }
    known.add(Kind::Tree, content.into())
}

impl Leaf<'_> {
    fn inside(&self, folder: &str) -> Option<Self> {
        let rest = self.rest.strip_prefix(folder)?.strip_prefix('/')?;
        Some(Self { rest, ..*self })
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::File => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
    }
}

#[derive(Default)]
struct Known<'a> {
    seen: HashSet<ObjectId>,
    list: Vec<Object<'a>>,
}

impl<'a> Known<'a> {
    fn add(&mut self, kind: Kind, content: std::borrow::Cow<'a, [u8]>) -> ObjectId {
        let mut head = String::with_capacity(24);
        let _infallible = write!(head, "{} {}\0", kind.word(), content.len());
        let id = ObjectId(
            Sha1::new()
                .chain_update(&head)
                .chain_update(&content)
                .finalize()
                .into(),
        );
        if self.seen.insert(id) {
            self.list.push(Object { id, kind, content });
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tree::{Entry, TreePath};

    fn spec() -> CommitSpec {
        CommitSpec {
            author: Ident::new("Priya Nair", "priya@example.com"),
            committer: Ident::new("idp", "idp@localhost"),
            at: 1_767_225_600,
            message: "Create payments-api".to_owned(),
        }
    }

    #[test]
    fn an_empty_tree_has_gits_well_known_name() {
        let tree = Tree::new();
        let objects = Objects::new(&tree, &spec());
        assert_eq!(
            objects.list[1].id.to_string(),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
    }

    #[test]
    fn equal_files_and_equal_folders_are_one_object() {
        let mut tree = Tree::new();
        for path in ["a/x", "a/y", "b/x", "b/y", "z"] {
            tree.insert(TreePath::new(path).unwrap(), Entry::file("same"))
                .unwrap();
        }
        let kinds: Vec<_> = Objects::new(&tree, &spec())
            .list
            .iter()
            .map(|o| o.kind)
            .collect();
        assert_eq!(kinds, [Kind::Commit, Kind::Tree, Kind::Tree, Kind::Blob]);
    }

    #[test]
    fn people_cannot_break_out_of_their_line() {
        assert_eq!(
            Ident::new("Eve <x>\nparent 1", " \"eve@x>\0 ").to_string(),
            "Eve xparent 1 <eve@x>"
        );
        assert_eq!(Ident::new("", "<>").to_string(), "unknown <unknown>");
        let wild = CommitSpec {
            message: "a\0b\n\n\n".to_owned(),
            at: -1,
            ..spec()
        };
        let content = String::from_utf8(wild.content(ObjectId([0; 20]))).unwrap();
        assert!(content.ends_with("> 0 +0000\n\nab\n"), "{content}");
    }

    #[test]
    fn an_id_reads_back() {
        let id = ObjectId::digest(b"x");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("12".parse::<ObjectId>(), Err(ParseObjectIdError));
    }
}
