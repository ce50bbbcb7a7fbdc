//! Who idp is there: an App and where it is installed, or whoever a token is of; and nobody, where GitHub doesn't say.

use chrono::{DateTime, TimeDelta, Utc};

use super::place::Place;
use super::rights::{DELETE, PERMISSIONS, RIGHTS, Right, SCOPES, rights, scoped};
use crate::boot::doctor::Check;
use crate::clients::forge::github::Undo;
use crate::clients::forge::github::examine::{Installed, Person, Trouble};

pub(super) const WHO: &str = "github";

/// How long before a token's end it is told.
const ENDS_SOON: TimeDelta = TimeDelta::days(14);

impl Place {
    /// GitHub doesn't say who we are.
    pub(super) fn nobody(&self, trouble: &Trouble) -> Check {
        let what = if self.app {
            "the App's key"
        } else {
            "the token"
        };
        match trouble.status {
            Some(401) if self.app => Check::fail(WHO, format!("GitHub refuses {what}: {}", trouble.says))
                .fix("generate a new private key on the App's page, and name its file in `GITHUB_APP_PRIVATE_KEY_FILE`"),
            Some(401) => Check::fail(WHO, format!("GitHub refuses {what}: {}", trouble.says)).fix(format!(
                "make a new one at {}/settings/tokens and give it as `GITHUB_TOKEN`, or use an App (docs/github.md)",
                self.web
            )),
            Some(404) if self.app => Check::fail(WHO, "GitHub knows no App of this id")
                .fix("copy the App ID from the App's page, under About, to `GITHUB_APP_ID`"),
            _ => self.refused(WHO, "GitHub doesn't say who we are", trouble),
        }
    }

    pub(super) fn app(&self, slug: &str, installation: &Result<Installed, Trouble>) -> Vec<Check> {
        let organisation = &self.organisation;
        let installed = match installation {
            Ok(installed) => installed,
            Err(trouble) if trouble.status == Some(404) => {
                let says = format!("the App {slug} isn't installed in {organisation}");
                return vec![Check::fail(WHO, says).fix(format!(
                    "install it for all repositories: {}/apps/{slug}/installations/new",
                    self.web
                ))];
            }
            Err(trouble) => {
                let what = "GitHub doesn't say where the App is installed";
                return vec![self.refused(WHO, what, trouble)];
            }
        };
        let page = format!(
            "{}/organizations/{organisation}/settings/installations/{}",
            self.web, installed.id
        );
        if installed.suspended {
            let says = format!("the App {slug} is suspended in {organisation}");
            return vec![Check::fail(WHO, says).fix(format!("unsuspend it: {page}"))];
        }
        let mut checks = vec![Check::ok(WHO, format!("App {slug} in {organisation}"))];
        if !installed.everywhere {
            checks.push(
                Check::warn(
                    WHO,
                    "the App sees only selected repositories: that a name is taken shows when it is made",
                )
                .fix(format!("choose All repositories: {page}")),
            );
        }
        let settings = format!("{}/organizations/{organisation}/settings/apps", self.web);
        checks.extend(rights(
            &PERMISSIONS,
            "permissions",
            |right| installed.has(right.name, right.level),
            &format!(
                "grant it at {settings}/{slug}/permissions, and accept it at {page}/permissions/update"
            ),
        ));
        checks
    }

    pub(super) fn person(&self, person: &Person, undo: Undo, now: DateTime<Utc>) -> Vec<Check> {
        let Person { login, .. } = person;
        let organisation = &self.organisation;
        let mut checks = vec![match &person.role {
            Ok(role) => Check::ok(WHO, format!("token of {login}, {role} of {organisation}")),
            Err(trouble) if trouble.status == Some(404) => {
                Check::fail(WHO, format!("{login} isn't in {organisation}")).fix(format!(
                    "invite them, or use a token of somebody who is in {organisation}"
                ))
            }
            Err(_) => Check::ok(WHO, format!("token of {login}")),
        }];
        if let Some(until) = person.until.filter(|until| *until - now < ENDS_SOON) {
            checks.push(
                Check::warn(WHO, format!("the token ends on {}", until.format("%-d %B %Y")))
                    .fix("make a new one before, or use an App, whose tokens renew themselves (docs/github.md)"),
            );
        }
        let page = format!("{}/settings/tokens", self.web);
        match &person.scopes {
            Some(scopes) => {
                let mut wanted: Vec<&Right> = SCOPES.iter().collect();
                wanted.extend((undo == Undo::Delete).then_some(&DELETE));
                let fix = format!("add the scope to the token: {page}");
                checks.extend(rights(
                    wanted,
                    "scopes",
                    |right| scoped(scopes, right.name),
                    &fix,
                ));
            }
            None => checks.push(self.unsaid(&person.teams, &page)),
        }
        checks
    }

    /// A fine-grained token: GitHub doesn't list what it may, but shows whether it may read teams.
    fn unsaid(&self, teams: &Result<(), Trouble>, page: &str) -> Check {
        match teams {
            Ok(()) => Check::note(
                RIGHTS,
                "teams can be read; what else a fine-grained token may, GitHub doesn't tell: docs/github.md lists what it needs",
            ),
            Err(trouble) if matches!(trouble.status, Some(403 | 404)) => Check::fail(
                RIGHTS,
                "`members: read` is missing: repositories can't be given to teams: such plans are refused",
            )
            .fix(format!(
                "give the token access to {} and this permission of it: {page}",
                self.organisation
            )),
            Err(trouble) => self.refused(RIGHTS, "teams can't be read", trouble),
        }
    }
}
