//! Forges: where repositories live. One trait, [`Forge`], whose every call *ensures*: it looks first, and calling it
//! again changes nothing.
//!
//! A repository that we make carries a marker, the id of the request that it was made for. Only that request ever
//! pushes to it, adopts it after a crash, or takes it back; what somebody else made under the same name is never touched.
//!
//! A new repository comes in four calls, each of which may be repeated after a crash: [`Forge::survey`] while planning
//! (no side effects), [`Forge::ensure_repo`], [`Forge::push`], and [`Forge::settle`] with everything that can only be
//! said of a repository with files in it, what protects its default branch last.

pub mod deliver;
pub mod error;
pub mod git;
pub mod github;
pub mod local;
pub mod name;
pub mod object;
pub mod pack;
pub mod settings;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::error::ForgeError;
pub use self::name::{Branch, NameError, RepoName};
pub use self::object::{CommitSpec, Ident, ObjectId};
pub use self::settings::{Access, Bypass, Grantee, Protection, RepoSettings, Role, Switches};
use crate::domain::id::RequestId;
use crate::domain::person::GitHubAccount;
use crate::domain::tree::Tree;

/// Who may see a repository. The local forge keeps the word and shows it; GitHub enforces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Its members alone.
    Private,
    /// Everybody in the organisation.
    Internal,
    /// Everybody.
    Public,
}

impl std::fmt::Display for Visibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        })
    }
}

/// The repository that a request wants to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSpec {
    /// Its name.
    pub repo: RepoName,
    /// The request that it is made for: the marker.
    pub request: RequestId,
    /// The team that owns it, for whoever meets the name later.
    pub team: Option<String>,
    /// A line about it; may be empty.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The branch that its `HEAD` names.
    pub default_branch: Branch,
}

/// A repository as it stands on the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoState {
    /// Its name, as whoever made it wrote it.
    pub repo: RepoName,
    /// The forge's own id of it, which stays whatever it is called; `None`: it has no ids.
    pub id: Option<String>,
    /// Whether it is read-only.
    pub archived: bool,
    /// The request that made it; `None`: somebody else did.
    pub made_by: Option<RequestId>,
    /// The team that owns it, where the marker says so.
    pub team: Option<String>,
    /// A line about it; may be empty.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The branch that its `HEAD` names.
    pub default_branch: Branch,
    /// The commit of the default branch.
    pub head: Option<ObjectId>,
    /// Whether any branch or tag holds a commit that we didn't push.
    pub foreign: bool,
}

/// What planning has to know of a forge before anything is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What stands under the name already.
    pub found: Option<RepoState>,
    /// Why it couldn't be made or told what it should be, a sentence each: `There is no team payments in acme.`
    pub hindrances: Vec<String>,
    /// Where the forge would tell of what happens in it, if it gets a webhook of its own.
    pub webhook: Option<String>,
}

/// Which forge it is, for the actions that are about one of them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// Bare repositories that idp serves itself.
    Local,
    /// GitHub.com or GitHub Enterprise.
    GitHub,
}

/// What came of taking a repository back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone now.
    Removed,
    /// It stands, read-only, as the operator wants it.
    Archived,
    /// There was none.
    WasGone,
}

/// Where people and programs find a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoUrls {
    /// What `git clone` takes.
    pub remote: String,
    /// The page of the repository.
    pub page: String,
    /// The files of the default branch: `CONTENTS/README.md` is the page of that file.
    pub contents: String,
}

impl RepoUrls {
    /// Of a repository whose owner's page is below `root`, the way that GitHub has them.
    fn below(root: &str, repo: &RepoName, branch: &Branch) -> Self {
        let page = format!("{root}/{repo}");
        Self {
            remote: format!("{page}.git"),
            contents: format!("{page}/blob/{branch}"),
            page,
        }
    }
}

/// A place where repositories live.
#[async_trait]
pub trait Forge: Send + Sync + std::fmt::Debug {
    /// What stands under this name; `None`: the name is free.
    async fn look(&self, repo: &RepoName) -> Result<Option<RepoState>, ForgeError>;

    /// What stands under the name, and what would keep the repository or its settings from being made. Only reads.
    async fn survey(&self, spec: &RepoSpec, settings: &RepoSettings) -> Result<Survey, ForgeError>;

    /// Makes the repository, or adopts it if this very request made it.
    async fn ensure_repo(&self, spec: &RepoSpec) -> Result<RepoState, ForgeError>;

    /// Puts one commit of `tree` on the default branch of a repository that the request made, and says its id.
    ///
    /// Pushing the same again changes nothing, also when others have pushed on top of it since.
    async fn push(
        &self,
        spec: &RepoSpec,
        tree: Arc<Tree>,
        commit: &CommitSpec,
    ) -> Result<ObjectId, ForgeError>;

    /// Tells a repository with files in it what it should be, and protects its default branch last.
    async fn settle(&self, spec: &RepoSpec, settings: &RepoSettings) -> Result<(), ForgeError>;

    /// Removes a repository that `request` made, unless somebody else's commit is in it.
    async fn remove(&self, repo: &RepoName, request: RequestId) -> Result<Removal, ForgeError>;

    /// Whether a repository of this owner that isn't found is sure not to be there, rather than hidden from us.
    async fn sees_all(&self, repo: &RepoName) -> Result<bool, ForgeError>;

    /// Where the repository is found.
    fn urls(&self, repo: &RepoName, branch: &Branch) -> RepoUrls;

    /// The address that commits here know this account by; `None`: nobody has an account on GitHub here.
    fn commit_address(&self, account: &GitHubAccount) -> Option<String>;

    /// Which forge it is.
    fn kind(&self) -> ForgeKind;

    /// GitHub itself, for what no other forge has a place for.
    fn github(self: Arc<Self>) -> Option<Arc<github::GitHubForge>> {
        None
    }

    /// Whether it keeps [`RepoSettings`]; one that doesn't has no place for them, and plans leave them out.
    fn keeps_settings(&self) -> bool;

    /// Whether what is taken back stays there, archived.
    fn archives(&self) -> bool;
}
