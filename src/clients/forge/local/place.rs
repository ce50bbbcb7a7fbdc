//! The folder of the forge: how it is opened, how a repository is found in it, and how its absence shows.
//!
//! `ROOT/.idp-forge` is the sentinel. `ROOT.made`, beside the folder, remembers that the folder was made once: without
//! it a start while the folder is moved away would make an empty one, in which every name is free.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::marker::Marker;
use super::{disk, refs};
use crate::clients::forge::{Branch, ForgeError, ObjectId, RepoName, RepoState, Visibility};

/// The sentinel file in the root.
const SENTINEL: &str = ".idp-forge";

/// Where repositories are made before they move to their place, and where they go before they are deleted. Owners
/// can't begin with a dot, so neither can be taken for one.
const WORKSHOP: &str = ".work";

/// A leftover of a crash is swept up once it is so much older than the start that nobody can be working on it.
const LEFTOVER: std::time::Duration = std::time::Duration::from_hours(1);

/// The folder of a forge.
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
}

/// How the folder of a forge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    There,
    /// It was made once, and isn't there.
    Away,
    /// It is made when it is opened for the first time.
    NotMade,
}

/// The folder of the forge can't be made or read.
#[derive(Debug, thiserror::Error)]
#[error("the forge can't use {}: {source}", path.display())]
pub struct OpenError {
    path: PathBuf,
    source: io::Error,
}

/// What remembers that a folder was made.
fn made(root: &Path) -> PathBuf {
    root.with_extension("made")
}

impl Place {
    /// Opens the folder; makes it the first time. Sweeps up what crashes left behind.
    ///
    /// A folder that was made once and is away now is no error here: every call to the forge will say so until it is
    /// back.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let place = Self { root: root.into() };
        place
            .first_time()
            .and_then(|()| place.sweep())
            .map_err(|source| OpenError {
                path: place.root.clone(),
                source,
            })?;
        Ok(place)
    }

    /// Looks how a folder stands; makes nothing.
    pub fn standing(root: &Path) -> Standing {
        match (root.join(SENTINEL).exists(), made(root).exists()) {
            (true, _) => Standing::There,
            (false, true) => Standing::Away,
            (false, false) => Standing::NotMade,
        }
    }

    /// Where all repositories stand.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Says whether the folder is there.
    pub fn check(&self) -> Result<(), ForgeError> {
        match fs::metadata(self.root.join(SENTINEL)) {
            Ok(_) => Ok(()),
            Err(error) => {
                let cause = format!(
                    "{} is not there: {error}",
                    self.root.join(SENTINEL).display()
                );
                Err(ForgeError::Away {
                    forge: super::TITLE,
                    cause,
                    after: None,
                })
            }
        }
    }

    /// Where a repository stands or would stand.
    pub fn dir(&self, repo: &RepoName) -> PathBuf {
        self.root.join(format!("{}.git", repo.key()))
    }

    /// What stands under this name.
    pub fn look(&self, repo: &RepoName) -> Result<Option<RepoState>, ForgeError> {
        self.check()?;
        let dir = self.dir(repo);
        match state(repo, &dir) {
            Ok(Some(state)) => Ok(Some(state)),
            // Free, or was the whole folder moved away meanwhile?
            Ok(None) => self.check().map(|()| None),
            Err(error) => Err(ForgeError::io(repo, "reading", &error)),
        }
    }

    /// Everything that stands here, by owner and name.
    pub fn list(&self) -> Result<Vec<RepoState>, ForgeError> {
        self.check()?;
        let unreadable = |error: io::Error| ForgeError::Away {
            forge: super::TITLE,
            cause: format!("listing {}: {error}", self.root.display()),
            after: None,
        };
        let mut found = Vec::new();
        for owner in names(&self.root).map_err(unreadable)? {
            let Ok(repos) = names(&self.root.join(&owner)) else {
                continue;
            };
            for name in repos {
                let Some(Ok(repo)) = name
                    .strip_suffix(".git")
                    .map(|name| RepoName::new(&owner, name))
                else {
                    continue;
                };
                match self.look(&repo) {
                    Ok(state) => found.extend(state),
                    Err(error @ ForgeError::Away { .. }) => return Err(error),
                    // One that can't be read hides no others.
                    Err(error) => tracing::warn!("{}", error.detail()),
                }
            }
        }
        Ok(found)
    }

    /// A path in the workshop that nobody else uses.
    pub(super) fn workshop(&self) -> io::Result<PathBuf> {
        let shop = self.root.join(WORKSHOP);
        disk::ensure_dir(&shop)?;
        Ok(shop.join(format!("{:032x}", rand::random::<u128>())))
    }

    fn first_time(&self) -> io::Result<()> {
        let made = made(&self.root);
        if made.exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.root)?;
        disk::write(&self.root.join(SENTINEL), b"This folder is an idp forge. Its sentinel: without it the forge takes itself for moved away.\n")?;
        disk::write(&made, b"The forge beside this file was made; delete this file to let idp make a new, empty one.\n")?;
        self.root.parent().map_or(Ok(()), disk::sync_dir)
    }

    fn sweep(&self) -> io::Result<()> {
        let shop = self.root.join(WORKSHOP);
        if self.check().is_err() || !shop.exists() {
            return Ok(());
        }
        // The disk's own clock on both sides: no other is asked.
        let probe = self.workshop()?;
        fs::create_dir(&probe)?;
        let now = fs::metadata(&probe)?.modified()?;
        fs::remove_dir(&probe)?;
        for name in names(&shop)? {
            let leftover = shop.join(name);
            let age = fs::metadata(&leftover)
                .and_then(|m| m.modified())
                .ok()
                .and_then(|then| now.duration_since(then).ok());
            if age.is_some_and(|age| age > LEFTOVER) {
                disk::remove_tree(&leftover)?;
            }
        }
        Ok(())
    }
}

fn state(repo: &RepoName, dir: &Path) -> io::Result<Option<RepoState>> {
    match fs::metadata(dir) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let refs = refs::read_refs(dir)?;
    match Marker::read(dir)? {
        Some(marker) => marker.state(&refs).map(Some),
        None => Ok(Some(foreign(repo, dir, &refs))),
    }
}

/// What is known of a repository without a marker: that it isn't ours.
fn foreign(repo: &RepoName, dir: &Path, refs: &BTreeMap<String, ObjectId>) -> RepoState {
    let head = fs::read_to_string(dir.join("HEAD")).unwrap_or_default();
    let named = head
        .trim()
        .strip_prefix("ref: refs/heads/")
        .and_then(|name| name.parse().ok());
    let default_branch = named.unwrap_or_else(Branch::main);
    RepoState {
        id: None,
        archived: false,
        repo: repo.clone(),
        made_by: None,
        team: None,
        description: String::new(),
        visibility: Visibility::Private,
        head: refs.get(&default_branch.full()).copied(),
        foreign: true,
        default_branch,
    }
}

/// The names in a folder that are UTF-8 and don't begin with a dot, sorted.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(dir)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(names)
}
