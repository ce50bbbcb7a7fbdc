//! The local forge: bare repositories below one folder, `OWNER/NAME.git`, served by `web::git`.
//!
//! Three rules keep it true through crashes and full disks. A repository is made beside its place and moved there whole,
//! so it stands complete or not at all. The folder carries a sentinel file, so a folder that was moved away (no answer,
//! try again) is told from a name that is free. And a repository carries its marker, so only the request that made it
//! goes on with it.

mod create;
mod disk;
mod marker;
mod place;
mod push;
mod read;
mod refs;
mod remove;

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;

pub(super) use self::disk::write_pack;
pub use self::place::{OpenError, Place, Standing};
pub use self::read::{Content, Listed, ListedKind, ReadError};
pub(super) use self::refs::{Made, create_branch};
use super::git::Git;
use super::{
    Branch, CommitSpec, Forge, ForgeError, ForgeKind, ObjectId, Removal, RepoName, RepoSettings,
    RepoSpec, RepoState, RepoUrls, Survey,
};
use crate::domain::id::RequestId;
use crate::domain::person::GitHubAccount;
use crate::domain::tree::Tree;

/// How people call it.
pub(super) const TITLE: &str = "the git server";

/// Bare repositories on this machine's disk.
#[derive(Clone, Debug)]
pub struct LocalForge {
    place: Place,
    public_url: String,
    git: Git,
}

impl LocalForge {
    /// The forge in a place that was opened; `public_url` is where `/git/` is served, without a slash at the end.
    pub fn new(place: Place, public_url: impl Into<String>, git: Git) -> Self {
        let public_url = public_url.into();
        Self {
            place,
            public_url: public_url.trim_end_matches('/').to_owned(),
            git,
        }
    }

    /// The folder of the repositories.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The git program that serves it.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// All repositories, by owner and name.
    pub async fn list(&self) -> Result<Vec<RepoState>, ForgeError> {
        let place = self.place.clone();
        blocking(move || place.list()).await
    }

    /// Keeps `remove` away while somebody pushes: hold what it returns for the time of the push.
    pub async fn enter(&self, repo: &RepoName) -> Result<Entered, ForgeError> {
        let (place, repo) = (self.place.clone(), repo.clone());
        blocking(move || remove::enter(&place, &repo).map(|lock| Entered { _lock: lock })).await
    }
}

/// The right to write into a repository that stays where it is for so long.
#[derive(Debug)]
pub struct Entered {
    _lock: File,
}

#[async_trait]
impl Forge for LocalForge {
    async fn look(&self, repo: &RepoName) -> Result<Option<RepoState>, ForgeError> {
        let (place, repo) = (self.place.clone(), repo.clone());
        blocking(move || place.look(&repo)).await
    }

    async fn survey(&self, spec: &RepoSpec, _: &RepoSettings) -> Result<Survey, ForgeError> {
        Ok(Survey {
            found: self.look(&spec.repo).await?,
            ..Survey::default()
        })
    }

    async fn ensure_repo(&self, spec: &RepoSpec) -> Result<RepoState, ForgeError> {
        let (place, spec) = (self.place.clone(), spec.clone());
        blocking(move || create::ensure(&place, &spec)).await
    }

    async fn push(
        &self,
        spec: &RepoSpec,
        tree: Arc<Tree>,
        commit: &CommitSpec,
    ) -> Result<ObjectId, ForgeError> {
        let (place, git, commit) = (self.place.clone(), self.git.clone(), commit.clone());
        let (repo, request) = (spec.repo.clone(), spec.request);
        blocking(move || {
            push::push(
                &place,
                &git,
                &push::Push {
                    repo,
                    request,
                    tree,
                    commit,
                },
            )
        })
        .await
    }

    async fn settle(&self, _: &RepoSpec, _: &RepoSettings) -> Result<(), ForgeError> {
        Ok(()) // bare repositories have no place for settings
    }

    async fn remove(&self, repo: &RepoName, request: RequestId) -> Result<Removal, ForgeError> {
        let (place, repo) = (self.place.clone(), repo.clone());
        blocking(move || remove::remove(&place, &repo, request)).await
    }

    async fn sees_all(&self, _: &RepoName) -> Result<bool, ForgeError> {
        Ok(true)
    }

    fn urls(&self, repo: &RepoName, branch: &Branch) -> RepoUrls {
        RepoUrls::below(&format!("{}/git", self.public_url), repo, branch)
    }

    fn commit_address(&self, _: &GitHubAccount) -> Option<String> {
        None
    }

    fn kind(&self) -> ForgeKind {
        ForgeKind::Local
    }

    fn keeps_settings(&self) -> bool {
        false
    }

    fn archives(&self) -> bool {
        false
    }
}

/// Disks block: off the threads that serve others. Goes on to its end when the caller is cancelled.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ForgeError> + Send + 'static,
) -> Result<T, ForgeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ForgeError::Refused {
            forge: TITLE,
            why: None,
            cause: format!("the work on the disk broke off: {error}"),
        }),
    }
}
