//! Making a repository: one call, empty, marked from its first moment, and adopted only by the request that made it.

use http::Method;
use serde_json::json;

use super::api::{Api, Call, Reply};
use super::find::{find_for, fresh, path, read};
use super::rights::Rights;
use super::{marker, part, refused};
use crate::clients::forge::{ForgeError, RepoSpec, RepoState, Visibility};

/// Makes the repository, or adopts it if this very request made it.
pub(super) async fn ensure(api: &Api, spec: &RepoSpec) -> Result<RepoState, ForgeError> {
    // Tokens for one repository go by its name only until it is deleted: those of an earlier one are no good here.
    api.forget_repository(&spec.repo).await;
    if let Some(state) = find_for(api, &spec.repo, spec.request).await? {
        return opened(api, adopt(spec, state)?).await;
    }
    let rights = Rights::create();
    let body = json!({
        "name": spec.repo.name(),
        "description": marker::marked(&spec.description, spec.request),
        "private": spec.visibility != Visibility::Public,
        "visibility": spec.visibility,
        "auto_init": false,
    });
    let at = format!("/orgs/{}/repos", part(spec.repo.owner()));
    match api
        .ask(Call::of(Method::POST, at, Some(body), &rights, &spec.repo))
        .await?
    {
        Reply::Fine(answer) => fresh(&read(&answer.body)?),
        Reply::Invalid(said) => match find_for(api, &spec.repo, spec.request).await? {
            // The name was taken between the look and the call, perhaps by a twin of ours.
            Some(state) => adopt(spec, state),
            None if said.contains("already exists") => Err(ForgeError::Taken {
                repo: spec.repo.clone(),
                team: None,
            }),
            None => Err(refused(said)),
        },
        Reply::Conflict(said) => Err(refused(said)),
        Reply::Absent | Reply::Moved(_) => Err(refused(format!(
            "idp may not make repositories in {}",
            spec.repo.owner()
        ))),
    }
}

/// Makes a repository of ours that an undo archived one that can be written to again.
async fn opened(api: &Api, state: RepoState) -> Result<RepoState, ForgeError> {
    if !state.archived {
        return Ok(state);
    }
    let rights = Rights::create();
    let body = Some(json!({ "archived": false }));
    let call = Call::of(Method::PATCH, path(&state.repo), body, &rights, &state.repo);
    api.must(call).await?;
    Ok(RepoState {
        archived: false,
        ..state
    })
}

fn adopt(spec: &RepoSpec, state: RepoState) -> Result<RepoState, ForgeError> {
    if state.made_by != Some(spec.request) {
        return Err(ForgeError::Taken {
            repo: state.repo,
            team: state.team,
        });
    }
    if state.repo != spec.repo {
        return Err(refused(format!(
            "{} was renamed to {}",
            spec.repo, state.repo
        )));
    }
    Ok(state)
}
