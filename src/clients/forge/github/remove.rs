//! Taking a repository back: only our own, and only while nobody else's commit is in it.

use http::Method;
use serde_json::json;

use super::api::{Api, Call, Reply};
use super::find::{find, path};
use super::rights::Rights;
use super::{Undo, refused};
use crate::clients::forge::{ForgeError, ObjectId, Removal, RepoName, RepoState};
use crate::domain::id::RequestId;

/// Removes or archives a repository that `request` made.
pub(super) async fn remove(
    api: &Api,
    repo: &RepoName,
    request: RequestId,
    undo: Undo,
) -> Result<Removal, ForgeError> {
    let Some(state) = find(api, repo).await? else {
        return Ok(Removal::WasGone);
    };
    if state.made_by != Some(request) {
        return Err(ForgeError::Taken {
            repo: state.repo,
            team: state.team,
        });
    }
    // Where it is now: people may have renamed it.
    let repo = &state.repo;
    let rights = Rights::remove(repo);
    api.forget_repository(repo).await;
    if state.foreign || others(api, &state, &rights).await? {
        return Err(ForgeError::Foreign { repo: repo.clone() });
    }
    let (method, body, done) = match undo {
        Undo::Delete => (Method::DELETE, None, Removal::Removed),
        Undo::Archive => (
            Method::PATCH,
            Some(json!({ "archived": true })),
            Removal::Archived,
        ),
    };
    match api
        .ask(Call::of(method, path(repo), body, &rights, repo))
        .await?
    {
        Reply::Fine(_) => Ok(done),
        Reply::Absent => Ok(Removal::WasGone),
        Reply::Invalid(said) | Reply::Conflict(said) => Err(refused(said)),
        Reply::Moved(_) => Err(refused(format!("{repo} was renamed just now"))),
    }
}

/// Whether any branch or tag names a commit that isn't our first one.
async fn others(api: &Api, state: &RepoState, rights: &Rights) -> Result<bool, ForgeError> {
    for at in ["branches", "tags"] {
        let listed = format!("{}/{at}?per_page=100", path(&state.repo));
        let answer = api.must(Call::get(listed, rights, &state.repo)).await?;
        let named = answer.body.as_array().cloned().unwrap_or_default();
        let ours = |named: &serde_json::Value| {
            let commit: Option<ObjectId> = named["commit"]["sha"]
                .as_str()
                .and_then(|sha| sha.parse().ok());
            commit.is_some() && commit == state.head
        };
        if !named.iter().all(ours) {
            return Ok(true);
        }
    }
    Ok(false)
}
