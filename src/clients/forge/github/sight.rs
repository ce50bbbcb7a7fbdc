//! Whether we would see a repository if it were there: GitHub answers "not found" for what it hides as well.

use serde_json::Value;

use super::api::{Api, Call, Reply};
use super::part;
use super::rights::Rights;
use crate::clients::forge::{ForgeError, RepoName};

/// Whether all repositories of the organisation show themselves to us: to an App that was given all of them, and to a
/// person who owns the organisation.
pub(super) async fn sees_all(api: &Api, repo: &RepoName) -> Result<bool, ForgeError> {
    if let Some(installation) = api.installation(repo).await? {
        return Ok(installation.everywhere);
    }
    let rights = Rights::see();
    let ask = async |path: String| -> Result<Option<Value>, ForgeError> {
        match api.ask(Call::get(path, &rights, repo)).await? {
            Reply::Fine(answer) => Ok(Some(answer.body)),
            Reply::Absent | Reply::Moved(_) | Reply::Conflict(_) | Reply::Invalid(_) => Ok(None),
        }
    };
    let Some(person) = ask("/user".to_owned()).await? else {
        return Ok(false);
    };
    let login = part(person["login"].as_str().unwrap_or_default());
    let path = format!("/orgs/{}/memberships/{login}", part(repo.owner()));
    let membership = ask(path).await?.unwrap_or_default();
    Ok(membership["role"] == "admin" && membership["state"] == "active")
}
