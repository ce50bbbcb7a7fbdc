//! What GitHub tells of us: who we are to it, what we may, what the organisation allows. Only reads, for `idp doctor`.
//!
//! Every question stands for itself: what GitHub refuses or doesn't tell becomes part of what was found, since that is
//! what whoever looks wants to know.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::auth::{Auth, Credentials};
use super::rights::{Rights, covers};
use super::wire::{Answer, Lost, Wire};
use super::{ClientError, Clock, GitHubSettings, judge, part};
use crate::clients::forge::RepoName;

/// What was found.
#[derive(Debug)]
pub struct Examined {
    /// Who we are.
    pub who: Result<Who, Trouble>,
    /// The organisation; `None`: not asked, since we are nobody.
    pub organisation: Option<Result<Organisation, Trouble>>,
    /// GitHub's clock at the first answer.
    pub date: Option<DateTime<Utc>>,
    /// What is left of this hour's calls, where GitHub limits them.
    pub rate: Option<Rate>,
}

/// A question without a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What GitHub answered; `None`: nothing.
    pub status: Option<u16>,
    /// Why, in a sentence without a full stop.
    pub says: String,
    /// Where the token has to be let into the organisation (single sign-on).
    pub authorise: Option<String>,
}

/// Who we are.
#[derive(Debug)]
pub enum Who {
    /// A GitHub App.
    App {
        /// Its name in addresses.
        slug: String,
        /// Where it stands in the organisation.
        installation: Result<Installed, Trouble>,
    },
    /// Somebody, by a token of theirs.
    Person(Person),
}

/// An App in the organisation.
#[derive(Debug)]
pub struct Installed {
    /// GitHub's id.
    pub id: u64,
    /// What it was granted: `contents` → `write`.
    pub permissions: BTreeMap<String, String>,
    /// Whether an owner suspended it.
    pub suspended: bool,
    /// Whether it sees all repositories.
    pub everywhere: bool,
}

impl Installed {
    /// Whether a permission of this level was granted.
    pub fn has(&self, permission: &str, level: &str) -> bool {
        covers(self.permissions.get(permission).map(String::as_str), level)
    }
}

/// Somebody whose token we have.
#[derive(Debug)]
pub struct Person {
    /// The login.
    pub login: String,
    /// What a classic token may; `None`: another kind of token, which doesn't say.
    pub scopes: Option<Vec<String>>,
    /// When the token ends.
    pub until: Option<DateTime<Utc>>,
    /// Whether they have a second factor, where it is told.
    pub two_factor: Option<bool>,
    /// Their role in the organisation: `admin`, `member`.
    pub role: Result<String, Trouble>,
    /// Whether the token may read the organisation's teams.
    pub teams: Result<(), Trouble>,
}

/// What the organisation says of itself; what only its owners are told is `None` for the others.
#[derive(Debug, Default)]
pub struct Organisation {
    /// Whether repositories of this visibility may be made: public, private.
    pub public: Option<bool>,
    /// The same for private ones.
    pub private: Option<bool>,
    /// Whether everybody needs a second factor.
    pub two_factor: Option<bool>,
    /// Its plan: `free`, `team`, `enterprise`.
    pub plan: Option<String>,
}

/// What is left of the hour's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// All of them.
    pub limit: u64,
    /// Those left.
    pub left: u64,
}

/// Asks GitHub about ourselves.
pub async fn examine(settings: &GitHubSettings, clock: &Clock) -> Result<Examined, ClientError> {
    let wire = Wire::new(&settings.api_url).map_err(|error| ClientError(error.into()))?;
    let auth = Auth::new(settings.credentials.clone(), settings.organisation.clone());
    let mut asker = Asker {
        wire,
        auth,
        now: clock(),
        date: None,
        rate: None,
    };
    let organisation = part(&settings.organisation);
    let who = match settings.credentials {
        Credentials::App { .. } => asker.app(&organisation).await,
        Credentials::Token(_) => asker.person(&organisation).await,
    };
    let told = match &who {
        Ok(Who::App {
            installation: Err(_),
            ..
        })
        | Err(_) => None,
        Ok(_) => Some(asker.organisation(&settings.organisation).await),
    };
    Ok(Examined {
        who,
        organisation: told,
        date: asker.date,
        rate: asker.rate,
    })
}

struct Asker {
    wire: Wire,
    auth: Auth,
    now: DateTime<Utc>,
    date: Option<DateTime<Utc>>,
    rate: Option<Rate>,
}

impl Asker {
    async fn app(&mut self, organisation: &str) -> Result<Who, Trouble> {
        let answer = match self.as_ourselves("/app").await {
            // A clock that is off may be why, and is told by itself.
            Err(trouble) if trouble.status == Some(401) && self.date.is_some() => {
                self.now = self.date.unwrap_or(self.now);
                self.as_ourselves("/app").await?
            }
            told => told?,
        };
        let path = format!("/orgs/{organisation}/installation");
        let installation = self.as_ourselves(&path).await;
        Ok(Who::App {
            slug: text(&answer.body["slug"]).unwrap_or_default(),
            installation: installation.and_then(|answer| installed(&answer.body)),
        })
    }

    async fn person(&mut self, organisation: &str) -> Result<Who, Trouble> {
        let user = self.as_ourselves("/user").await?;
        let login = text(&user.body["login"]).ok_or_else(|| odd("it names nobody"))?;
        let path = format!("/orgs/{organisation}/memberships/{}", part(&login));
        let role = self.as_ourselves(&path).await;
        let path = format!("/orgs/{organisation}/teams?per_page=1");
        let teams = self.as_ourselves(&path).await.map(drop);
        Ok(Who::Person(Person {
            scopes: user
                .header("x-oauth-scopes")
                .map(|list| words(list).collect()),
            until: user.header(UNTIL).and_then(until),
            two_factor: user.body["two_factor_authentication"].as_bool(),
            role: role
                .and_then(|role| text(&role.body["role"]).ok_or_else(|| odd("it tells no role"))),
            teams,
            login,
        }))
    }

    async fn organisation(&mut self, name: &str) -> Result<Organisation, Trouble> {
        let rights = Rights::see();
        // Only the words about a failure need a repository; this one any organisation can have.
        let repo = RepoName::new(name, ".github").map_err(|error| odd(&error.to_string()))?;
        let token = self.auth.token(&self.wire, &rights, &repo, self.now).await;
        let token = token.map_err(|error| odd(&error.to_string()))?;
        let told = self.ask(&token, &format!("/orgs/{}", part(name))).await?;
        let body = &told.body;
        Ok(Organisation {
            public: body["members_can_create_public_repositories"].as_bool(),
            private: body["members_can_create_private_repositories"].as_bool(),
            two_factor: body["two_factor_requirement_enabled"].as_bool(),
            plan: text(&body["plan"]["name"]),
        })
    }

    /// Asks as the App itself, or as whoever the token belongs to.
    async fn as_ourselves(&mut self, path: &str) -> Result<Answer, Trouble> {
        let proof = self.auth.proof(self.now);
        let proof = proof.map_err(|error| odd(&error.to_string()))?;
        self.ask(&proof, path).await
    }

    async fn ask(&mut self, bearer: &SecretString, path: &str) -> Result<Answer, Trouble> {
        let answer = self.wire.call(bearer, Method::GET, path, None).await;
        let answer = answer.map_err(|lost| Trouble {
            status: None,
            says: match lost {
                Lost::NotSent(why) | Lost::Broken(why) => why,
            },
            authorise: None,
        })?;
        self.date = self.date.or_else(|| judge::date(&answer));
        self.rate = rate(&answer).or(self.rate);
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(Trouble {
            status: Some(answer.status.as_u16()),
            says: answer.message(),
            authorise: answer.header("x-github-sso").and_then(authorise),
        })
    }
}

/// When a token ends, as `2026-12-01 09:30:00 UTC`:
/// <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/token-expiration-and-revocation>.
const UNTIL: &str = "github-authentication-token-expiration";

fn until(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z");
    let plain = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC");
    zoned
        .map(|at| at.to_utc())
        .or_else(|_| plain.map(|at| at.and_utc()))
        .ok()
}

/// The address in `required; url=https://…`.
fn authorise(header: &str) -> Option<String> {
    let (_, url) = header.split_once("url=")?;
    Some(url.trim().to_owned())
}

fn rate(answer: &Answer) -> Option<Rate> {
    let number = |name| answer.header(name)?.trim().parse().ok();
    Some(Rate {
        limit: number("x-ratelimit-limit")?,
        left: number("x-ratelimit-remaining")?,
    })
}

fn installed(body: &Value) -> Result<Installed, Trouble> {
    let permissions = body["permissions"].as_object().into_iter().flatten();
    Ok(Installed {
        id: body["id"]
            .as_u64()
            .ok_or_else(|| odd("it names no installation"))?,
        permissions: permissions
            .filter_map(|(name, level)| Some((name.clone(), text(level)?)))
            .collect(),
        suspended: !body["suspended_at"].is_null(),
        everywhere: body["repository_selection"] == "all",
    })
}

fn odd(says: &str) -> Trouble {
    Trouble {
        status: None,
        says: says.to_owned(),
        authorise: None,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn words(list: &str) -> impl Iterator<Item = String> {
    let words = list.split(',').map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_github_writes_them() {
        let at = until("2026-12-01 09:30:00 UTC").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-12-01T09:30:00+00:00");
        let at = until("2026-12-01 09:30:00 +0200").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-12-01T07:30:00+00:00");
        assert_eq!(until("soon"), None);
        let told = "required; url=https://github.com/orgs/acme/sso?authorization_request=A";
        let url = "https://github.com/orgs/acme/sso?authorization_request=A";
        assert_eq!(authorise(told).as_deref(), Some(url));
        assert_eq!(authorise("partial-results; organizations=1"), None);
        assert_eq!(words("").count(), 0);
    }
}
