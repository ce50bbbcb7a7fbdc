//! What stands under a name on GitHub: whose it is, and whether anybody else has pushed to it.

use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, Call, Reply};
use super::rights::Rights;
use super::wire::Answer;
use super::{marker, part, refused};
use crate::clients::forge::{Branch, ForgeError, ObjectId, RepoName, RepoState, Visibility};
use crate::domain::id::RequestId;

/// A repository as GitHub tells it, as far as we read it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Repository {
    id: u64,
    full_name: String,
    #[serde(default)]
    archived: bool,
    description: Option<String>,
    private: bool,
    visibility: Option<Visibility>,
    pub(super) default_branch: String,
    #[serde(default)]
    pub(super) topics: Vec<String>,
}

/// Reads a repository out of an answer.
pub(super) fn read(body: &Value) -> Result<Repository, ForgeError> {
    Repository::deserialize(body)
        .map_err(|error| refused(format!("its answer is no repository ({error})")))
}

/// The path of a repository below the API's root.
pub(super) fn path(repo: &RepoName) -> String {
    format!("/repos/{}/{}", part(repo.owner()), part(repo.name()))
}

/// What stands under a name; a name that people gave up by renaming leads to where the repository is now.
pub(super) async fn find(api: &Api, repo: &RepoName) -> Result<Option<RepoState>, ForgeError> {
    let rights = Rights::look();
    let mut to = path(repo);
    // Once: GitHub redirects to the repository's number, which doesn't redirect again.
    for _ in 0..2 {
        match api.ask(Call::get(to.clone(), &rights, repo)).await? {
            Reply::Absent => return Ok(None),
            Reply::Moved(path) => to = path,
            Reply::Fine(answer) => return state(api, &read(&answer.body)?).await.map(Some),
            Reply::Conflict(said) | Reply::Invalid(said) => return Err(refused(said)),
        }
    }
    Err(refused(format!("it redirects {repo} in a circle")))
}

async fn state(api: &Api, found: &Repository) -> Result<RepoState, ForgeError> {
    let mut state = fresh(found)?;
    let history = history(api, &state.repo, &state.default_branch).await?;
    if let Some(History { head, first }) = history {
        state.head = Some(head);
        state.foreign = head != first.id || first.marked.is_none();
        // The commit knows better: what people write into a description later could look like a marker.
        state.made_by = first.marked.or(state.made_by);
    }
    Ok(state)
}

/// What stands under a name; of somebody else's repository also the team that has most rights in it.
pub(super) async fn find_for(
    api: &Api,
    repo: &RepoName,
    request: RequestId,
) -> Result<Option<RepoState>, ForgeError> {
    let mut found = find(api, repo).await?;
    if let Some(state) = found
        .as_mut()
        .filter(|state| state.made_by != Some(request))
    {
        state.team = owner(api, &state.repo).await;
    }
    Ok(found)
}

/// A repository of which nothing but its own record is known.
pub(super) fn fresh(found: &Repository) -> Result<RepoState, ForgeError> {
    let name = found
        .full_name
        .split_once('/')
        .map(|(owner, name)| RepoName::new(owner, name));
    let Some(Ok(repo)) = name else {
        return Err(refused(format!(
            "`{}` is no name of a repository",
            found.full_name
        )));
    };
    let description = found.description.as_deref().unwrap_or_default();
    let by_privacy = if found.private {
        Visibility::Private
    } else {
        Visibility::Public
    };
    Ok(RepoState {
        repo,
        id: Some(found.id.to_string()),
        archived: found.archived,
        made_by: marker::in_description(description),
        team: None,
        description: description.to_owned(),
        visibility: found.visibility.unwrap_or(by_privacy),
        // A branch that we would never make is nothing that we look into either.
        default_branch: found
            .default_branch
            .parse()
            .unwrap_or_else(|_| Branch::main()),
        head: None,
        foreign: false,
    })
}

/// The two ends of a branch.
struct History {
    head: ObjectId,
    first: First,
}

/// The first commit of a branch.
struct First {
    id: ObjectId,
    marked: Option<RequestId>,
}

/// The oldest commit of a branch; `None`: there is none.
pub(super) async fn first_commit(
    api: &Api,
    repo: &RepoName,
    branch: &Branch,
) -> Result<Option<ObjectId>, ForgeError> {
    let history = history(api, repo, branch).await?;
    Ok(history.map(|history| history.first.id))
}

/// The newest and the oldest commit; `None`: there are none. One call, or two where others have pushed.
async fn history(
    api: &Api,
    repo: &RepoName,
    branch: &Branch,
) -> Result<Option<History>, ForgeError> {
    let rights = Rights::look();
    let pages = format!(
        "{}/commits?sha={}&per_page=1",
        path(repo),
        part(branch.as_str())
    );
    let newest = match api.ask(Call::get(pages.clone(), &rights, repo)).await? {
        Reply::Fine(answer) => answer,
        Reply::Conflict(_) | Reply::Absent => return Ok(None), // 409: "Git Repository is empty."
        Reply::Moved(_) => return Err(ForgeError::Missing { repo: repo.clone() }),
        Reply::Invalid(said) => return Err(refused(said)),
    };
    let Some((head, marked)) = only_commit(&newest) else {
        return Ok(None);
    };
    let Some(last) = last_page(&newest) else {
        return Ok(Some(History {
            head,
            first: First { id: head, marked },
        }));
    };
    let oldest = api
        .must(Call::get(format!("{pages}&page={last}"), &rights, repo))
        .await?;
    let (id, marked) = only_commit(&oldest).ok_or_else(|| refused("it lists no first commit"))?;
    Ok(Some(History {
        head,
        first: First { id, marked },
    }))
}

fn only_commit(answer: &Answer) -> Option<(ObjectId, Option<RequestId>)> {
    let commit = answer.body.get(0)?;
    let id = commit["sha"].as_str()?.parse().ok()?;
    let first = commit["parents"].as_array().is_some_and(Vec::is_empty);
    let message = commit["commit"]["message"].as_str().unwrap_or_default();
    Some((id, first.then(|| marker::in_commit(message)).flatten()))
}

/// The number of the last page, where there is more than one: `<…&page=7>; rel="last"`.
fn last_page(answer: &Answer) -> Option<u64> {
    let links = answer.header("link")?;
    let last = links
        .split(',')
        .find(|link| link.contains("rel=\"last\""))?;
    let (url, _) = last.split_once('<')?.1.split_once('>')?;
    let query = url.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "page").then(|| value.parse().ok())?)
}

/// The team with the most rights in a repository, for whoever met its name. Best effort.
async fn owner(api: &Api, repo: &RepoName) -> Option<String> {
    let rights = Rights::owners(repo);
    let answer = api
        .must(Call::get(
            format!("{}/teams?per_page=100", path(repo)),
            &rights,
            repo,
        ))
        .await
        .ok()?;
    let rank = |team: &Value| match team["permission"].as_str() {
        Some("admin") => 3,
        Some("maintain") => 2,
        Some("push") => 1,
        _ => 0,
    };
    let best = answer
        .body
        .as_array()?
        .iter()
        .max_by_key(|team| rank(team))?;
    best["slug"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    #[test]
    fn the_last_page_is_read_as_github_writes_it() {
        let mut headers = HeaderMap::new();
        let link = "<https://api.github.com/repositories/1/commits?per_page=1&page=2>; rel=\"next\", <https://api.github.com/repositories/1/commits?per_page=1&page=34>; rel=\"last\"";
        headers.insert("link", HeaderValue::from_static(link));
        let mut answer = Answer {
            status: StatusCode::OK,
            headers,
            body: Value::Null,
        };
        assert_eq!(last_page(&answer), Some(34));
        answer.headers.clear();
        assert_eq!(last_page(&answer), None);
    }
}
