//! Which permissions a call needs: tokens of an App are narrowed to these, and planning tells the ones that are missing.
//!
//! The names are those of `permissions` in
//! <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>; docs/github.md says
//! what each is for.

use std::collections::BTreeMap;

use super::hook::Webhook;
use super::remark::About;
use crate::clients::forge::{Grantee, RepoName, RepoSettings};

/// What a token may do, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rights {
    /// The one repository; `None`: all of the organisation, for what is not there yet.
    pub(super) repository: Option<String>,
    /// `contents` → `write`.
    pub(super) permissions: BTreeMap<&'static str, &'static str>,
}

impl Rights {
    fn of(repository: Option<&RepoName>, permissions: &[(&'static str, &'static str)]) -> Self {
        Self {
            repository: repository.map(|repo| repo.name().to_owned()),
            permissions: permissions.iter().copied().collect(),
        }
    }

    /// Seeing that the organisation is there, and what it allows.
    pub(super) fn see() -> Self {
        Self::of(None, &[("metadata", "read")])
    }

    /// Looking for a repository and its first commit.
    pub(super) fn look() -> Self {
        Self::of(None, &[("metadata", "read"), ("contents", "read")])
    }

    /// Looking whose somebody else's repository is.
    pub(super) fn owners(repo: &RepoName) -> Self {
        Self::of(
            Some(repo),
            &[("metadata", "read"), ("administration", "read")],
        )
    }

    /// Looking for teams and people.
    pub(super) fn people() -> Self {
        Self::of(None, &[("metadata", "read"), ("members", "read")])
    }

    /// Making a repository.
    pub(super) fn create() -> Self {
        Self::of(None, &[("metadata", "read"), ("administration", "write")])
    }

    /// Pushing the first commit; `workflows`: with files below `.github/workflows`.
    pub(super) fn push(repo: &RepoName, workflows: bool) -> Self {
        let mut rights = Self::of(Some(repo), &[("metadata", "read"), ("contents", "write")]);
        if workflows {
            rights.permissions.insert("workflows", "write");
        }
        rights
    }

    /// Telling a repository what it should be.
    pub(super) fn settle(
        repo: &RepoName,
        settings: &RepoSettings,
        webhook: Option<&Webhook>,
    ) -> Self {
        let mut rights = Self::of(
            Some(repo),
            &[("metadata", "read"), ("administration", "write")],
        );
        rights.permissions.extend(extras(settings, webhook));
        rights
    }

    /// Saying how a commit fares.
    pub(super) fn statuses(repo: &RepoName) -> Self {
        Self::of(Some(repo), &[("metadata", "read"), ("statuses", "write")])
    }

    /// Commenting.
    pub(super) fn comment(repo: &RepoName, about: &About) -> Self {
        let needed = match about {
            About::Commit(_) => ("contents", "write"),
            About::PullRequest(_) => ("pull_requests", "write"),
        };
        Self::of(Some(repo), &[("metadata", "read"), needed])
    }

    /// Taking a repository back.
    pub(super) fn remove(repo: &RepoName) -> Self {
        Self::of(
            Some(repo),
            &[
                ("metadata", "read"),
                ("contents", "read"),
                ("administration", "write"),
            ],
        )
    }
}

/// Everything that a service with these settings needs, from plan to undo.
pub(super) fn needed(
    settings: &RepoSettings,
    webhook: Option<&Webhook>,
) -> BTreeMap<&'static str, &'static str> {
    let mut all = BTreeMap::from([
        ("metadata", "read"),
        ("administration", "write"),
        ("contents", "write"),
    ]);
    if settings.workflows {
        all.insert("workflows", "write");
    }
    all.extend(extras(settings, webhook));
    all
}

fn extras(
    settings: &RepoSettings,
    webhook: Option<&Webhook>,
) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    let teams = settings
        .access
        .iter()
        .any(|access| matches!(access.to, Grantee::Team(_)))
        || settings
            .protection
            .as_ref()
            .is_some_and(|protection| !protection.bypass.is_empty());
    [
        (teams, "members", "read"),
        (!settings.variables.is_empty(), "actions_variables", "write"),
        (!settings.secrets.is_empty(), "secrets", "write"),
        (webhook.is_some(), "repository_hooks", "write"),
    ]
    .into_iter()
    .filter_map(|(needed, name, level)| needed.then_some((name, level)))
}

/// Whether a permission that was granted is as much as one that is needed.
pub(super) fn covers(granted: Option<&str>, needed: &str) -> bool {
    matches!(
        (granted, needed),
        (Some(_), "read") | (Some("write" | "admin"), "write")
    )
}
