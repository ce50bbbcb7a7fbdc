//! The canonical bytes of a tree, and the digest that names it.
//!
//! ```text
//! "idp.tree.v1\0"
//! u32  number of entries
//! then for each entry, in strictly ascending byte order of the paths:
//!   u8   mode: 0 file, 1 executable, 2 symbolic link
//!   u32  length of the path, and the path in UTF-8
//!   u32  length of the content, and the content
//! ```
//!
//! Numbers are big-endian. One tree has exactly one encoding, and [`Tree::decode`] takes nothing else, so the digest of
//! the bytes names the tree.

use std::fmt;
use std::str::FromStr;

use super::super::canonical::Digest;
use super::{Entry, MAX_BYTES, MAX_FILES, Mode, Tree, TreeError, TreePath};

const MAGIC: &[u8] = b"idp.tree.v1\0";

/// The SHA-256 of a tree's canonical bytes; `tree:` and 64 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeId(Digest);

impl TreeId {
    /// The tree whose canonical bytes have this digest.
    pub const fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest itself: the key of the blob that holds the bytes.
    pub const fn digest(self) -> Digest {
        self.0
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tree:{}", self.0)
    }
}

impl fmt::Debug for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeId({self})")
    }
}

/// The text is no name of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tree is named by `tree:` and 64 hex digits")]
pub struct ParseTreeIdError;

impl FromStr for TreeId {
    type Err = ParseTreeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("tree:").ok_or(ParseTreeIdError)?;
        digits.parse().map(Self).map_err(|_| ParseTreeIdError)
    }
}

impl serde::Serialize for TreeId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for TreeId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why bytes are no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They don't begin as a tree of this version does.
    #[error("these bytes are no tree, or one of another version")]
    Magic,
    /// They end in the middle of something.
    #[error("the tree is cut off")]
    Short,
    /// There is more behind the last entry.
    #[error("there are bytes behind the end of the tree")]
    Trailing,
    /// An unknown kind of entry.
    #[error("unknown mode {0} of an entry")]
    Mode(u8),
    /// A path that is not UTF-8.
    #[error("a path is not UTF-8")]
    Utf8,
    /// The paths don't ascend.
    #[error("`{0}` stands in the wrong place")]
    Order(TreePath),
    /// An entry that may not stand there.
    #[error(transparent)]
    Entry(#[from] TreeError),
}

impl Tree {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let paths: usize = self.iter().map(|(path, _)| path.as_str().len()).sum();
        let mut out =
            Vec::with_capacity(MAGIC.len() + 4 + 9 * self.len() + paths + self.total_bytes());
        out.extend_from_slice(MAGIC);
        put_u32(&mut out, self.len());
        for (path, entry) in self {
            out.push(match entry.mode {
                Mode::File => 0,
                Mode::Executable => 1,
                Mode::Symlink => 2,
            });
            put_u32(&mut out, path.as_str().len());
            out.extend_from_slice(path.as_str().as_bytes());
            put_u32(&mut out, entry.bytes.len());
            out.extend_from_slice(&entry.bytes);
        }
        out
    }

    /// Reads canonical bytes; whatever else is an error, never a panic.
    pub fn decode(bytes: &[u8]) -> Result<Tree, DecodeError> {
        let mut rest = Reader(bytes.strip_prefix(MAGIC).ok_or(DecodeError::Magic)?);
        let mut tree = Tree::new();
        let mut last: Option<TreePath> = None;
        for _ in 0..rest.u32()? {
            let mode = rest.mode()?;
            let path = std::str::from_utf8(rest.sized()?).map_err(|_| DecodeError::Utf8)?;
            let path = TreePath::new(path).map_err(TreeError::from)?;
            if last.as_ref().is_some_and(|last| *last >= path) {
                return Err(DecodeError::Order(path));
            }
            last = Some(path.clone());
            tree.insert(
                path,
                Entry {
                    mode,
                    bytes: rest.sized()?.to_vec(),
                },
            )?;
        }
        if rest.0.is_empty() {
            Ok(tree)
        } else {
            Err(DecodeError::Trailing)
        }
    }

    /// The name of the tree: the digest of its canonical bytes.
    pub fn id(&self) -> TreeId {
        TreeId(Digest::of(&self.encode()))
    }
}

/// Every length in a tree fits: its limits keep them far below four billion.
fn put_u32(out: &mut Vec<u8>, n: usize) {
    const { assert!(MAX_BYTES + MAX_FILES < u32::MAX as usize) };
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn u32(&mut self) -> Result<usize, DecodeError> {
        let (head, rest) = self.0.split_first_chunk::<4>().ok_or(DecodeError::Short)?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*head)).map_err(|_| DecodeError::Short)
    }

    fn sized(&mut self) -> Result<&'a [u8], DecodeError> {
        let n = self.u32()?;
        self.take(n)
    }

    fn mode(&mut self) -> Result<Mode, DecodeError> {
        match self.take(1)? {
            [0] => Ok(Mode::File),
            [1] => Ok(Mode::Executable),
            [2] => Ok(Mode::Symlink),
            [other, ..] => Err(DecodeError::Mode(*other)),
            [] => Err(DecodeError::Short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::any_tree;
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Tree {
        let mut tree = Tree::new();
        for (path, entry) in [
            ("b/run.sh", Entry::executable("#!/bin/sh\n")),
            ("a.md", Entry::file("# A\n")),
            ("link", Entry::symlink("a.md")),
        ] {
            tree.insert(TreePath::new(path).unwrap(), entry).unwrap();
        }
        tree
    }

    #[test]
    fn the_bytes_and_the_name_of_a_known_tree_never_change() {
        insta::assert_snapshot!(hex::encode(sample().encode()), @"6964702e747265652e763100000000030000000004612e6d64000000042320410a0100000008622f72756e2e73680000000a23212f62696e2f73680a02000000046c696e6b00000004612e6d64");
        insta::assert_snapshot!(sample().id(), @"tree:b4b26c36b2b9706df4deac5aa649e42ad5654fc1f63d08f2cd82dd02fd3720db");
    }

    #[test]
    fn a_name_reads_back_and_other_text_does_not() {
        let id = sample().id();
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "tree:",
            "tree:00",
            &id.to_string()[5..],
            &format!("{id}00"),
            &id.to_string().replace("tree", "blob"),
        ] {
            assert_eq!(bad.parse::<TreeId>(), Err(ParseTreeIdError), "{bad}");
        }
    }

    #[test]
    fn bytes_in_another_order_or_with_a_tail_are_no_tree() {
        let entry = |path: &[u8]| {
            [
                &[0u8][..],
                &(u32::try_from(path.len()).unwrap().to_be_bytes()),
                path,
                &0u32.to_be_bytes(),
            ]
            .concat()
        };
        let of = |n: u32, parts: &[&[u8]]| {
            [
                MAGIC,
                &n.to_be_bytes(),
                &parts.iter().flat_map(|p| entry(p)).collect::<Vec<_>>(),
            ]
            .concat()
        };
        assert_eq!(Tree::decode(&of(2, &[b"a", b"b"])).unwrap().len(), 2);
        assert!(matches!(
            Tree::decode(&of(2, &[b"b", b"a"])),
            Err(DecodeError::Order(_))
        ));
        assert!(matches!(
            Tree::decode(&of(2, &[b"a", b"a"])),
            Err(DecodeError::Order(_))
        ));
        assert_eq!(
            Tree::decode(&of(1, &[b"a", b"b"])),
            Err(DecodeError::Trailing)
        );
        assert_eq!(
            Tree::decode(&of(u32::MAX, &[b"a"])),
            Err(DecodeError::Short)
        );
        assert_eq!(Tree::decode(&of(1, &[&[0xff]])), Err(DecodeError::Utf8));
        assert!(matches!(
            Tree::decode(&of(1, &[b"../a"])),
            Err(DecodeError::Entry(TreeError::Path(_)))
        ));
        assert!(matches!(
            Tree::decode(&of(2, &[b"a", b"a/b"])),
            Err(DecodeError::Entry(TreeError::FileIsFolder { .. }))
        ));
    }

    proptest! {
        #[test]
        fn every_tree_reads_back(tree in any_tree()) {
            prop_assert_eq!(Tree::decode(&tree.encode()), Ok(tree));
        }

        #[test]
        fn whatever_is_read_is_written_the_same(tree in any_tree(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut bytes = tree.encode();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(tree) = Tree::decode(&bytes) {
                prop_assert_eq!(tree.encode(), bytes);
            }
        }

        #[test]
        fn no_bytes_panic(tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Tree::decode(&tail);
            let _ = Tree::decode(&[MAGIC, &tail].concat());
        }
    }
}
