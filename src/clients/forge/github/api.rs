//! GitHub's API as the rest of this forge uses it: authenticated, paced, and judged.

use chrono::{DateTime, Utc};
use http::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::auth::{Auth, Credentials, Installation};
use super::judge::{Asked, Verdict, verdict};
use super::pace::Pace;
use super::rights::Rights;
use super::wire::{Answer, Wire};
use super::{Clock, TITLE};
use crate::clients::forge::{ForgeError, RepoName};

/// Calls to one organisation on one GitHub.
pub(super) struct Api {
    wire: Wire,
    auth: Auth,
    pace: Pace,
    clock: Clock,
    organisation: String,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    method: Method,
    path: String,
    body: Option<Value>,
    rights: &'a Rights,
    repo: &'a RepoName,
}

/// What a caller decides by; everything else that GitHub can say is an error already.
#[derive(Debug)]
pub(super) enum Reply {
    Fine(Answer),
    Moved(String),
    Absent,
    Conflict(String),
    Invalid(String),
}

impl<'a> Call<'a> {
    pub(super) fn get(path: String, rights: &'a Rights, repo: &'a RepoName) -> Self {
        Self::of(Method::GET, path, None, rights, repo)
    }

    pub(super) fn of(
        method: Method,
        path: String,
        body: Option<Value>,
        rights: &'a Rights,
        repo: &'a RepoName,
    ) -> Self {
        Self {
            method,
            path,
            body,
            rights,
            repo,
        }
    }
}

impl Api {
    pub(super) fn new(
        wire: Wire,
        credentials: Credentials,
        organisation: String,
        clock: Clock,
    ) -> Self {
        Self {
            wire,
            auth: Auth::new(credentials, organisation.clone()),
            pace: Pace::new(),
            clock,
            organisation,
        }
    }

    pub(super) fn organisation(&self) -> &str {
        &self.organisation
    }

    /// A token for what isn't the API: `git push`.
    pub(super) async fn token(
        &self,
        rights: &Rights,
        repo: &RepoName,
    ) -> Result<SecretString, ForgeError> {
        self.auth.token(&self.wire, rights, repo, self.now()).await
    }

    /// Forgets a token that GitHub refused.
    pub(super) async fn forget(&self, rights: &Rights) {
        self.auth.forget(rights).await;
    }

    /// Forgets the tokens for one repository.
    pub(super) async fn forget_repository(&self, repo: &RepoName) {
        self.auth.forget_repository(repo).await;
    }

    /// What our App was granted, if we are one.
    pub(super) async fn installation(
        &self,
        repo: &RepoName,
    ) -> Result<Option<Installation>, ForgeError> {
        self.auth.installation(&self.wire, repo, self.now()).await
    }

    /// Sends a call.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<Reply, ForgeError> {
        let asked = Asked {
            method: &call.method,
            path: &call.path,
            repo: call.repo,
        };
        let answer = self.send(&call, &asked).await?;
        match verdict(&answer, self.now()) {
            Verdict::Fine => Ok(Reply::Fine(answer)),
            Verdict::Moved { path } => Ok(Reply::Moved(path)),
            Verdict::Absent => Ok(Reply::Absent),
            Verdict::Conflict => Ok(Reply::Conflict(answer.message())),
            Verdict::Invalid => Ok(Reply::Invalid(answer.message())),
            other @ (Verdict::Unauthorised
            | Verdict::Limited { .. }
            | Verdict::Forbidden
            | Verdict::Failing
            | Verdict::Odd) => Err(asked.error(other, &answer)),
        }
    }

    /// Sends a call that nothing but success is expected of.
    pub(super) async fn must(&self, call: Call<'_>) -> Result<Answer, ForgeError> {
        let asked = Asked {
            method: &call.method,
            path: &call.path,
            repo: call.repo,
        };
        let answer = self.send(&call, &asked).await?;
        match verdict(&answer, self.now()) {
            Verdict::Fine => Ok(answer),
            other => Err(asked.error(other, &answer)),
        }
    }

    /// A token that GitHub refuses may just have ended: one more try with a new one, since nothing was done.
    async fn send(&self, call: &Call<'_>, asked: &Asked<'_>) -> Result<Answer, ForgeError> {
        if let Some(after) = self.pace.left_of_refusal(self.now()) {
            return Err(ForgeError::Limited {
                forge: TITLE,
                after,
                cause: "another call was refused just before".to_owned(),
            });
        }
        if call.method != Method::GET {
            let paced = |after| ForgeError::Paced {
                forge: TITLE,
                after,
            };
            self.pace.turn().await.map_err(paced)?;
        }
        let answer = self.once(call, asked).await?;
        let refused = verdict(&answer, self.now()) == Verdict::Unauthorised;
        if refused && self.auth.forget(call.rights).await {
            return self.once(call, asked).await;
        }
        Ok(answer)
    }

    async fn once(&self, call: &Call<'_>, asked: &Asked<'_>) -> Result<Answer, ForgeError> {
        let token = self.token(call.rights, call.repo).await?;
        let sent = self
            .wire
            .call(&token, call.method.clone(), &call.path, call.body.as_ref());
        let answer = sent.await.map_err(|lost| asked.lost(&lost))?;
        tracing::debug!(method = %call.method, path = call.path, status = %answer.status, "Asked {TITLE}");
        if let Verdict::Limited { after } = verdict(&answer, self.now()) {
            self.pace.refused(self.now() + after);
        }
        Ok(answer)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}
