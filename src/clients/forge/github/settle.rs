//! Telling a repository with files in it what it should be. Each call sets one thing and may be repeated; what protects
//! the default branch comes last, so that nothing of ours stands in our own way.

use http::Method;
use serde_json::{Value, json};

use super::api::{Api, Call, Reply};
use super::find::{Repository, path, read};
use super::hook::{self, Webhook};
use super::rights::Rights;
use super::{marker, part, protect, refused, seal};
use crate::clients::forge::{Access, ForgeError, Grantee, RepoName, RepoSettings, RepoSpec};

/// Everything that is said of one repository.
pub(super) struct Told<'a> {
    pub(super) api: &'a Api,
    pub(super) repo: &'a RepoName,
    pub(super) rights: &'a Rights,
}

/// Brings everything in line.
pub(super) async fn settle(
    api: &Api,
    spec: &RepoSpec,
    settings: &RepoSettings,
    webhook: Option<&Webhook>,
) -> Result<(), ForgeError> {
    let rights = Rights::settle(&spec.repo, settings, webhook);
    let told = Told {
        api,
        repo: &spec.repo,
        rights: &rights,
    };
    told.record(spec, settings).await?;
    for access in &settings.access {
        told.access(access).await?;
    }
    for environment in &settings.environments {
        let at = format!("/environments/{}", part(environment));
        told.write(Method::PUT, &at, Some(json!({}))).await?;
    }
    told.variables(&settings.variables).await?;
    told.secrets(settings).await?;
    if let Some(webhook) = webhook {
        hook::ensure(&told, webhook).await?;
    }
    match &settings.protection {
        Some(protection) => protect::protect(&told, protection).await,
        None => Ok(()),
    }
}

impl Told<'_> {
    /// The repository's own record. With this the marker leaves the description: by now the first commit carries it.
    async fn record(&self, spec: &RepoSpec, settings: &RepoSettings) -> Result<(), ForgeError> {
        let mut body = json!(settings.switches);
        body["description"] = marker::plain(&spec.description).into();
        if let Some(homepage) = &settings.homepage {
            body["homepage"] = homepage.as_str().into();
        }
        let now = read(&self.write(Method::PATCH, "", Some(body)).await?)?;
        self.branch(spec, &now).await?;
        let mut there = now.topics.clone();
        let mut wanted = settings.topics.clone();
        there.sort_unstable();
        wanted.sort_unstable();
        wanted.dedup();
        if there != wanted && !settings.topics.is_empty() {
            self.write(
                Method::PUT,
                "/topics",
                Some(json!({ "names": settings.topics })),
            )
            .await?;
        }
        Ok(())
    }

    /// The first branch that is pushed becomes the default one; where the organisation's own choice won, ours is set.
    async fn branch(&self, spec: &RepoSpec, now: &Repository) -> Result<(), ForgeError> {
        let ours = spec.default_branch.as_str();
        if now.default_branch == ours {
            return Ok(());
        }
        let call = self.call(Method::PATCH, "", Some(json!({ "default_branch": ours })));
        match self.api.ask(call).await? {
            Reply::Fine(_) => Ok(()),
            _ => Err(refused(format!(
                "{} has no branch {ours} any more (its default branch is {})",
                self.repo, now.default_branch
            ))),
        }
    }

    async fn access(&self, access: &Access) -> Result<(), ForgeError> {
        let body = json!({ "permission": access.role });
        let (owner, name) = (part(self.repo.owner()), part(self.repo.name()));
        let (call, who) = match &access.to {
            Grantee::Team(team) => {
                let path = format!("/orgs/{owner}/teams/{}/repos/{owner}/{name}", part(team));
                let call = Call::of(Method::PUT, path, Some(body), self.rights, self.repo);
                (call, format!("team {team}"))
            }
            Grantee::User(login) => {
                let at = format!("/collaborators/{}", part(login));
                (
                    self.call(Method::PUT, &at, Some(body)),
                    format!("person {login}"),
                )
            }
        };
        match self.api.ask(call).await? {
            Reply::Fine(_) => Ok(()),
            Reply::Absent => Err(refused(format!(
                "there is no {who} in {}, or idp may not see it",
                self.repo.owner()
            ))),
            Reply::Invalid(said) | Reply::Conflict(said) => Err(refused(format!("{who}: {said}"))),
            Reply::Moved(_) => Err(ForgeError::Missing {
                repo: self.repo.clone(),
            }),
        }
    }

    async fn variables(&self, wanted: &[(String, String)]) -> Result<(), ForgeError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let listed = self.listed_variables().await?;
        for (name, value) in wanted {
            let body = json!({ "name": name, "value": value });
            let there = listed.iter().find(|variable| {
                variable["name"]
                    .as_str()
                    .is_some_and(|other| other.eq_ignore_ascii_case(name))
            });
            match there {
                Some(variable) if variable["value"].as_str() == Some(value) => {}
                Some(_) => {
                    let at = format!("/actions/variables/{}", part(name));
                    self.write(Method::PATCH, &at, Some(body)).await?;
                }
                None => {
                    self.write(Method::POST, "/actions/variables", Some(body))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// The repository's variables. A page has 30 at most, and a repository 500:
    /// <https://docs.github.com/en/rest/actions/variables#list-repository-variables>.
    async fn listed_variables(&self) -> Result<Vec<Value>, ForgeError> {
        let mut all = Vec::new();
        for page in 1.. {
            let at = format!("/actions/variables?per_page=30&page={page}");
            let listed = self.read(&at).await?;
            let more = listed["variables"].as_array().cloned().unwrap_or_default();
            let total = listed["total_count"].as_u64().unwrap_or_default();
            let last = more.is_empty();
            all.extend(more);
            if last || all.len() as u64 >= total {
                break;
            }
        }
        Ok(all)
    }

    async fn secrets(&self, settings: &RepoSettings) -> Result<(), ForgeError> {
        if settings.secrets.is_empty() {
            return Ok(());
        }
        let key = self.read("/actions/secrets/public-key").await?;
        for (name, secret) in &settings.secrets {
            let sealed = key["key"].as_str().and_then(|key| seal::seal(key, secret));
            let sealed = sealed.ok_or_else(|| refused("it gave no key for secrets"))?;
            let body = json!({ "encrypted_value": sealed, "key_id": key["key_id"] });
            let at = format!("/actions/secrets/{}", part(name));
            self.write(Method::PUT, &at, Some(body)).await?;
        }
        Ok(())
    }

    fn call(&self, method: Method, at: &str, body: Option<Value>) -> Call<'_> {
        Call::of(
            method,
            format!("{}{at}", path(self.repo)),
            body,
            self.rights,
            self.repo,
        )
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        at: &str,
        body: Option<Value>,
    ) -> Result<Reply, ForgeError> {
        self.api.ask(self.call(method, at, body)).await
    }

    pub(super) async fn read(&self, at: &str) -> Result<Value, ForgeError> {
        Ok(self.api.must(self.call(Method::GET, at, None)).await?.body)
    }

    pub(super) async fn write(
        &self,
        method: Method,
        at: &str,
        body: Option<Value>,
    ) -> Result<Value, ForgeError> {
        Ok(self.api.must(self.call(method, at, body)).await?.body)
    }
}
