//! Putting a commit into a repository of ours, without git: the pack, the marker's note, then the branch.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::marker::Marker;
use super::place::Place;
use super::refs::Made;
use super::{disk, refs, remove};
use crate::clients::forge::git::Git;
use crate::clients::forge::object::Objects;
use crate::clients::forge::pack::pack;
use crate::clients::forge::{CommitSpec, ForgeError, ObjectId, RepoName, RepoState};
use crate::domain::id::RequestId;
use crate::domain::tree::Tree;

/// What is to be pushed where, for whom.
pub(super) struct Push {
    pub(super) repo: RepoName,
    pub(super) request: RequestId,
    pub(super) tree: Arc<Tree>,
    pub(super) commit: CommitSpec,
}

pub(super) fn push(place: &Place, git: &Git, push: &Push) -> Result<ObjectId, ForgeError> {
    let repo = &push.repo;
    let failed = |error: io::Error| ForgeError::io(repo, "pushing to", &error);
    ours(place, push)?;
    let _lock = remove::alone(place, repo)?;
    let state = ours(place, push)?; // again, behind the lock
    let dir = place.dir(repo);
    let marker = Marker::read(&dir)
        .map_err(failed)?
        .ok_or_else(|| ForgeError::Missing { repo: repo.clone() })?;
    let objects = Objects::new(&push.tree, &push.commit);
    let commit = objects.commit;
    match state.head {
        Some(head) if head == commit || is_ancestor(git, &dir, commit, head).map_err(failed)? => {
            return Ok(commit);
        }
        Some(_) => return Err(ForgeError::Foreign { repo: repo.clone() }),
        None => {}
    }
    let pack = pack(&objects).map_err(|error| ForgeError::Refused {
        forge: super::TITLE,
        why: None,
        cause: error.to_string(),
    })?;
    disk::write_pack(&dir, &pack).map_err(failed)?;
    note(marker, commit, &dir).map_err(failed)?;
    match refs::create_branch(&dir, &state.default_branch, commit).map_err(failed)? {
        Made::Yes => Ok(commit),
        Made::Other(_) => Err(ForgeError::Busy { repo: repo.clone() }),
    }
}

/// The repository, if the request made it.
fn ours(place: &Place, push: &Push) -> Result<RepoState, ForgeError> {
    match place.look(&push.repo)? {
        None => Err(ForgeError::Missing {
            repo: push.repo.clone(),
        }),
        Some(state) if state.made_by == Some(push.request) => Ok(state),
        Some(state) => Err(ForgeError::Taken {
            repo: state.repo,
            team: state.team,
        }),
    }
}

/// Before the branch: a commit of ours must never look like somebody else's.
fn note(mut marker: Marker, commit: ObjectId, dir: &Path) -> io::Result<()> {
    if marker.commits.contains(&commit) {
        return Ok(());
    }
    marker.commits.push(commit);
    marker.write(dir)
}

/// Whether others have built on our commit. An unknown commit is nobody's ancestor (git says 128, which is "no").
fn is_ancestor(git: &Git, dir: &Path, ours: ObjectId, head: ObjectId) -> io::Result<bool> {
    let mut command = git.command();
    command.arg("--git-dir").arg(dir).args([
        "merge-base",
        "--is-ancestor",
        &ours.to_string(),
        &head.to_string(),
    ]);
    Ok(command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()?
        .success())
}
