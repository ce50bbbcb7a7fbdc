//! What we say about commits and pull requests: statuses, and comments of which each stands once.
//!
//! GitHub keeps no key with a comment, so ours carry a mark that the page doesn't show. Statuses are only ever added:
//! the newest of a context counts, so one that says the same already is not said again.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{Api, Call, Reply};
use super::find::path;
use super::rights::Rights;
use super::{part, refused};
use crate::clients::forge::{ForgeError, RepoName};

/// How a commit fares: <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// Not known yet.
    Pending,
    /// Good.
    Success,
    /// Not good.
    Failure,
    /// It couldn't be found out.
    Error,
}

impl std::fmt::Display for StatusState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        })
    }
}

/// Longest description of a status, in characters; GitHub refuses longer ones.
pub const MAX_DESCRIPTION: usize = 140;

/// Longest comment, in characters; GitHub refuses longer ones.
pub const MAX_COMMENT: usize = 65_536;

/// What is said about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// Whose word it is: `idp/scaffold`. The newest status of a context counts.
    pub context: String,
    /// How it fares.
    pub state: StatusState,
    /// A short sentence.
    pub description: Option<String>,
    /// Where to read more.
    pub target_url: Option<String>,
}

/// What a comment is about. `Display` is how people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A commit, by its id; empty: one that an earlier step is to make.
    Commit(String),
    /// A pull request, by its number.
    PullRequest(u64),
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commit(id) if id.is_empty() => f.write_str("a commit to come"),
            Self::Commit(id) => write!(f, "commit {}", id.get(..7).unwrap_or(id)),
            Self::PullRequest(number) => write!(f, "pull request {number}"),
        }
    }
}

/// A comment that stands once, whatever it says: found by its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// What it is about.
    pub about: About,
    /// Names it among all of ours: letters, digits, dashes and slashes.
    pub mark: String,
    /// Markdown.
    pub body: String,
}

impl Comment {
    /// Behind the text, where no page shows it.
    fn mark(mark: &str) -> String {
        format!("<!-- idp {mark} -->")
    }

    fn text(&self) -> String {
        format!("{}\n\n{}", self.body.trim_end(), Self::mark(&self.mark))
    }
}

/// Says how a commit fares, unless that was the last word of this context.
pub(super) async fn status(
    api: &Api,
    repo: &RepoName,
    commit: &str,
    status: &CommitStatus,
) -> Result<(), ForgeError> {
    let rights = Rights::statuses(repo);
    if latest(api, repo, commit, &status.context).await?.as_ref() == Some(status) {
        return Ok(());
    }
    let body = json!({
        "context": status.context,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
    });
    let at = format!("{}/statuses/{}", path(repo), part(commit));
    let call = Call::of(Method::POST, at, Some(body), &rights, repo);
    said(repo, api.ask(call).await?).map(drop)
}

/// The last word of a context on a commit.
pub(super) async fn latest(
    api: &Api,
    repo: &RepoName,
    commit: &str,
    context: &str,
) -> Result<Option<CommitStatus>, ForgeError> {
    let rights = Rights::statuses(repo);
    let at = format!(
        "{}/commits/{}/status?per_page=100",
        path(repo),
        part(commit)
    );
    let told = said(repo, api.ask(Call::get(at, &rights, repo)).await?)?;
    let named = |status: &&Value| status["context"] == context;
    let found = told["statuses"]
        .as_array()
        .and_then(|all| all.iter().find(named));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(found.and_then(|status| {
        Some(CommitStatus {
            context: context.to_owned(),
            state: StatusState::deserialize(&status["state"]).ok()?,
            description: text(&status["description"]),
            target_url: text(&status["target_url"]),
        })
    }))
}

/// Makes the comment stand as it should, and says its page.
pub(super) async fn comment(
    api: &Api,
    repo: &RepoName,
    comment: &Comment,
) -> Result<String, ForgeError> {
    let rights = Rights::comment(repo, &comment.about);
    let text = comment.text();
    let body = Some(json!({ "body": text }));
    let found = find(api, repo, &comment.about, &comment.mark).await?;
    if let Some(there) = found.as_ref().filter(|there| there["body"] == text) {
        return page(there);
    }
    let call = match found.as_ref().and_then(|there| there["id"].as_u64()) {
        Some(id) => Call::of(
            Method::PATCH,
            one(repo, &comment.about, id),
            body,
            &rights,
            repo,
        ),
        None => Call::of(
            Method::POST,
            list(repo, &comment.about),
            body,
            &rights,
            repo,
        ),
    };
    page(&said(repo, api.ask(call).await?)?)
}

/// Takes a comment away; `false`: there was none.
pub(super) async fn uncomment(
    api: &Api,
    repo: &RepoName,
    about: &About,
    mark: &str,
) -> Result<bool, ForgeError> {
    let rights = Rights::comment(repo, about);
    let found = match find(api, repo, about, mark).await {
        Err(ForgeError::Missing { .. }) => return Ok(false),
        found => found?,
    };
    let Some(id) = found.and_then(|there| there["id"].as_u64()) else {
        return Ok(false);
    };
    let call = Call::of(Method::DELETE, one(repo, about, id), None, &rights, repo);
    match api.ask(call).await? {
        Reply::Absent => Ok(false),
        reply => said(repo, reply).map(|_| true),
    }
}

/// The comment with our mark. Anybody can copy a mark, but a copy is newer than ours, and the oldest come first.
async fn find(
    api: &Api,
    repo: &RepoName,
    about: &About,
    mark: &str,
) -> Result<Option<Value>, ForgeError> {
    let rights = Rights::comment(repo, about);
    let mark = Comment::mark(mark);
    let ours = |comment: &Value| {
        let text = comment["body"].as_str().unwrap_or_default();
        text.trim_end().ends_with(&mark)
    };
    for page in 1.. {
        let at = format!("{}?per_page={PAGE}&page={page}", list(repo, about));
        let listed = said(repo, api.ask(Call::get(at, &rights, repo)).await?)?;
        let listed = listed.as_array().cloned().unwrap_or_default();
        let last = listed.len() < PAGE;
        if let Some(found) = listed.into_iter().find(ours) {
            return Ok(Some(found));
        }
        if last {
            break;
        }
    }
    Ok(None)
}

/// Most comments in one answer.
const PAGE: usize = 100;

fn list(repo: &RepoName, about: &About) -> String {
    match about {
        About::Commit(id) => format!("{}/commits/{}/comments", path(repo), part(id)),
        About::PullRequest(number) => format!("{}/issues/{number}/comments", path(repo)),
    }
}

fn one(repo: &RepoName, about: &About, id: u64) -> String {
    match about {
        About::Commit(_) => format!("{}/comments/{id}", path(repo)),
        About::PullRequest(_) => format!("{}/issues/comments/{id}", path(repo)),
    }
}

fn page(comment: &Value) -> Result<String, ForgeError> {
    let page = comment["html_url"].as_str();
    page.map(str::to_owned)
        .ok_or_else(|| refused("it gave the comment no page"))
}

/// What GitHub answered; a repository, commit or pull request that isn't there is missing.
fn said(repo: &RepoName, reply: Reply) -> Result<Value, ForgeError> {
    match reply {
        Reply::Fine(answer) => Ok(answer.body),
        Reply::Absent | Reply::Moved(_) => Err(ForgeError::Missing { repo: repo.clone() }),
        Reply::Conflict(said) | Reply::Invalid(said) => Err(refused(said)),
    }
}
