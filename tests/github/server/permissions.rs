//! What each operation needs, after docs.github.com/rest/authentication/permissions-required-for-github-apps and the
//! scopes of docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps.

use super::world::Permissions;

/// What an operation needs. Every pair is needed.
pub struct Needs {
    pairs: Vec<(&'static str, &'static str)>,
    /// Whether it is about the person who calls.
    pub person: bool,
}

impl Needs {
    pub fn met(&self, held: &Permissions) -> bool {
        self.pairs
            .iter()
            .all(|(name, want)| level(held.get(*name).map(String::as_str)) >= level(Some(want)))
    }

    /// As GitHub names them: `members=read,administration=write`.
    pub fn header(&self) -> String {
        let pairs: Vec<String> = self
            .pairs
            .iter()
            .map(|(name, want)| format!("{name}={want}"))
            .collect();
        pairs.join(",")
    }

    pub fn writes(&self) -> bool {
        self.pairs.iter().any(|(_, want)| *want != "read")
    }

    pub fn names(&self, permission: &str) -> bool {
        self.pairs.iter().any(|(name, _)| *name == permission)
    }

    /// What a classic token needs for the same.
    pub fn scopes(&self) -> Vec<&'static str> {
        let mut scopes: Vec<&'static str> = self
            .pairs
            .iter()
            .map(|(name, want)| match (*name, *want) {
                ("members", "read") | ("organization_custom_properties", "read") => "read:org",
                (
                    "members" | "organization_administration" | "organization_custom_properties",
                    _,
                ) => "admin:org",
                ("repository_hooks", "read") => "read:repo_hook",
                ("repository_hooks", _) => "write:repo_hook",
                ("delete", _) => "delete_repo",
                _ => "repo",
            })
            .collect();
        scopes.dedup();
        scopes
    }

    pub fn scopes_met(&self, held: &[String]) -> bool {
        self.scopes().iter().all(|want| {
            held.iter().any(|scope| {
                scope == want
                    || matches!(
                        (scope.as_str(), *want),
                        ("admin:org" | "write:org", "read:org")
                            | (
                                "repo" | "admin:repo_hook",
                                "read:repo_hook" | "write:repo_hook"
                            )
                            | ("write:repo_hook", "read:repo_hook")
                    )
            })
        })
    }
}

/// How much a level is; more includes less.
pub fn level(name: Option<&str>) -> u8 {
    match name {
        Some("read") => 1,
        Some("write") => 2,
        Some("admin") => 3,
        _ => 0,
    }
}

/// What an operation needs; none for one that this server doesn't build.
pub fn needs(operation: &str) -> Option<Needs> {
    let pairs: &[(&str, &str)] = match operation {
        "users/get-authenticated" => {
            return Some(Needs {
                pairs: Vec::new(),
                person: true,
            });
        }
        // Only people may hand a repository over; an App's own token may not.
        "repos/transfer" => {
            return Some(Needs {
                pairs: vec![("administration", "write")],
                person: true,
            });
        }
        "rate-limit/get"
        | "meta/get"
        | "meta/root"
        | "users/get-by-username"
        | "users/get-by-id"
        | "orgs/get"
        | "apps/revoke-installation-access-token" => &[],
        "repos/get"
        | "repos/list-for-org"
        | "repos/list-tags"
        | "repos/get-all-topics"
        | "repos/list-collaborators"
        | "repos/check-collaborator"
        | "repos/get-collaborator-permission-level"
        | "repos/get-repo-rulesets"
        | "repos/get-repo-ruleset"
        | "repos/get-branch-rules"
        | "apps/list-repos-accessible-to-installation"
        | "repos/custom-properties-for-repos-get-repository-values" => &[("metadata", "read")],
        "repos/create-in-org"
        | "repos/update"
        | "repos/delete"
        | "repos/replace-all-topics"
        | "repos/add-collaborator"
        | "repos/remove-collaborator"
        | "repos/create-or-update-environment"
        | "repos/delete-an-environment"
        | "repos/create-repo-ruleset"
        | "repos/update-repo-ruleset"
        | "repos/delete-repo-ruleset"
        | "repos/update-branch-protection"
        | "repos/delete-branch-protection"
        | "actions/set-github-actions-permissions-repository"
        | "actions/set-github-actions-default-workflow-permissions-repository" => {
            &[("administration", "write")]
        }
        "repos/list-teams"
        | "repos/get-branch-protection"
        | "actions/get-github-actions-permissions-repository"
        | "actions/get-github-actions-default-workflow-permissions-repository" => {
            &[("administration", "read")]
        }
        "teams/list"
        | "teams/get-by-name"
        | "teams/list-members-in-org"
        | "teams/get-membership-for-user-in-org"
        | "orgs/list-members"
        | "orgs/check-membership-for-user"
        | "orgs/get-membership-for-user" => &[("members", "read")],
        "teams/check-permissions-for-repo-in-org" | "teams/list-repos-in-org" => {
            &[("members", "read"), ("metadata", "read")]
        }
        "teams/add-or-update-repo-permissions-in-org" | "teams/remove-repo-in-org" => {
            &[("members", "read"), ("administration", "write")]
        }
        "repos/get-environment" | "repos/get-all-environments" => &[("actions", "read")],
        "actions/list-repo-variables" | "actions/get-repo-variable" => {
            &[("actions_variables", "read")]
        }
        "actions/create-repo-variable"
        | "actions/update-repo-variable"
        | "actions/delete-repo-variable" => &[("actions_variables", "write")],
        "actions/get-repo-public-key" | "actions/list-repo-secrets" | "actions/get-repo-secret" => {
            &[("secrets", "read")]
        }
        "actions/create-or-update-repo-secret" | "actions/delete-repo-secret" => {
            &[("secrets", "write")]
        }
        "actions/get-environment-public-key"
        | "actions/list-environment-secrets"
        | "actions/get-environment-secret"
        | "actions/list-environment-variables"
        | "actions/get-environment-variable" => &[("environments", "read")],
        "actions/create-or-update-environment-secret"
        | "actions/delete-environment-secret"
        | "actions/create-environment-variable"
        | "actions/update-environment-variable"
        | "actions/delete-environment-variable" => &[("environments", "write")],
        "repos/list-webhooks" | "repos/get-webhook" => &[("repository_hooks", "read")],
        "repos/create-webhook" | "repos/update-webhook" | "repos/delete-webhook" => {
            &[("repository_hooks", "write")]
        }
        "repos/custom-properties-for-repos-create-or-update-repository-values" => {
            &[("repository_custom_properties", "write")]
        }
        "orgs/custom-properties-for-repos-get-organization-definitions"
        | "orgs/custom-properties-for-repos-get-organization-definition" => {
            &[("organization_custom_properties", "read")]
        }
        "orgs/custom-properties-for-repos-create-or-update-organization-definition"
        | "orgs/custom-properties-for-repos-create-or-update-organization-definitions" => {
            &[("organization_custom_properties", "admin")]
        }
        "repos/get-org-rulesets" => &[("organization_administration", "write")],
        "repos/list-branches"
        | "repos/get-branch"
        | "repos/list-commits"
        | "repos/get-commit"
        | "repos/get-content"
        | "git/get-ref"
        | "git/get-commit"
        | "git/get-tree"
        | "repos/list-comments-for-commit"
        | "repos/create-commit-comment" => &[("contents", "read")],
        "repos/update-commit-comment" | "repos/delete-commit-comment" => &[("contents", "write")],
        // Either that of pull requests or that of issues; ours is about pull requests.
        "issues/list-comments" => &[("pull_requests", "read")],
        "issues/create-comment" | "issues/update-comment" | "issues/delete-comment" => {
            &[("pull_requests", "write")]
        }
        "git/create-blob"
        | "git/create-tree"
        | "git/create-commit"
        | "git/create-ref"
        | "git/update-ref"
        | "repos/create-or-update-file-contents" => &[("contents", "write")],
        "repos/create-commit-status" => &[("statuses", "write")],
        "repos/get-combined-status-for-ref" | "repos/list-commit-statuses-for-ref" => {
            &[("statuses", "read")]
        }
        _ => return None,
    };
    Some(Needs {
        pairs: pairs.to_vec(),
        person: false,
    })
}

/// What an operation needs of a classic token where that differs from what its permission says.
pub fn classic(operation: &str, needs: Needs) -> Needs {
    match operation {
        "repos/delete" => Needs {
            pairs: vec![("delete", "write")],
            person: false,
        },
        _ => needs,
    }
}
