//! What a repository can be told besides its files: who may write to it, its switches, its variables and secrets, and
//! what protects its default branch.
//!
//! Plain values that every forge understands; each forge keeps what it has a place for and says so
//! ([`Forge::keeps_settings`](super::Forge::keeps_settings)). Nothing here is a secret but the values of
//! [`RepoSettings::secrets`], which show nothing of themselves.

use secrecy::SecretString;

/// Everything that a repository is told once its files are in it. Empty parts leave what the forge does by itself.
#[derive(Clone, Debug, Default)]
pub struct RepoSettings {
    /// The address shown beside the description.
    pub homepage: Option<String>,
    /// Words by which it is found.
    pub topics: Vec<String>,
    /// What it offers, and how pull requests are merged.
    pub switches: Switches,
    /// Who gets a right.
    pub access: Vec<Access>,
    /// Environments that its workflows deploy to.
    pub environments: Vec<String>,
    /// Variables for its workflows.
    pub variables: Vec<(String, String)>,
    /// Secrets for its workflows.
    pub secrets: Vec<(String, SecretString)>,
    /// What protects the default branch.
    pub protection: Option<Protection>,
    /// Whether its files hold workflows: pushing these takes a right of its own.
    pub workflows: bool,
}

/// What a repository offers, and how pull requests are merged; `None`: as the forge does by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Switches {
    /// Issues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_issues: Option<bool>,
    /// Projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_projects: Option<bool>,
    /// A wiki.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_wiki: Option<bool>,
    /// Merging with a merge commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_merge_commit: Option<bool>,
    /// Merging into one commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_squash_merge: Option<bool>,
    /// Merging by putting the commits on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_rebase_merge: Option<bool>,
    /// Merging by itself once everything asked for is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_auto_merge: Option<bool>,
    /// Deleting a branch once it is merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_branch_on_merge: Option<bool>,
    /// Letting people bring a pull request's branch up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_update_branch: Option<bool>,
    /// `PR_TITLE` or `COMMIT_OR_PR_TITLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squash_merge_commit_title: Option<String>,
    /// `PR_BODY`, `COMMIT_MESSAGES` or `BLANK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squash_merge_commit_message: Option<String>,
}

/// A right in a repository, least first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read it.
    Pull,
    /// Read it and sort its issues.
    Triage,
    /// Write to it.
    Push,
    /// Write to it and keep its settings.
    Maintain,
    /// Everything.
    Admin,
}

impl Role {
    /// The word that the forge and definitions use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Triage => "triage",
            Self::Push => "push",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// Who gets a right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// A team of the organisation, by the last part of its address (`payments`).
    Team(String),
    /// A person by their login.
    User(String),
}

/// Somebody gets a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub to: Grantee,
    /// Which.
    pub role: Role,
}

/// What protects the default branch. Nobody deletes it or rewrites its history, whatever else is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each with its own word in definitions and on the forge"
)]
pub struct Protection {
    /// Whether it also holds for administrators of the organisation.
    pub for_admins: bool,
    /// Approvals that a pull request needs.
    pub approvals: u8,
    /// Whether code owners have to approve.
    pub code_owners: bool,
    /// Whether a push makes given approvals void.
    pub dismiss_stale: bool,
    /// Whether somebody else than the last to push has to approve.
    pub last_push: bool,
    /// Whether all conversations have to be resolved.
    pub conversations: bool,
    /// Whether merge commits are refused.
    pub linear: bool,
    /// Whether commits have to be signed.
    pub signed: bool,
    /// Checks that have to pass, by their names.
    pub checks: Vec<String>,
    /// Whether a branch has to be up to date before its checks count.
    pub up_to_date: bool,
    /// Who may pass it by in pull requests.
    pub bypass: Vec<Bypass>,
}

/// Who may pass a protection by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bypass {
    /// The members of a team.
    Team(String),
    /// A person by their login.
    User(String),
    /// An App by the last part of its address.
    App(String),
}
