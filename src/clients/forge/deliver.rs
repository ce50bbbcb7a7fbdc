//! Delivering a tree without a forge, for `idp render`: into a folder, into a bare repository by path, or by `git push`.
//!
//! Into a repository by path the pack is written directly: no work tree, no git process. What a push would refuse is
//! refused here too: a branch that holds another commit stays as it is.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::local::{create_branch, write_pack};
use super::object::Objects;
use super::pack::{PackError, pack};
use super::{Branch, CommitSpec, ObjectId};
use crate::domain::tree::{Mode, Tree};

/// Why a tree wasn't delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// A folder with something in it would be mixed with the new files.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The path is no bare repository.
    #[error("{} is not a bare git repository; make one with `git init --bare {}`", .0.display(), .0.display())]
    NotBare(PathBuf),
    /// The branch holds other work.
    #[error("the branch {branch} exists already with other commits in it")]
    Diverged {
        /// Which.
        branch: Branch,
    },
    /// `git push` said no.
    #[error("git push failed: {0}")]
    Push(String),
    /// A file couldn't be compressed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The disk said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let path = path.to_owned();
    move |source| DeliverError::Io { path, source }
}

/// Writes a tree's files into a folder, which must be new or empty.
pub fn to_folder(dir: &Path, tree: &Tree) -> Result<(), DeliverError> {
    fs::create_dir_all(dir).map_err(at(dir))?;
    if fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
        return Err(DeliverError::NotEmpty(dir.to_owned()));
    }
    for (path, entry) in tree {
        let file = dir.join(path.as_str());
        let folder = file.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let written = match entry.mode {
            Mode::File => fs::write(&file, &entry.bytes),
            Mode::Executable => fs::write(&file, &entry.bytes)
                .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o755))),
            Mode::Symlink => symlink(String::from_utf8_lossy(&entry.bytes).as_ref(), &file),
        };
        written.map_err(at(&file))?;
    }
    Ok(())
}

/// Commits a tree to a bare repository by path (`None`: to the branch that its `HEAD` names) or to any URL that
/// `git push` takes (`None`: to `main`).
pub fn to_git(
    to: &str,
    branch: Option<&Branch>,
    tree: &Tree,
    commit: &CommitSpec,
) -> Result<ObjectId, DeliverError> {
    let path = Path::new(to);
    if is_url(to) {
        return push(to, branch, &Objects::new(tree, commit));
    }
    let head = fs::read_to_string(path.join("HEAD")).unwrap_or_default();
    if !path.join("objects/pack").is_dir() || !path.join("refs").is_dir() || head.is_empty() {
        return Err(DeliverError::NotBare(path.to_owned()));
    }
    let objects = Objects::new(tree, commit);
    // Another object format or another way to keep references: git knows them, we don't.
    let config = fs::read_to_string(path.join("config")).map_err(at(&path.join("config")))?;
    if config.to_ascii_lowercase().contains("[extensions") {
        return push(to, branch, &objects);
    }
    let named = head
        .trim()
        .strip_prefix("ref: refs/heads/")
        .and_then(|name| name.parse().ok());
    let branch = branch.cloned().or(named).unwrap_or_else(Branch::main);
    write(path, &branch, &objects)
}

fn write(repo: &Path, branch: &Branch, objects: &Objects<'_>) -> Result<ObjectId, DeliverError> {
    write_pack(repo, &pack(objects)?).map_err(at(repo))?;
    match create_branch(repo, branch, objects.commit).map_err(at(repo))? {
        super::local::Made::Yes => Ok(objects.commit),
        super::local::Made::Other(_) => Err(DeliverError::Diverged {
            branch: branch.clone(),
        }),
    }
}

/// From a bare repository of the moment, with the caller's own git configuration and credentials.
fn push(
    url: &str,
    branch: Option<&Branch>,
    objects: &Objects<'_>,
) -> Result<ObjectId, DeliverError> {
    let branch = branch.cloned().unwrap_or_else(Branch::main);
    let moment = Moment::of(&branch, objects)?;
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(moment.dir())
        .args(["push", "--quiet", "--", url, &branch.full()])
        .stdin(Stdio::inherit());
    let output = command.output().map_err(at(Path::new("git")))?;
    if output.status.success() {
        return Ok(objects.commit);
    }
    Err(DeliverError::Push(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

/// A bare repository with one commit on one branch, to push from. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Moment(PathBuf);

impl Moment {
    /// Makes one for a tree.
    pub(super) fn make(
        branch: &Branch,
        tree: &Tree,
        commit: &CommitSpec,
    ) -> Result<Self, DeliverError> {
        Self::of(branch, &Objects::new(tree, commit))
    }

    fn of(branch: &Branch, objects: &Objects<'_>) -> Result<Self, DeliverError> {
        let folder = std::env::temp_dir();
        sweep(&folder);
        let moment = Self(folder.join(format!("{PREFIX}{:032x}", rand::random::<u128>())));
        init(&moment.0).map_err(at(&moment.0))?;
        write(&moment.0, branch, objects)?;
        Ok(moment)
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.0
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.0);
    }
}

/// Begins the name of each folder.
const PREFIX: &str = "idp-push-";

/// How old one is whose process was killed: a push takes minutes at most.
const LEFT_BEHIND: Duration = Duration::from_hours(1);

/// Removes what processes that were killed left there. Best effort: others' stay, and it is only tidiness.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for entry in ours {
        let age = entry.metadata().and_then(|about| about.modified());
        let age = age.ok().and_then(|made| made.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_BEHIND) {
            let _best_effort = fs::remove_dir_all(entry.path());
        }
    }
}

/// For us alone: what is pushed may be private, and others read the folder for temporary files too.
fn init(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(dir)?;
    for folder in ["objects/pack", "refs/heads"] {
        fs::create_dir_all(dir.join(folder))?;
    }
    fs::write(
        dir.join("config"),
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    )?;
    fs::write(dir.join("HEAD"), "ref: refs/heads/main\n")
}

/// A scheme, or `host:path` as ssh writes it.
fn is_url(to: &str) -> bool {
    let before_slash = to.split('/').next().unwrap_or_default();
    before_slash.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let now = folder.path().metadata().unwrap().modified().unwrap();
        let old = now - LEFT_BEHIND * 2;
        for (name, made) in [
            ("idp-push-old", old),
            ("idp-push-new", now),
            ("others", old),
        ] {
            let dir = folder.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("HEAD"), "x").unwrap();
            fs::File::open(&dir).unwrap().set_modified(made).unwrap();
        }
        sweep(folder.path());
        let here = |name: &str| folder.path().join(name).exists();
        assert_eq!(
            [here("idp-push-old"), here("idp-push-new"), here("others")],
            [false, true, true]
        );
    }
}
