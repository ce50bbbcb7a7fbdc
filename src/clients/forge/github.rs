//! GitHub as a forge: repositories of one organisation, by its REST API and one `git push` each.
//!
//! What a request made is known by a marker inside the repository itself, since GitHub keeps nothing else that comes
//! with the creation and stays out of people's sight: the description carries the request's id from the creation until
//! everything is settled, and the first commit carries it in its message for ever. So a crash at any call leaves a
//! repository that the next try knows as its own, and nobody else's is ever taken for ours.
//!
//! Every call ensures. Reading calls are kept below writing ones, and both are independent of the number of files.

mod api;
mod auth;
pub mod device;
pub mod directory;
pub mod examine;
mod find;
mod hook;
mod judge;
mod make;
mod marker;
mod pace;
mod protect;
mod push;
pub mod remark;
mod remove;
mod rights;
mod seal;
mod settle;
mod sight;
mod survey;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;

use self::api::Api;
pub use self::auth::{AppKey, AppKeyError, Credentials};
pub use self::hook::Webhook;
use self::push::Pusher;
use self::remark::{About, Comment, CommitStatus};
use self::rights::Rights;
use super::git::Git;
use super::{
    Branch, CommitSpec, Forge, ForgeError, ForgeKind, ObjectId, Removal, RepoName, RepoSettings,
    RepoSpec, RepoState, RepoUrls, Survey,
};
use crate::domain::id::RequestId;
use crate::domain::person::GitHubAccount;
use crate::domain::tree::Tree;

/// How people call it.
const TITLE: &str = "GitHub";

/// Where GitHub.com answers: <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api>.
pub const API_URL: &str = "https://api.github.com";

/// Where GitHub.com's repositories are.
pub const GIT_URL: &str = "https://github.com";

/// Tells the time: tokens are made for a few minutes and asked for anew before they end.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What becomes of a repository whose request is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undo {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays, read-only, and its name stays taken.
    Archive,
}

/// How to reach one organisation on one GitHub.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// The REST root.
    pub api_url: Url,
    /// The root of repositories and their pages.
    pub git_url: Url,
    /// The organisation.
    pub organisation: String,
    /// Who we are there.
    pub credentials: Credentials,
    /// What becomes of a repository whose request is taken back.
    pub undo: Undo,
    /// The webhook that each new repository gets; `None`: the App's or the organisation's tells of all.
    pub webhook: Option<Webhook>,
}

/// Repositories of one organisation.
pub struct GitHubForge {
    api: Api,
    pusher: Pusher,
    git_url: String,
    undo: Undo,
    webhook: Option<Webhook>,
}

/// The client can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for GitHub can't be made: {0}")]
pub struct ClientError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl GitHubForge {
    /// Makes the client; it asks nothing yet. Has to be called on a runtime, which the calls then belong to.
    pub fn new(settings: GitHubSettings, git: Git, clock: Clock) -> Result<Self, ClientError> {
        let git_url = settings.git_url.as_str().trim_end_matches('/').to_owned();
        let wire = wire::Wire::new(&settings.api_url).map_err(|error| ClientError(error.into()))?;
        Ok(Self {
            api: Api::new(wire, settings.credentials, settings.organisation, clock),
            pusher: Pusher::new(git, git_url.clone()),
            git_url,
            undo: settings.undo,
            webhook: settings.webhook,
        })
    }
}

/// What other forges have no place for.
impl GitHubForge {
    /// The organisation whose repositories these are.
    pub fn organisation(&self) -> &str {
        self.api.organisation()
    }

    /// Says how a commit fares, unless that was the last word of its context.
    pub async fn status(
        &self,
        repo: &RepoName,
        commit: &str,
        status: &CommitStatus,
    ) -> Result<(), ForgeError> {
        remark::status(&self.api, repo, commit, status).await
    }

    /// What keeps us from saying how commits of a repository fare, a sentence each. Only reads.
    pub async fn survey_status(&self, repo: &RepoName) -> Result<Vec<String>, ForgeError> {
        survey::lacking(&self.api, repo, Rights::statuses(repo).permissions).await
    }

    /// What keeps us from commenting, a sentence each. Only reads.
    pub async fn survey_comment(
        &self,
        repo: &RepoName,
        about: &About,
    ) -> Result<Vec<String>, ForgeError> {
        survey::lacking(&self.api, repo, Rights::comment(repo, about).permissions).await
    }

    /// The last word of a context on a commit.
    pub async fn latest_status(
        &self,
        repo: &RepoName,
        commit: &str,
        context: &str,
    ) -> Result<Option<CommitStatus>, ForgeError> {
        remark::latest(&self.api, repo, commit, context).await
    }

    /// Makes a comment stand, once and as it says, and tells its page.
    pub async fn comment(&self, repo: &RepoName, comment: &Comment) -> Result<String, ForgeError> {
        remark::comment(&self.api, repo, comment).await
    }

    /// Takes a comment away; `false`: there was none.
    pub async fn uncomment(
        &self,
        repo: &RepoName,
        about: &About,
        mark: &str,
    ) -> Result<bool, ForgeError> {
        remark::uncomment(&self.api, repo, about, mark).await
    }
}

#[async_trait]
impl Forge for GitHubForge {
    async fn look(&self, repo: &RepoName) -> Result<Option<RepoState>, ForgeError> {
        find::find(&self.api, repo).await
    }

    async fn survey(&self, spec: &RepoSpec, settings: &RepoSettings) -> Result<Survey, ForgeError> {
        survey::survey(&self.api, spec, settings, self.webhook.as_ref()).await
    }

    async fn ensure_repo(&self, spec: &RepoSpec) -> Result<RepoState, ForgeError> {
        make::ensure(&self.api, spec).await
    }

    async fn push(
        &self,
        spec: &RepoSpec,
        tree: Arc<Tree>,
        commit: &CommitSpec,
    ) -> Result<ObjectId, ForgeError> {
        push::push(&self.api, &self.pusher, spec, tree, commit).await
    }

    async fn settle(&self, spec: &RepoSpec, settings: &RepoSettings) -> Result<(), ForgeError> {
        settle::settle(&self.api, spec, settings, self.webhook.as_ref()).await
    }

    async fn remove(&self, repo: &RepoName, request: RequestId) -> Result<Removal, ForgeError> {
        remove::remove(&self.api, repo, request, self.undo).await
    }

    async fn sees_all(&self, repo: &RepoName) -> Result<bool, ForgeError> {
        sight::sees_all(&self.api, repo).await
    }

    fn urls(&self, repo: &RepoName, branch: &Branch) -> RepoUrls {
        RepoUrls::below(&self.git_url, repo, branch)
    }

    // GitHub's own address for whoever keeps theirs to themselves:
    // <https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address>
    fn commit_address(&self, account: &GitHubAccount) -> Option<String> {
        let host = Url::parse(&self.git_url).ok()?.host_str()?.to_owned();
        let GitHubAccount { id, login } = account;
        Some(format!("{id}+{login}@users.noreply.{host}"))
    }

    fn kind(&self) -> ForgeKind {
        ForgeKind::GitHub
    }

    fn github(self: Arc<Self>) -> Option<Arc<GitHubForge>> {
        Some(self)
    }

    fn keeps_settings(&self) -> bool {
        true
    }

    fn archives(&self) -> bool {
        self.undo == Undo::Archive
    }
}

impl std::fmt::Debug for GitHubForge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHubForge")
            .field("organisation", &self.api.organisation())
            .field("git_url", &self.git_url)
            .finish_non_exhaustive()
    }
}

/// Refused by ourselves or by what GitHub told, and no retry mends it.
fn refused(why: impl Into<String>) -> ForgeError {
    let why = why.into();
    ForgeError::Refused {
        forge: TITLE,
        cause: why.clone(),
        why: Some(why),
    }
}

/// What stays as it is in a part of a path (RFC 3986, "unreserved").
const QUOTED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One part of a path, with nothing in it that would lead elsewhere.
fn part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, QUOTED).to_string()
}
