//! Ids: one type per noun, so that a plan's id can't stand where a run's is wanted.
//!
//! Ids are `UUIDv7` values made in `app` (`X::from_uuid(Uuid::now_v7())`); this module never makes one, it only names
//! them. External ids are always kept with the installation that they belong to (`person::AccountKey`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident)+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID as an id of this noun.
            pub const fn from_uuid(id: Uuid) -> Self { Self(id) }
            /// The UUID inside, for the store and the wire.
            pub const fn uuid(self) -> Uuid { self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }
    )+ };
}

ids! {
    /// One Slack workspace or organisation, one Discord guild, one GitHub App installation.
    InstallationId
    /// One account on one installation.
    AccountId
    /// One human with one or more accounts.
    PersonId
    /// A group of accounts: a user group of a platform or a list of the configuration.
    GroupId
    /// A form being filled in.
    DraftId
    /// One use of a command.
    RequestId
    /// What every step of a request would do.
    PlanId
    /// One person's Approve or Deny on one plan.
    VoteId
    /// The row that says a plan's rule is met.
    ApprovalId
    /// The execution of one approval.
    RunId
    /// A place where messages of a request stand.
    ThreadId
    /// A card that should stand somewhere.
    MessageId
    /// A service that a run has made.
    ServiceId
    /// A code that links accounts: one on GitHub to a person, or two in chat to each other.
    LinkId
    /// What says that two persons are one human.
    TieId
}

/// The number that people say for a request: 142. Knowing it grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestNumber(pub i64);

impl std::fmt::Display for RequestNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
