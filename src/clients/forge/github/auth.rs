//! Who we are to GitHub: a token of somebody's, or an App that makes itself tokens for an hour.
//!
//! As an App we sign who we are (a JWT), find our installation in the organisation, and ask for a token with no more
//! permissions than the calls at hand need. Tokens are kept until shortly before they end. octocrab makes neither
//! narrowed tokens nor JWTs by another clock than ours, so both are made here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::judge::{self, Asked, Verdict};
use super::rights::{Rights, covers};
use super::wire::{Answer, Wire};
use super::{TITLE, part, refused};
use crate::clients::forge::{ForgeError, RepoName};

/// A JWT counts for at most ten minutes, and from a minute ago against small differences of the clocks:
/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.
const JWT_FROM_S: i64 = 60;
const JWT_FOR_S: i64 = 9 * 60;

/// What GitHub says where a token is wanted for a repository that isn't there, or that the App wasn't given.
const GONE: &str = "does not exist or is not accessible";

/// A clock that is further off than this can be why GitHub refuses a JWT.
const SKEW_S: i64 = 30;

/// A token is renewed when less than this is left of its hour: longer than any step takes.
const LEFT: TimeDelta = TimeDelta::minutes(5);

/// Who we are.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A GitHub App, installed in the organisation.
    App {
        /// Its id or client id.
        id: String,
        /// Its private key.
        key: AppKey,
    },
    /// A personal or fine-grained access token.
    Token(SecretString),
}

/// The private key of an App.
#[derive(Clone)]
pub struct AppKey(EncodingKey);

/// The text is no private key.
#[derive(Debug, thiserror::Error)]
#[error("it is no RSA private key in PEM form")]
pub struct AppKeyError;

impl AppKey {
    /// Reads the PEM file that GitHub gives out.
    pub fn from_pem(pem: &SecretString) -> Result<Self, AppKeyError> {
        EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes())
            .map(Self)
            .map_err(|_| AppKeyError) // its cause may quote the key
    }
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey([REDACTED])")
    }
}

/// Gives out tokens.
#[derive(Debug)]
pub(super) struct Auth {
    credentials: Credentials,
    organisation: String,
    /// GitHub's clock less ours, in seconds.
    skew: AtomicI64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    installation: Option<Installation>,
    tokens: BTreeMap<Rights, Minted>,
}

/// Our App in the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    id: u64,
    /// What it was granted: `contents` → `write`.
    pub(super) permissions: BTreeMap<String, String>,
    /// Whether it was given all repositories.
    pub(super) everywhere: bool,
}

#[derive(Debug)]
struct Minted {
    token: SecretString,
    until: DateTime<Utc>,
}

impl Auth {
    pub(super) fn new(credentials: Credentials, organisation: String) -> Self {
        Self {
            credentials,
            organisation,
            skew: AtomicI64::new(0),
            known: Mutex::default(),
        }
    }

    /// A token that may do so much; `repo` is what it is for, for the words about a failure.
    pub(super) async fn token(
        &self,
        wire: &Wire,
        rights: &Rights,
        repo: &RepoName,
        now: DateTime<Utc>,
    ) -> Result<SecretString, ForgeError> {
        let Credentials::App { id, key } = &self.credentials else {
            return Ok(self.own());
        };
        let app = App {
            auth: self,
            wire,
            id,
            key,
            repo,
            now,
        };
        // Held over the call: whoever else needs the same token waits for it instead of asking too.
        let mut known = self.known.lock().await;
        let there = now + TimeDelta::seconds(self.skew.load(Ordering::Relaxed));
        known.tokens.retain(|_, minted| minted.until > there + LEFT);
        if let Some(minted) = known.tokens.get(rights) {
            return Ok(minted.token.clone());
        }
        let mut installation = app.installation(&mut known).await?;
        if lacking(&installation, rights).is_err() {
            // What is known may be older than what was granted since.
            known.installation = None;
            installation = app.installation(&mut known).await?;
            lacking(&installation, rights)?;
        }
        let minted = match app.mint(&installation, rights).await {
            Ok(minted) => minted,
            Err(error) => {
                known.installation = None; // uninstalled or changed since: asked again next time
                return Err(error);
            }
        };
        let token = minted.token.clone();
        known.tokens.insert(rights.clone(), minted);
        Ok(token)
    }

    /// Forgets a token that GitHub refused; whether asking for another one makes sense.
    pub(super) async fn forget(&self, rights: &Rights) -> bool {
        match self.credentials {
            Credentials::Token(_) => false,
            Credentials::App { .. } => {
                let mut known = self.known.lock().await;
                known.installation = None;
                known.tokens.remove(rights).is_some()
            }
        }
    }

    /// Forgets the tokens for one repository: GitHub binds them to its number, not to its name.
    pub(super) async fn forget_repository(&self, repo: &RepoName) {
        let mut known = self.known.lock().await;
        known
            .tokens
            .retain(|rights, _| rights.repository.as_deref() != Some(repo.name()));
    }

    /// What our App was granted; `None`: we have somebody's token, which doesn't say.
    pub(super) async fn installation(
        &self,
        wire: &Wire,
        repo: &RepoName,
        now: DateTime<Utc>,
    ) -> Result<Option<Installation>, ForgeError> {
        let Credentials::App { id, key } = &self.credentials else {
            return Ok(None);
        };
        let app = App {
            auth: self,
            wire,
            id,
            key,
            repo,
            now,
        };
        // Asked anew: what is granted now is what a plan is held against.
        let mut known = self.known.lock().await;
        known.installation = None;
        app.installation(&mut known).await.map(Some)
    }

    /// What proves who we are where we ask about ourselves: the App's own signature, or the token.
    pub(super) fn proof(&self, now: DateTime<Utc>) -> Result<SecretString, ForgeError> {
        match &self.credentials {
            Credentials::Token(token) => Ok(token.clone()),
            Credentials::App { id, key } => {
                let skew = self.skew.load(Ordering::Relaxed);
                signed(id, key, now.timestamp() + skew)
            }
        }
    }

    fn own(&self) -> SecretString {
        match &self.credentials {
            Credentials::Token(token) => token.clone(),
            Credentials::App { .. } => SecretString::default(),
        }
    }
}

/// Refuses before GitHub does, with the names of what is missing.
fn lacking(installation: &Installation, rights: &Rights) -> Result<(), ForgeError> {
    let lacks: Vec<String> = rights
        .permissions
        .iter()
        .filter(|(name, level)| {
            !covers(
                installation.permissions.get(**name).map(String::as_str),
                level,
            )
        })
        .map(|(name, level)| format!("{name}: {level}"))
        .collect();
    if lacks.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "idp's GitHub App lacks the permission {}",
        lacks.join(", ")
    )))
}

/// One use of the App's own identity.
struct App<'a> {
    auth: &'a Auth,
    wire: &'a Wire,
    id: &'a str,
    key: &'a AppKey,
    repo: &'a RepoName,
    now: DateTime<Utc>,
}

impl App<'_> {
    async fn installation(&self, known: &mut Known) -> Result<Installation, ForgeError> {
        if let Some(installation) = &known.installation {
            return Ok(installation.clone());
        }
        let path = format!("/orgs/{}/installation", part(&self.auth.organisation));
        let answer = self.call(Method::GET, &path, None).await?;
        let permissions = answer.body["permissions"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let found = Installation {
            id: answer.body["id"]
                .as_u64()
                .ok_or_else(|| refused("it names no installation"))?,
            permissions: permissions
                .into_iter()
                .filter_map(|(name, level)| Some((name, level.as_str()?.to_owned())))
                .collect(),
            everywhere: answer.body["repository_selection"] == "all",
        };
        known.installation = Some(found.clone());
        Ok(found)
    }

    async fn mint(&self, at: &Installation, rights: &Rights) -> Result<Minted, ForgeError> {
        let mut body = json!({ "permissions": rights.permissions });
        if let Some(repository) = &rights.repository {
            body["repositories"] = json!([repository]);
        }
        let path = format!("/app/installations/{}/access_tokens", at.id);
        let answer = self.call(Method::POST, &path, Some(&body)).await?;
        let until = answer.body["expires_at"]
            .as_str()
            .and_then(|text| text.parse().ok());
        match (answer.body["token"].as_str(), until) {
            (Some(token), Some(until)) => Ok(Minted {
                token: token.to_owned().into(),
                until,
            }),
            _ => Err(refused("it gave no token")),
        }
    }

    /// Asks as the App; once more by GitHub's clock, where ours may be why it refused.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ForgeError> {
        let asked = Asked {
            method: &method,
            path,
            repo: self.repo,
        };
        let mut corrected = false;
        loop {
            let jwt = self.jwt()?;
            let sent = self.wire.call(&jwt, method.clone(), path, body).await;
            let answer = sent.map_err(|lost| match asked.lost(&lost) {
                // A token that was made and never arrived harms nobody.
                ForgeError::Unsure { cause, .. } => judge::away(cause),
                error => error,
            })?;
            match judge::verdict(&answer, self.now) {
                Verdict::Fine => return Ok(answer),
                Verdict::Unauthorised if !corrected && self.correct(&answer) => corrected = true,
                Verdict::Unauthorised => {
                    let said = answer.message();
                    return Err(refused(format!("it doesn't accept the App's key: {said}")));
                }
                Verdict::Absent => {
                    let organisation = &self.auth.organisation;
                    return Err(refused(format!(
                        "idp's GitHub App isn't installed in {organisation}"
                    )));
                }
                Verdict::Invalid if answer.message().contains(GONE) => {
                    let repo = self.repo.clone();
                    return Err(ForgeError::Missing { repo });
                }
                Verdict::Failing => return Err(judge::away(format!("{path}: {}", answer.status))),
                other => return Err(asked.error(other, &answer)),
            }
        }
    }

    /// Takes GitHub's clock, if ours is off.
    fn correct(&self, answer: &Answer) -> bool {
        let Some(there) = judge::date(answer) else {
            return false;
        };
        let skew = (there - self.now).num_seconds();
        let before = self.auth.skew.swap(skew, Ordering::Relaxed);
        if (skew - before).abs() <= SKEW_S {
            return false;
        }
        tracing::warn!(
            skew,
            "The clock of this machine is off by {skew} s against {TITLE}'s"
        );
        true
    }

    fn jwt(&self) -> Result<SecretString, ForgeError> {
        let there = self.now.timestamp() + self.auth.skew.load(Ordering::Relaxed);
        signed(self.id, self.key, there)
    }
}

/// Says who an App is, by GitHub's clock.
fn signed(id: &str, key: &AppKey, there: i64) -> Result<SecretString, ForgeError> {
    let claims = json!({ "iss": id, "iat": there - JWT_FROM_S, "exp": there + JWT_FOR_S });
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key.0)
        .map(SecretString::from)
        .map_err(|error| refused(format!("the App's key can't sign: {error}")))
}
