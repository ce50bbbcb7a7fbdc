//! What the actions that call a forge share: how a repository is named, the limit that their calls are under, and what
//! becomes of a call that brought nothing.

use std::time::Duration;

use chrono::TimeDelta;

use super::action::{PlanContext, RunContext};
use super::input::refused;
use crate::clients::forge::github::GitHubForge;
use crate::clients::forge::{ForgeError, RepoName};
use crate::domain::step::{Outcome, PlanError, StepError};

/// The limit of the forge's calls: what it refuses to one action, it refuses to all.
pub(super) const LIMIT: &str = "forge";

/// Backstage's way to name a repository: `HOST?owner=OWNER&repo=NAME`. There is one forge, whatever the host.
pub(super) fn parse_repo_url(url: &str) -> Result<RepoName, String> {
    let (_, query) = url
        .split_once('?')
        .ok_or_else(|| format!("`repoUrl` should be `HOST?owner=OWNER&repo=NAME`, not `{url}`"))?;
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| format!("`repoUrl`: {error}"))?;
    let part = |wanted: &str| {
        let found = pairs
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone());
        found.ok_or_else(|| format!("`repoUrl` names no `{wanted}`: `{url}`"))
    };
    RepoName::new(part("owner")?, part("repo")?).map_err(|error| error.to_string())
}

/// The repository that something is to be said about, if it is one that we may write to.
pub(super) fn ours(
    github: &GitHubForge,
    what: &'static str,
    url: &str,
) -> Result<RepoName, PlanError> {
    let repo = parse_repo_url(url).map_err(|why| refused(what, format!("{why}.")))?;
    let organisation = github.organisation();
    if repo.owner().eq_ignore_ascii_case(organisation) {
        return Ok(repo);
    }
    let why = format!("idp writes to repositories of {organisation} alone.");
    Err(refused(what, why))
}

/// Refuses what can't be done for the reasons that the forge gave, or asks again later where it gave no answer.
pub(super) fn surveyed(
    context: &PlanContext<'_>,
    what: &'static str,
    hindrances: Result<Vec<String>, ForgeError>,
) -> Result<(), PlanError> {
    match hindrances {
        Ok(none) if none.is_empty() => Ok(()),
        Ok(hindrances) => Err(refused(what, hindrances.join(" "))),
        Err(error) => Err(unplanned(context, what, error)),
    }
}

/// What planning comes to where the forge refused to tell, or gave no answer.
pub(super) fn unplanned(
    context: &PlanContext<'_>,
    what: &'static str,
    error: ForgeError,
) -> PlanError {
    tracing::warn!(request = %context.request, "{what} {}", error.detail());
    if matches!(error, ForgeError::Refused { why: Some(_), .. }) {
        return refused(what, format!("{error}."));
    }
    match StepError::from(error) {
        StepError::Again { cause, after } => PlanError::Again { cause, after },
        StepError::Stop { cause } | StepError::Unknown { cause, .. } => {
            PlanError::Again { cause, after: None }
        }
    }
}

/// No try is spent on our own pace, and no worker held.
pub(super) fn paced<D>(context: &RunContext, forge: &str, after: Duration) -> Outcome<D> {
    Outcome::Wait {
        until: context.now + TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX),
        what: format!("its turn: {forge} takes only so many changes a minute"),
    }
}

/// The log gets the cause, the card its sentence.
pub(super) fn failed(context: &RunContext, error: ForgeError) -> StepError {
    tracing::warn!(step = %context.key, request = %context.request, "{}", error.detail());
    error.into()
}

/// What a call comes to that brought nothing: waiting for our turn, or a failure.
pub(super) fn unmade<D>(context: &RunContext, error: ForgeError) -> Result<Outcome<D>, StepError> {
    match error {
        ForgeError::Paced { forge, after } => Ok(paced(context, forge, after)),
        error => Err(failed(context, error)),
    }
}
