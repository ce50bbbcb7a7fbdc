//! Reading what stands in a repository, for its pages. By git itself: strangers push objects in forms that we never
//! write.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::LocalForge;
use crate::clients::forge::{ObjectId, RepoName};
use crate::domain::tree::TreePath;

/// Most bytes of a folder's listing that are read: some twenty thousand entries.
const MAX_LISTING: u64 = 2 * 1024 * 1024;

/// How long git may take over one answer. It reads a few files; beyond this the disk is in trouble.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedKind {
    /// Another folder.
    Folder,
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Module,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ListedKind,
    /// Bytes, where it has content.
    pub size: Option<u64>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing, or a folder.
    NoFile,
    /// More than was asked for.
    TooLarge {
        /// In bytes.
        size: u64,
    },
    /// A file (or the target of a link).
    Bytes(Vec<u8>),
}

/// Git didn't answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It couldn't be run or read.
    #[error("git could not be run: {0}")]
    Io(#[from] std::io::Error),
    /// It took too long.
    #[error("git took longer than {} s", PATIENCE.as_secs())]
    Slow,
}

impl LocalForge {
    /// The entries of a folder at a commit, folders first; `None`: there is no such folder.
    pub async fn folder(
        &self,
        repo: &RepoName,
        commit: ObjectId,
        folder: Option<&TreePath>,
    ) -> Result<Option<Vec<Listed>>, ReadError> {
        let tree = format!("{commit}:{}", folder.map_or("", TreePath::as_str));
        let mut command = self.reader(repo);
        command.args(["ls-tree", "-z", "-l", &tree]);
        self.patiently(async move {
            let mut child = command.spawn()?;
            let mut listing = Vec::new();
            if let Some(out) = child.stdout.take() {
                out.take(MAX_LISTING).read_to_end(&mut listing).await?;
            }
            let known = child.wait().await?.success();
            Ok(known.then(|| parse_listing(&listing)))
        })
        .await
    }

    /// The file at a path and commit, if it is no longer than `limit` bytes.
    pub async fn file(
        &self,
        repo: &RepoName,
        commit: ObjectId,
        path: &TreePath,
        limit: u64,
    ) -> Result<Content, ReadError> {
        let mut command = self.reader(repo);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped());
        let wanted = format!("{commit}:{path}\n"); // a checked path has no line break in it
        self.patiently(async move {
            let mut child = command.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(wanted.as_bytes()).await?;
            }
            read_object(&mut child, limit).await
        })
        .await
    }

    fn reader(&self, repo: &RepoName) -> Command {
        let mut command = Command::from(self.git.command());
        command
            .arg("--git-dir")
            .arg(self.place.dir(repo))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let work = async {
            let _slot = self.git.slot().await;
            work.await
        };
        tokio::time::timeout(PATIENCE, work)
            .await
            .unwrap_or(Err(ReadError::Slow))
    }
}

/// `OBJECT blob SIZE` and the content, or anything else for what is no file.
async fn read_object(child: &mut Child, limit: u64) -> Result<Content, ReadError> {
    let Some(out) = child.stdout.take() else {
        return Ok(Content::NoFile);
    };
    let mut out = BufReader::new(out);
    let mut head = String::new();
    (&mut out).take(8192).read_line(&mut head).await?;
    let mut words = head.split_whitespace().skip(1);
    let (Some("blob"), Some(Ok(size))) = (words.next(), words.next().map(str::parse::<u64>)) else {
        return Ok(Content::NoFile);
    };
    if size > limit {
        return Ok(Content::TooLarge { size });
    }
    let mut bytes = Vec::new();
    out.take(size).read_to_end(&mut bytes).await?;
    Ok(Content::Bytes(bytes))
}

/// `MODE KIND OBJECT SIZE\tNAME\0`, the size padded, `-` for what has none.
fn parse_listing(listing: &[u8]) -> Vec<Listed> {
    let mut entries: Vec<Listed> = listing.split(|b| *b == 0).filter_map(parse_entry).collect();
    entries.sort_by_key(|entry| entry.kind != ListedKind::Folder); // stable: git's order within
    entries
}

fn parse_entry(entry: &[u8]) -> Option<Listed> {
    let entry = String::from_utf8_lossy(entry);
    let (head, name) = entry.split_once('\t')?;
    let mut words = head.split_whitespace();
    let kind = match (words.next()?, words.next()?) {
        (_, "tree") => ListedKind::Folder,
        (_, "commit") => ListedKind::Module,
        ("120000", _) => ListedKind::Link,
        _ => ListedKind::File,
    };
    Some(Listed {
        name: name.to_owned(),
        kind,
        size: words.nth(1)?.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_reads_with_folders_first() {
        let id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let text = format!(
            "100644 blob {id}     12\ta\tb\0120000 blob {id}      3\tl\0040000 tree {id}       -\tsrc\0160000 commit {id}       -\tsub\0"
        );
        let entries = parse_listing(text.as_bytes());
        let seen: Vec<_> = entries
            .iter()
            .map(|e| (e.name.as_str(), e.kind, e.size))
            .collect();
        assert_eq!(
            seen,
            [
                ("src", ListedKind::Folder, None),
                ("a\tb", ListedKind::File, Some(12)),
                ("l", ListedKind::Link, Some(3)),
                ("sub", ListedKind::Module, None)
            ]
        );
    }
}
