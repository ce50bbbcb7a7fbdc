//! GitHub: who idp is there, what it may, what the organisation forbids, the clock, the rate, webhooks.
//!
//! The facts are gathered by the client that publishes; the permissions are those of docs/github.md.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::people::{self, Groups, Teams};
use super::{Check, State};
use crate::boot::clock;
use crate::boot::config::{Config, GitHub};
use crate::catalog::Catalog;
use crate::clients::forge::github::Undo;
use crate::clients::forge::github::directory::Directory;
use crate::clients::forge::github::examine::{
    Installed, Organisation, Person, Rate, Trouble, Who, examine,
};
use crate::domain::team::GitHubTeam;

const WHO: &str = "github";
const RIGHTS: &str = "github rights";
const ORGANISATION: &str = "github organisation";
const CLOCK: &str = "github clock";
const RATE: &str = "github rate";
const LINKS: &str = "github links";
const WEBHOOKS: &str = "github webhooks";

/// A permission of the App or scope of a token, its level, and what is lost without it.
struct Right {
    name: &'static str,
    level: &'static str,
    lost: &'static str,
    needed: bool,
}

const fn needed(name: &'static str, level: &'static str, lost: &'static str) -> Right {
    Right {
        name,
        level,
        lost,
        needed: true,
    }
}

const fn optional(name: &'static str, level: &'static str, lost: &'static str) -> Right {
    Right {
        needed: false,
        ..needed(name, level, lost)
    }
}

/// Those of an App: <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>.
const PERMISSIONS: [Right; 7] = [
    needed("metadata", "read", "nothing works"),
    needed("administration", "write", "no repository can be made"),
    needed("contents", "write", "nothing can be pushed"),
    needed(
        "workflows",
        "write",
        "templates with `.github/workflows` are refused in the plan",
    ),
    needed(
        "members",
        "read",
        "repositories can't be given to teams: such plans are refused",
    ),
    optional(
        "actions_variables",
        "write",
        "templates with `repoVariables` are refused in the plan",
    ),
    optional(
        "secrets",
        "write",
        "templates with `secrets` are refused in the plan",
    ),
];

/// Those of a classic token:
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes>.
const SCOPES: [Right; 3] = [
    needed("repo", "", "no repository can be made"),
    needed(
        "workflow",
        "",
        "templates with `.github/workflows` are refused in the plan",
    ),
    needed(
        "read:org",
        "",
        "repositories can't be given to teams: such plans are refused",
    ),
];

/// Wanted besides, where what is taken back is deleted.
const DELETE: Right = optional(
    "delete_repo",
    "",
    "what is taken back can't be deleted (or set `undo = \"archive\"` under `[github]`)",
);

/// From which difference to GitHub's clock on it is told: tokens and signatures of an App are good for minutes.
const CLOCK_WARNS: TimeDelta = TimeDelta::seconds(60);

/// How long before a token's end it is told.
const ENDS_SOON: TimeDelta = TimeDelta::days(14);

/// Below this part of the hour's calls it is told.
const RATE_WARNS: u64 = 10;

pub(super) async fn checks(config: &Config, teams: &Teams) -> Vec<Check> {
    let Some(github) = &config.github else {
        return vec![Check::ok(
            WHO,
            "not configured: repositories stand on the local forge",
        )];
    };
    let place = Place::of(github);
    let examined = match examine(&github.forge, &(Arc::new(clock::now) as _)).await {
        Ok(examined) => examined,
        Err(error) => return vec![Check::fail(WHO, error.to_string())],
    };
    let now = clock::now();
    let mut checks = match &examined.who {
        Ok(Who::App { slug, installation }) => place.app(slug, installation),
        Ok(Who::Person(person)) => place.person(person, github.forge.undo, now),
        Err(trouble) => vec![place.nobody(trouble)],
    };
    match &examined.organisation {
        Some(Ok(told)) => checks.extend(place.organisation(told, &examined.who)),
        Some(Err(trouble)) => checks.push(place.unseen(trouble)),
        None => {}
    }
    checks.extend(examined.date.map(|date| clock_off(now - date)));
    checks.extend(examined.rate.map(rate));
    let as_groups = teams.found.is_some() || teams.trouble.is_some();
    if as_groups && github.client_id.is_none() {
        checks.push(place.unlinked());
    }
    let secret = github.webhook_secret.is_some();
    checks.push(webhooks(secret, config.public_url.as_ref()));
    checks
}

/// Reads the teams that definitions and the configuration name as groups, and all names where one isn't there.
pub(super) async fn teams(config: &Config, catalog: &Catalog) -> Teams {
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

/// Which organisation, on which GitHub, by what: for the words and addresses of what to do.
struct Place {
    organisation: String,
    web: String,
    api: String,
    app: bool,
}

impl Place {
    fn of(github: &GitHub) -> Self {
        use crate::clients::forge::github::Credentials;
        Self {
            organisation: github.forge.organisation.clone(),
            web: trimmed(&github.forge.git_url),
            api: trimmed(&github.forge.api_url),
            app: matches!(github.forge.credentials, Credentials::App { .. }),
        }
    }

    /// Teams are groups, and nobody can say which account of them is theirs.
    fn unlinked(&self) -> Check {
        Check::fail(LINKS, "nobody can link their account, so nobody of a team on GitHub counts").fix(format!(
            "tick Enable Device Flow on the App's page ({}/organizations/{}/settings/apps), and set `GITHUB_CLIENT_ID` to its client id",
            self.web, self.organisation
        ))
    }

    /// GitHub doesn't say who we are.
    fn nobody(&self, trouble: &Trouble) -> Check {
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

    /// A question that was refused for a reason that any can be.
    fn refused(&self, topic: &'static str, what: &str, trouble: &Trouble) -> Check {
        let check = Check::fail(topic, format!("{what}: {}", trouble.says));
        match (trouble.status, &trouble.authorise) {
            (_, Some(url)) => check.fix(format!("let the token in by single sign-on: {url}")),
            (None, _) => check.fix(format!(
                "let this machine reach `{}` (or what `GITHUB_API_URL` says)",
                self.api
            )),
            (Some(429 | 500..), _) => check.fix("try again in a minute"),
            _ => check,
        }
    }

    fn app(&self, slug: &str, installation: &Result<Installed, Trouble>) -> Vec<Check> {
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

    fn person(&self, person: &Person, undo: Undo, now: DateTime<Utc>) -> Vec<Check> {
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

    fn unseen(&self, trouble: &Trouble) -> Check {
        let organisation = &self.organisation;
        if trouble.status == Some(404) {
            let says = format!("there is no organisation {organisation}, or idp may not see it");
            return Check::fail(ORGANISATION, says)
                .fix("set `GITHUB_ORG` to its name as in its address");
        }
        let what = format!("{organisation} can't be read");
        self.refused(ORGANISATION, &what, trouble)
    }

    fn organisation(&self, told: &Organisation, who: &Result<Who, Trouble>) -> Vec<Check> {
        let name = &self.organisation;
        let page = format!("{}/organizations/{name}/settings", self.web);
        let mut checks = Vec::new();
        let allow = format!("allow them at {page}/member_privileges");
        match (told.private == Some(false), told.public == Some(false)) {
            (true, true) => {
                let says = format!("{name} lets nobody make repositories");
                checks.push(Check::fail(ORGANISATION, says).fix(allow));
            }
            (true, false) => {
                let says =
                    format!("{name} allows no private repositories: plans with them are refused");
                checks.push(Check::warn(ORGANISATION, says).fix(allow));
            }
            (false, true) => checks.push(Check::note(
                ORGANISATION,
                format!("{name} allows no public repositories: plans with them are refused"),
            )),
            (false, false) => {}
        }
        if told.plan.as_deref() == Some("free") {
            checks.push(Check::note(
                ORGANISATION,
                "on GitHub Free, branches of private repositories can't be protected: such plans are refused",
            ));
        }
        if let (Some(true), Ok(Who::Person(person))) = (told.two_factor, who)
            && person.two_factor == Some(false)
        {
            let says = format!(
                "{name} wants a second factor, and {} has none",
                person.login
            );
            checks.push(Check::fail(ORGANISATION, says).fix(format!(
                "switch two-factor authentication on: {}/settings/security",
                self.web
            )));
        }
        if checks.is_empty() {
            checks.push(Check::ok(
                ORGANISATION,
                format!("{name} has no rule in the way"),
            ));
        }
        checks
    }
}

fn trimmed(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// What is missing of these, each with what it costs; one line where nothing is.
fn rights<'a>(
    wanted: impl IntoIterator<Item = &'a Right>,
    kind: &str,
    has: impl Fn(&Right) -> bool,
    fix: &str,
) -> Vec<Check> {
    let (mut failed, mut lost, mut count) = (Vec::new(), Vec::new(), 0);
    for right in wanted {
        count += usize::from(right.needed);
        if has(right) {
            continue;
        }
        let name = match right.level {
            "" => right.name.to_owned(),
            level => format!("{}: {level}", right.name),
        };
        if right.needed {
            let says = format!("`{name}` is missing: {}", right.lost);
            failed.push(Check::fail(RIGHTS, says).fix(fix));
        } else {
            lost.push(Check::note(
                RIGHTS,
                format!("without `{name}`, {}", right.lost),
            ));
        }
    }
    if failed.is_empty() {
        failed.push(Check::ok(
            RIGHTS,
            format!("all {count} {kind} that idp needs"),
        ));
    }
    failed.extend(lost);
    failed
}

/// Whether a scope is among these, or within another one.
fn scoped(granted: &[String], scope: &str) -> bool {
    let includes = |held: &str| {
        held == scope || scope == "read:org" && matches!(held, "write:org" | "admin:org")
    };
    granted.iter().any(|held| includes(held))
}

fn clock_off(off: TimeDelta) -> Check {
    if off.abs() < CLOCK_WARNS {
        return Check::ok(CLOCK, "right within a minute");
    }
    let way = if off > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let says = format!("{} s {way} GitHub's", off.num_seconds().abs());
    Check::new(CLOCK, State::Warn, says)
        .fix("let the machine's clock be set by NTP (`timedatectl set-ntp true`)")
}

fn rate(rate: Rate) -> Check {
    let says = format!("{} of this hour's {} calls are left", rate.left, rate.limit);
    match rate.left {
        0 => Check::fail(RATE, says).fix("wait: whoever else uses this token or App spent them"),
        left if left * RATE_WARNS < rate.limit => {
            Check::warn(RATE, says).fix("see who else uses this token or App: they share its calls")
        }
        _ => Check::ok(RATE, says),
    }
}

fn webhooks(secret: bool, public: Option<&Url>) -> Check {
    const UNTOLD: &str = "renamed, moved and deleted repositories aren't noticed";
    match (secret, public) {
        (true, Some(url)) => Check::ok(
            WEBHOOKS,
            format!("signed ones, at {}/github/webhooks", trimmed(url)),
        ),
        (true, None) => Check::warn(WEBHOOKS, format!("no public address is set: {UNTOLD}"))
            .fix("set `IDP_PUBLIC_URL`, and the same with `/github/webhooks` as the webhook's address"),
        (false, _) => Check::note(WEBHOOKS, format!("there is no secret for them: {UNTOLD}"))
            .fix("set the same secret on the App's or organisation's webhook and in `GITHUB_WEBHOOK_SECRET`"),
    }
}

#[cfg(test)]
mod tests;
