//! Taking a repository back, and the lock that keeps it in place while somebody writes to it.
//!
//! Strangers' pushes hold the lock shared, our own changes hold it alone. The kernel gives it back when a process dies.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::disk;
use super::place::Place;
use crate::clients::forge::{ForgeError, Removal, RepoName};
use crate::domain::id::RequestId;

/// The file in a repository whose lock this is about.
pub(super) const LOCK: &str = "idp.lock";

/// How often a lock is tried for, and the pause between: half a second in all, on a thread that may block.
const TRIES: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(10);

/// Removes a repository that `request` made and nobody else has pushed to.
pub(super) fn remove(
    place: &Place,
    repo: &RepoName,
    request: RequestId,
) -> Result<Removal, ForgeError> {
    let Some(state) = place.look(repo)? else {
        return Ok(Removal::WasGone);
    };
    if state.made_by != Some(request) {
        return Err(ForgeError::Taken {
            repo: state.repo,
            team: state.team,
        });
    }
    let _lock = alone(place, repo)?;
    // Asked again behind the lock: a push may have ended since.
    match place.look(repo)? {
        None => return Ok(Removal::WasGone),
        Some(state) if state.foreign => return Err(ForgeError::Foreign { repo: state.repo }),
        Some(_) => {}
    }
    let failed = |error: io::Error| ForgeError::io(repo, "removing", &error);
    let dir = place.dir(repo);
    let aside = place.workshop().map_err(failed)?;
    fs::rename(&dir, &aside).map_err(failed)?;
    dir.parent()
        .map_or(Ok(()), disk::sync_dir)
        .map_err(failed)?;
    // It is gone for everybody; what is left of it is swept up at the next start, if not now.
    let _swept_up_later = disk::remove_tree(&aside);
    Ok(Removal::Removed)
}

/// The right to change a repository while nobody else writes to it.
pub(super) fn alone(place: &Place, repo: &RepoName) -> Result<File, ForgeError> {
    let lock = open(place, repo)?;
    locked(repo, patiently(|| lock.try_lock()))?;
    Ok(lock)
}

/// The right to push to a repository beside others.
pub(super) fn enter(place: &Place, repo: &RepoName) -> Result<File, ForgeError> {
    let lock = open(place, repo)?;
    locked(repo, patiently(|| lock.try_lock_shared()))?;
    Ok(lock)
}

/// A lock that we have given back can stay held for a moment: a process that is being started holds all our files until
/// it becomes another program.
fn patiently(attempt: impl Fn() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    for _ in 0..TRIES {
        match attempt() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            done => return done,
        }
    }
    attempt()
}

fn locked(repo: &RepoName, result: Result<(), TryLockError>) -> Result<(), ForgeError> {
    result.map_err(|error| match error {
        TryLockError::WouldBlock => ForgeError::Busy { repo: repo.clone() },
        TryLockError::Error(error) => ForgeError::io(repo, "locking", &error),
    })
}

fn open(place: &Place, repo: &RepoName) -> Result<File, ForgeError> {
    place.check()?;
    match File::options()
        .read(true)
        .write(true)
        .open(place.dir(repo).join(LOCK))
    {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            place.check()?; // or was the whole folder moved away meanwhile?
            Err(ForgeError::Missing { repo: repo.clone() })
        }
        Err(error) => Err(ForgeError::io(repo, "opening", &error)),
    }
}
