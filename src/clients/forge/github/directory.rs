//! Who is who in the organisation: its own id, its teams and their members. Only reads.

use serde_json::Value;

use super::api::{Api, Call, Reply};
use super::rights::Rights;
use super::wire::Wire;
use super::{ClientError, Clock, GitHubSettings, part, refused};
use crate::clients::forge::{ForgeError, RepoName};

/// Entries of one page, the most there are: <https://docs.github.com/en/rest/teams/members#list-team-members>.
const PAGE: usize = 100;

/// Most pages that are read of one list: more people than any team that decides something has.
const PAGES: usize = 50;

/// Reads the organisation.
pub struct Directory {
    api: Api,
    /// What calls are about, for the words of an error: no repository in particular.
    about: RepoName,
}

/// An account: somebody's, or the organisation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id, which stays when it is renamed.
    pub id: u64,
    /// Its name in addresses.
    pub login: String,
}

impl Directory {
    /// Makes the client; it asks nothing yet. Has to be called on a runtime, which the calls then belong to.
    pub fn new(settings: &GitHubSettings, clock: Clock) -> Result<Self, ClientError> {
        let wire = Wire::new(&settings.api_url).map_err(|error| ClientError(error.into()))?;
        let organisation = settings.organisation.clone();
        let about = RepoName::new(organisation.clone(), ".github".to_owned())
            .map_err(|error| ClientError(error.into()))?;
        Ok(Self {
            api: Api::new(wire, settings.credentials.clone(), organisation, clock),
            about,
        })
    }

    /// The organisation itself.
    pub async fn organisation(&self) -> Result<Account, ForgeError> {
        let rights = Rights::see();
        let path = format!("/orgs/{}", part(self.api.organisation()));
        let answer = self.api.must(Call::get(path, &rights, &self.about)).await?;
        account(&answer.body).ok_or_else(|| refused("it doesn't say which organisation that is"))
    }

    /// Everybody in a team, those of the teams below it included; `None`: there is no such team, or we may not see it.
    pub async fn members(&self, team: &str) -> Result<Option<Vec<Account>>, ForgeError> {
        let (organisation, team) = (part(self.api.organisation()), part(team));
        let list = self
            .list(&format!("/orgs/{organisation}/teams/{team}/members"))
            .await?;
        Ok(list.map(|list| list.iter().filter_map(account).collect()))
    }

    /// The names of all teams, as in their addresses.
    pub async fn teams(&self) -> Result<Vec<String>, ForgeError> {
        let list = self
            .list(&format!("/orgs/{}/teams", part(self.api.organisation())))
            .await?;
        let slug = |team: &Value| Some(team["slug"].as_str()?.to_owned());
        Ok(list.iter().flatten().filter_map(slug).collect())
    }

    /// All of a list, page by page; `None`: there is no such list.
    async fn list(&self, path: &str) -> Result<Option<Vec<Value>>, ForgeError> {
        let rights = Rights::people();
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let path = format!("{path}?per_page={PAGE}&page={page}");
            let answer = match self.api.ask(Call::get(path, &rights, &self.about)).await? {
                Reply::Fine(answer) => answer,
                Reply::Absent => return Ok(None),
                other => return Err(refused(format!("its answer makes no sense: {other:?}"))),
            };
            let Value::Array(entries) = answer.body else {
                return Err(refused("it gave no list"));
            };
            let full = entries.len() == PAGE;
            all.extend(entries);
            if !full {
                return Ok(Some(all));
            }
        }
        Err(refused(format!(
            "{path} has more than {} entries",
            PAGE * PAGES
        )))
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("organisation", &self.api.organisation())
            .finish_non_exhaustive()
    }
}

pub(super) fn account(entry: &Value) -> Option<Account> {
    Some(Account {
        id: entry["id"].as_u64()?,
        login: entry["login"].as_str()?.to_owned(),
    })
}
