//! Teams on GitHub as groups: who is in them, and whether people can say which account is theirs.

use std::sync::Arc;

use super::place::Place;
use crate::boot::clock;
use crate::boot::config::{Config, GitHub};
use crate::boot::doctor::Check;
use crate::boot::doctor::people::{self, Groups, Teams};
use crate::catalog::Catalog;
use crate::clients::forge::github::directory::Directory;
use crate::domain::team::GitHubTeam;

const LINKS: &str = "github links";

/// Reads the teams that definitions and the configuration name as groups, and all names where one isn't there.
pub(in crate::boot::doctor) async fn teams(config: &Config, catalog: &Catalog) -> Teams {
    let handles = people::handles(&config.organisation, catalog);
    let named: Vec<GitHubTeam> = handles
        .iter()
        .filter_map(|h| GitHubTeam::parse(h))
        .collect();
    let Some(github) = config.github.as_ref().filter(|_| !named.is_empty()) else {
        return Teams::default();
    };
    match read(github, &named).await {
        Ok(teams) => teams,
        Err(why) => Teams {
            trouble: Some(why),
            ..Teams::default()
        },
    }
}

/// `Err` says why they can't be read.
async fn read(github: &GitHub, named: &[GitHubTeam]) -> Result<Teams, String> {
    let organisation = &github.forge.organisation;
    let directory =
        Directory::new(&github.forge, Arc::new(clock::now)).map_err(|e| e.to_string())?;
    let mut found = Groups::new();
    let mut missing = false;
    for team in named {
        let ours = team.organisation.eq_ignore_ascii_case(organisation);
        let members = if ours {
            let read = directory.members(&team.slug).await;
            read.map_err(|e| e.to_string())?
        } else {
            None
        };
        match members {
            Some(members) => {
                let logins = members.into_iter().map(|member| member.login).collect();
                found.insert(team.handle(), logins);
            }
            None => missing = true,
        }
    }
    let mut teams = Teams {
        found: Some(found),
        ..Teams::default()
    };
    if missing {
        let all = directory.teams().await.map_err(|e| e.to_string())?;
        let handle = |slug: String| format!("github:{}/{slug}", organisation.to_ascii_lowercase());
        teams.all = all.into_iter().map(handle).collect();
    }
    Ok(teams)
}

impl Place {
    /// Teams are groups, and nobody can say which account of them is theirs.
    pub(super) fn unlinked(&self) -> Check {
        Check::fail(LINKS, "nobody can link their account, so nobody of a team on GitHub counts").fix(format!(
            "tick Enable Device Flow on the App's page ({}/organizations/{}/settings/apps), and set `GITHUB_CLIENT_ID` to its client id",
            self.web, self.organisation
        ))
    }
}
