//! The input of the publishing actions, under Backstage's names for `publish:github`, and what it means for a forge.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrets::Secrets;
use crate::clients::forge::{
    Access, Branch, Bypass, CommitSpec, Grantee, Ident, Protection, RepoName, RepoSettings,
    RepoSpec, Role, Switches, Visibility,
};
use crate::domain::id::RequestId;
use crate::domain::tree::{Tree, TreeId, TreePath};
use crate::steps::forge::parse_repo_url;

/// Who commits. The author is whoever asked.
const COMMITTER: (&str, &str) = ("idp", "noreply@idp.localhost");

/// Largest secret and variable, in bytes: <https://docs.github.com/en/actions/reference/security/secrets>.
const MAX_VALUE: usize = 48 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    pub(super) repo_url: String,
    description: Option<String>,
    homepage: Option<String>,
    access: Option<String>,
    repo_visibility: Option<Visibility>,
    default_branch: Option<String>,
    delete_branch_on_merge: Option<bool>,
    protect_default_branch: Option<bool>,
    protect_enforce_admins: Option<bool>,
    require_code_owner_reviews: Option<bool>,
    dismiss_stale_reviews: Option<bool>,
    required_approving_review_count: Option<u8>,
    required_status_check_contexts: Option<Vec<String>>,
    require_branches_to_be_up_to_date: Option<bool>,
    require_last_push_approval: Option<bool>,
    required_conversation_resolution: Option<bool>,
    required_linear_history: Option<bool>,
    required_commit_signing: Option<bool>,
    bypass_pull_request_allowances: Option<Allowances>,
    collaborators: Option<Vec<Collaborator>>,
    topics: Option<Vec<String>>,
    environments: Option<Vec<String>>,
    repo_variables: Option<BTreeMap<String, Value>>,
    secrets: Option<BTreeMap<String, String>>,
    has_issues: Option<bool>,
    has_projects: Option<bool>,
    has_wiki: Option<bool>,
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_rebase_merge: Option<bool>,
    allow_auto_merge: Option<bool>,
    allow_update_branch: Option<bool>,
    squash_merge_commit_title: Option<String>,
    squash_merge_commit_message: Option<String>,
    source_path: Option<String>,
    git_commit_message: Option<String>,
    git_author_name: Option<String>,
    git_author_email: Option<String>,
    /// Pinned by the plan.
    pub(super) pinned: Option<Pinned>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Allowances {
    users: Vec<String>,
    teams: Vec<String>,
    apps: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collaborator {
    access: Role,
    user: Option<String>,
    team: Option<String>,
}

/// What the plan adds: all that a commit's id depends on and the input doesn't say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pinned {
    /// The working tree at the time of the step.
    pub(super) tree: TreeId,
    /// The team that the rendered catalog file names as owner.
    pub(super) team: Option<String>,
    /// Who asked.
    pub(super) author: String,
    /// Who asked, as the forge knows them: `Priya Nair <7+priya@users.noreply.github.com>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) co_author: Option<String>,
    /// When they asked, in seconds since 1970.
    pub(super) at: i64,
    /// The request's number.
    pub(super) request: i64,
}

/// The input's names, checked.
pub(super) struct Target {
    pub(super) repo: RepoName,
    pub(super) visibility: Visibility,
    pub(super) branch: Branch,
    pub(super) source: Option<TreePath>,
}

impl Input {
    pub(super) fn target(&self) -> Result<Target, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let source = self
            .source_path
            .as_deref()
            .map(|path| path.trim_start_matches("./").trim_matches('/'));
        Ok(Target {
            repo: parse_repo_url(&self.repo_url)?,
            visibility: self.repo_visibility.unwrap_or(Visibility::Private),
            branch: self
                .default_branch
                .as_deref()
                .map_or(Ok(Branch::main()), str::parse)
                .map_err(|e| text(&e))?,
            source: match source {
                None | Some("" | ".") => None,
                Some(path) => Some(TreePath::new(path).map_err(|e| text(&e))?),
            },
        })
    }

    /// The repository that this asks for.
    pub(super) fn spec(
        &self,
        target: &Target,
        request: RequestId,
        team: Option<String>,
    ) -> RepoSpec {
        RepoSpec {
            repo: target.repo.clone(),
            request,
            team,
            description: self.description.clone().unwrap_or_default(),
            visibility: target.visibility,
            default_branch: target.branch.clone(),
        }
    }

    pub(super) fn commit(&self, pinned: &Pinned, repo: &RepoName) -> CommitSpec {
        let mut message = self
            .git_commit_message
            .clone()
            .unwrap_or_else(|| format!("Create {}", repo.name()));
        let _infallible = write!(message, "\n\nRequest: {}", pinned.request);
        if let Some(co_author) = &pinned.co_author {
            let _infallible = write!(message, "\nCo-authored-by: {co_author}");
        }
        CommitSpec {
            author: Ident::new(
                self.git_author_name.as_deref().unwrap_or(&pinned.author),
                self.git_author_email.as_deref().unwrap_or(COMMITTER.1),
            ),
            committer: Ident::new(COMMITTER.0, COMMITTER.1),
            at: pinned.at,
            message,
        }
    }

    /// What the repository is told; `Err`: a sentence without its stop.
    pub(super) fn settings(&self, files: &Tree, secrets: &Secrets) -> Result<RepoSettings, String> {
        let secrets = self
            .secrets
            .iter()
            .flatten()
            .map(|(name, value)| Ok((secret_name(name)?, secrets.resolve(value, MAX_VALUE)?)));
        let variables = self
            .repo_variables
            .iter()
            .flatten()
            .map(|(name, value)| Ok((secret_name(name)?, variable(name, value)?)));
        let in_workflows = |path: &TreePath| path.as_str().starts_with(".github/workflows/");
        Ok(RepoSettings {
            homepage: self.homepage.clone(),
            topics: self
                .topics
                .iter()
                .flatten()
                .map(|topic| topic.to_lowercase())
                .collect(),
            switches: self.switches(),
            access: self.access()?,
            environments: self.environments.clone().unwrap_or_default(),
            variables: variables.collect::<Result<_, String>>()?,
            secrets: secrets.collect::<Result<_, String>>()?,
            protection: self
                .protect_default_branch
                .unwrap_or(true)
                .then(|| self.protection()),
            workflows: files.iter().any(|(path, _)| in_workflows(path)),
        })
    }

    fn switches(&self) -> Switches {
        Switches {
            has_issues: self.has_issues,
            has_projects: self.has_projects,
            has_wiki: self.has_wiki,
            allow_merge_commit: self.allow_merge_commit,
            allow_squash_merge: self.allow_squash_merge,
            allow_rebase_merge: self.allow_rebase_merge,
            allow_auto_merge: self.allow_auto_merge,
            delete_branch_on_merge: self.delete_branch_on_merge,
            allow_update_branch: self.allow_update_branch,
            squash_merge_commit_title: self.squash_merge_commit_title.clone(),
            squash_merge_commit_message: self.squash_merge_commit_message.clone(),
        }
    }

    /// Backstage's `access` is one administrator (a person, or `ORGANISATION/TEAM`), `collaborators` are all others.
    fn access(&self) -> Result<Vec<Access>, String> {
        let mut all = Vec::new();
        if let Some(admin) = &self.access {
            let to = match admin.rsplit_once('/') {
                Some((_, team)) => Grantee::Team(team.to_owned()),
                None => Grantee::User(admin.clone()),
            };
            all.push(Access {
                to,
                role: Role::Admin,
            });
        }
        for one in self.collaborators.iter().flatten() {
            let to = match (&one.team, &one.user) {
                (Some(team), None) => Grantee::Team(short(team)),
                (None, Some(user)) => Grantee::User(user.clone()),
                _ => {
                    return Err(
                        "each of `collaborators` has either a `team` or a `user`".to_owned()
                    );
                }
            };
            all.push(Access {
                to,
                role: one.access,
            });
        }
        Ok(all)
    }

    /// With Backstage's defaults.
    fn protection(&self) -> Protection {
        let mut bypass = Vec::new();
        if let Some(allowed) = &self.bypass_pull_request_allowances {
            bypass.extend(allowed.teams.iter().map(|team| Bypass::Team(short(team))));
            bypass.extend(allowed.users.iter().cloned().map(Bypass::User));
            bypass.extend(allowed.apps.iter().cloned().map(Bypass::App));
        }
        let yes = |switch: Option<bool>| switch.unwrap_or(false);
        Protection {
            for_admins: self.protect_enforce_admins.unwrap_or(true),
            approvals: self.required_approving_review_count.unwrap_or(1),
            code_owners: yes(self.require_code_owner_reviews),
            dismiss_stale: yes(self.dismiss_stale_reviews),
            last_push: yes(self.require_last_push_approval),
            conversations: yes(self.required_conversation_resolution),
            linear: yes(self.required_linear_history),
            signed: yes(self.required_commit_signing),
            checks: self
                .required_status_check_contexts
                .clone()
                .unwrap_or_default(),
            up_to_date: self.require_branches_to_be_up_to_date.unwrap_or(true),
            bypass,
        }
    }
}

/// A team without its organisation or kind: `acme/payments`, `group:default/payments`.
fn short(team: &str) -> String {
    team.rsplit('/').next().unwrap_or(team).to_owned()
}

/// <https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets>
fn secret_name(name: &str) -> Result<String, String> {
    let upper = name.to_ascii_uppercase();
    let plain = upper
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let begins = upper.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    if plain && begins && !upper.starts_with("GITHUB_") {
        return Ok(upper);
    }
    Err(format!(
        "`{}` can't be the name of a secret or variable: letters, digits and `_`, not beginning with a digit or `GITHUB_`",
        name.escape_debug()
    ))
}

fn variable(name: &str, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(format!("the variable `{name}` has to be a text"));
        }
    };
    if text.is_empty() || text.len() > MAX_VALUE {
        return Err(format!(
            "the variable `{name}` is empty or larger than {} KB",
            MAX_VALUE / 1024
        ));
    }
    Ok(text)
}
