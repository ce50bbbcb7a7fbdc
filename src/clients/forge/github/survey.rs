//! What planning has to know: whether the name is free, whether we may, and who is there. Only reads.

use std::collections::BTreeMap;

use http::Method;

use super::api::{Api, Call, Reply};
use super::find::find_for;
use super::hook::Webhook;
use super::part;
use super::rights::{Rights, covers, needed};
use super::wire::Answer;
use crate::clients::forge::{
    Bypass, ForgeError, Grantee, RepoName, RepoSettings, RepoSpec, Survey, Visibility,
};

/// What stands under the name, and what would stand in the way.
pub(super) async fn survey(
    api: &Api,
    spec: &RepoSpec,
    settings: &RepoSettings,
    webhook: Option<&Webhook>,
) -> Result<Survey, ForgeError> {
    let ours = api.organisation();
    if !spec.repo.owner().eq_ignore_ascii_case(ours) {
        let owner = spec.repo.owner();
        return Ok(hindered(format!(
            "idp makes repositories in {ours}, not in {owner}."
        )));
    }
    let mut hindrances = lacking(api, &spec.repo, needed(settings, webhook)).await?;
    if !hindrances.is_empty() {
        return Ok(Survey {
            hindrances,
            ..Survey::default()
        }); // what follows would only fail for the same reason
    }
    let found = find_for(api, &spec.repo, spec.request).await?;
    hindrances.extend(organisation(api, spec, settings).await?);
    let mut seen = Vec::new();
    for who in everybody(settings) {
        if !seen.contains(&who) {
            hindrances.extend(who.missing(api, &spec.repo).await?);
            seen.push(who);
        }
    }
    Ok(Survey {
        found,
        hindrances,
        webhook: webhook.map(|webhook| webhook.address.to_string()),
    })
}

fn hindered(why: String) -> Survey {
    Survey {
        hindrances: vec![why],
        ..Survey::default()
    }
}

/// The permissions that our App lacks for any step from here to the end.
pub(super) async fn lacking(
    api: &Api,
    repo: &RepoName,
    needed: BTreeMap<&str, &str>,
) -> Result<Vec<String>, ForgeError> {
    let Some(installation) = api.installation(repo).await? else {
        return Ok(Vec::new());
    };
    let lacks: Vec<String> = needed
        .into_iter()
        .filter(|(name, level)| {
            !covers(
                installation.permissions.get(*name).map(String::as_str),
                level,
            )
        })
        .map(|(name, level)| format!("{name}: {level}"))
        .collect();
    Ok(if lacks.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "idp's GitHub App lacks the permission {}.",
            lacks.join(", ")
        )]
    })
}

/// What the organisation allows, as far as GitHub tells us, and what a classic token may do.
async fn organisation(
    api: &Api,
    spec: &RepoSpec,
    settings: &RepoSettings,
) -> Result<Vec<String>, ForgeError> {
    let rights = Rights::look();
    let owner = spec.repo.owner();
    let call = Call::get(format!("/orgs/{}", part(owner)), &rights, &spec.repo);
    let Reply::Fine(answer) = api.ask(call).await? else {
        return Ok(vec![format!(
            "There is no organisation {owner}, or idp may not see it."
        )]);
    };
    let mut hindrances = Vec::new();
    let allowed = match spec.visibility {
        Visibility::Public => "members_can_create_public_repositories",
        Visibility::Private => "members_can_create_private_repositories",
        Visibility::Internal => "members_can_create_internal_repositories",
    };
    if answer.body[allowed] == false {
        hindrances.push(format!(
            "{owner} doesn't allow {} repositories.",
            spec.visibility
        ));
    }
    let free = answer.body["plan"]["name"] == "free";
    if free && settings.protection.is_some() && spec.visibility != Visibility::Public {
        hindrances.push(format!(
            "GitHub protects branches of private repositories only in a paid plan; {owner} has none."
        ));
    }
    hindrances.extend(scopes(&answer, settings));
    Ok(hindrances)
}

/// A classic token says in a header what it may do; others don't.
fn scopes(answer: &Answer, settings: &RepoSettings) -> Option<String> {
    let granted: Vec<&str> = answer
        .header("x-oauth-scopes")?
        .split(',')
        .map(str::trim)
        .collect();
    let mut lacks = Vec::new();
    if !granted.contains(&"repo") {
        lacks.push("repo");
    }
    if settings.workflows && !granted.contains(&"workflow") {
        lacks.push("workflow");
    }
    (!lacks.is_empty()).then(|| format!("idp's GitHub token lacks the scope {}.", lacks.join(", ")))
}

/// Somebody who has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who<'a> {
    Team(&'a str),
    User(&'a str),
    App(&'a str),
}

fn everybody(settings: &RepoSettings) -> impl Iterator<Item = Who<'_>> {
    let granted = settings.access.iter().map(|access| match &access.to {
        Grantee::Team(team) => Who::Team(team),
        Grantee::User(login) => Who::User(login),
    });
    let bypass = settings
        .protection
        .iter()
        .flat_map(|protection| &protection.bypass);
    granted.chain(bypass.map(|who| match who {
        Bypass::Team(team) => Who::Team(team),
        Bypass::User(login) => Who::User(login),
        Bypass::App(app) => Who::App(app),
    }))
}

impl Who<'_> {
    /// The sentence about one who isn't there.
    async fn missing(self, api: &Api, repo: &RepoName) -> Result<Option<String>, ForgeError> {
        let (people, look) = (Rights::people(), Rights::look());
        let (path, rights, sentence) = match self {
            Self::Team(team) => (
                format!("/orgs/{}/teams/{}", part(repo.owner()), part(team)),
                &people,
                format!(
                    "There is no team {team} in {}, or idp may not see it.",
                    repo.owner()
                ),
            ),
            Self::User(login) => (
                format!("/users/{}", part(login)),
                &look,
                format!("There is nobody called {login} on GitHub."),
            ),
            Self::App(app) => (
                format!("/apps/{}", part(app)),
                &look,
                format!("There is no App {app} on GitHub."),
            ),
        };
        let call = Call::of(Method::GET, path, None, rights, repo);
        Ok(match api.ask(call).await? {
            Reply::Fine(_) => None,
            _ => Some(sentence),
        })
    }
}
