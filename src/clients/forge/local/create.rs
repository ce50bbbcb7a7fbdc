//! Making a repository: whole or not at all, and only adopted by the request that made it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::marker::Marker;
use super::place::Place;
use super::{disk, remove};
use crate::clients::forge::{ForgeError, RepoSpec, RepoState};

/// What git expects of a bare repository (`gitrepository-layout`), and no more.
const FOLDERS: [&str; 6] = [
    "objects",
    "objects/info",
    "objects/pack",
    "refs",
    "refs/heads",
    "refs/tags",
];

const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// Makes the repository, or adopts it if this very request made it.
pub(super) fn ensure(place: &Place, spec: &RepoSpec) -> Result<RepoState, ForgeError> {
    if let Some(state) = place.look(&spec.repo)? {
        return adopt(place, spec, state);
    }
    let failed = |error: io::Error| ForgeError::io(&spec.repo, "creating", &error);
    match make(place, spec) {
        Ok(()) => {}
        // Another one was faster: it may be a twin of ours.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty
            ) => {}
        Err(error) => return Err(failed(error)),
    }
    let state = place.look(&spec.repo)?.ok_or_else(|| ForgeError::Missing {
        repo: spec.repo.clone(),
    })?;
    adopt(place, spec, state)
}

fn adopt(place: &Place, spec: &RepoSpec, state: RepoState) -> Result<RepoState, ForgeError> {
    if state.made_by != Some(spec.request) {
        return Err(ForgeError::Taken {
            repo: state.repo,
            team: state.team,
        });
    }
    let same = state.visibility == spec.visibility
        && state.description == spec.description
        && state.default_branch == spec.default_branch
        && state.team == spec.team;
    if same {
        return Ok(state);
    }
    settle(place, spec)?;
    place.look(&spec.repo)?.ok_or_else(|| ForgeError::Missing {
        repo: spec.repo.clone(),
    })
}

/// Brings the settings in line with the request's.
fn settle(place: &Place, spec: &RepoSpec) -> Result<(), ForgeError> {
    let _lock = remove::alone(place, &spec.repo)?;
    let dir = place.dir(&spec.repo);
    let settled = || -> io::Result<()> {
        let commits = Marker::read(&dir)?
            .map(|marker| marker.commits)
            .unwrap_or_default();
        write_settings(&dir, spec)?;
        Marker::new(spec).with_commits(commits).write(&dir)
    };
    settled().map_err(|error| ForgeError::io(&spec.repo, "settling", &error))
}

/// Beside its place first; the rename is the moment at which it exists.
fn make(place: &Place, spec: &RepoSpec) -> io::Result<()> {
    let dir = place.dir(&spec.repo);
    let owner = dir.parent().unwrap_or(place.root());
    let beside = place.workshop()?;
    let made = fill(&beside, spec)
        .and_then(|()| disk::ensure_dir(owner))
        .and_then(|()| disk::sync_dir(place.root()))
        .and_then(|()| fs::rename(&beside, &dir))
        .and_then(|()| disk::sync_dir(owner));
    if made.is_err() {
        let _swept_up_later = disk::remove_tree(&beside);
    }
    made
}

fn fill(dir: &Path, spec: &RepoSpec) -> io::Result<()> {
    fs::create_dir(dir)?;
    for folder in FOLDERS {
        fs::create_dir(dir.join(folder))?;
    }
    disk::write_new(&dir.join("config"), CONFIG.as_bytes())?;
    disk::write_new(&dir.join(remove::LOCK), b"")?;
    write_settings(dir, spec)?;
    Marker::new(spec).write(dir)?;
    FOLDERS
        .iter()
        .try_for_each(|folder| disk::sync_dir(&dir.join(folder)))
}

fn write_settings(dir: &Path, spec: &RepoSpec) -> io::Result<()> {
    disk::write(
        &dir.join("HEAD"),
        format!("ref: {}\n", spec.default_branch.full()).as_bytes(),
    )?;
    disk::write(
        &dir.join("description"),
        format!("{}\n", spec.description.replace('\n', " ")).as_bytes(),
    )
}
