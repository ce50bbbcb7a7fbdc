//! The marker of a repository that we made: `idp.json` in its folder, beside git's own files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::clients::forge::{Branch, ObjectId, RepoName, RepoSpec, RepoState, Visibility};
use crate::domain::id::RequestId;

const FILE: &str = "idp.json";

/// Who made a repository, for what, and what we pushed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marker {
    /// The request that it was made for.
    pub(super) request: RequestId,
    owner: String,
    name: String,
    team: Option<String>,
    description: String,
    visibility: Visibility,
    default_branch: String,
    /// Commits of ours, noted before they are pushed: any other one is somebody else's.
    pub(super) commits: Vec<ObjectId>,
}

impl Marker {
    pub(super) fn new(spec: &RepoSpec) -> Self {
        Self {
            request: spec.request,
            owner: spec.repo.owner().to_owned(),
            name: spec.repo.name().to_owned(),
            team: spec.team.clone(),
            description: spec.description.clone(),
            visibility: spec.visibility,
            default_branch: spec.default_branch.as_str().to_owned(),
            commits: Vec::new(),
        }
    }

    /// The same with commits noted as ours.
    pub(super) fn with_commits(self, commits: Vec<ObjectId>) -> Self {
        Self { commits, ..self }
    }

    /// The marker in a repository; `None`: it has none, so it is somebody else's.
    pub(super) fn read(dir: &Path) -> io::Result<Option<Self>> {
        let bytes = match fs::read(dir.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let marker: Self = serde_json::from_slice(&bytes).map_err(unreadable)?;
        marker
            .repo()
            .and_then(|_| marker.branch())
            .map_err(unreadable)?;
        Ok(Some(marker))
    }

    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        disk::write(&dir.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    pub(super) fn branch(&self) -> Result<Branch, crate::clients::forge::NameError> {
        self.default_branch.parse()
    }

    /// What stands there, given its branches and tags.
    pub(super) fn state(&self, refs: &BTreeMap<String, ObjectId>) -> io::Result<RepoState> {
        let default_branch = self.branch().map_err(unreadable)?;
        Ok(RepoState {
            id: None,
            archived: false,
            repo: self.repo().map_err(unreadable)?,
            made_by: Some(self.request),
            team: self.team.clone(),
            description: self.description.clone(),
            visibility: self.visibility,
            head: refs.get(&default_branch.full()).copied(),
            foreign: refs.values().any(|id| !self.commits.contains(id)),
            default_branch,
        })
    }

    fn repo(&self) -> Result<RepoName, crate::clients::forge::NameError> {
        RepoName::new(&self.owner, &self.name)
    }
}

/// A marker that is there but makes no sense.
fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
