//! What a step's work ends in: done, wait, or an error that says what to do about it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::Digest;
use super::plan::Fact;

/// What came of `run`; of `undo` with [`TakenBack`].
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<D = Done> {
    /// It has come to its end.
    Done(D),
    /// Nothing to do before then; no worker is held.
    Wait {
        /// When to look again.
        until: DateTime<Utc>,
        /// For what, as people read it: `the timer`.
        what: String,
    },
}

words! {
    /// What undoing a step came to.
    pub enum TakenBack {
        /// What it had made is gone.
        Removed = "removed",
        /// It stands still, out of use.
        Archived = "archived",
        /// There was nothing of it.
        Nothing = "nothing",
    }
}

/// A step's result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// What later steps and the command's output read.
    pub output: Value,
    /// Rows for `app` to write in the same transaction.
    pub records: Vec<Record>,
    /// Bytes to keep, each once.
    pub blobs: Vec<Vec<u8>>,
}

/// What a step leaves in the books. Closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A repository on a forge that gives ids.
    Repository {
        /// Its page.
        page: String,
        /// The forge's own id of it.
        id: String,
    },
    /// A service in the catalog.
    Service {
        /// Its name.
        name: String,
        /// The owning team.
        owner: String,
        /// Its entity reference (`component:default/payments-api`).
        entity: String,
        /// Where its source is.
        repository: Option<String>,
        /// Where its catalog file is.
        catalog_url: Option<String>,
    },
}

/// Why a step didn't come to its end, and so what happens next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Nothing happened yet: try again later.
    #[error("{cause}")]
    Again {
        /// A sentence for people, without secrets.
        cause: String,
        /// Not before so long (the other side said so).
        after: Option<TimeDelta>,
    },
    /// It will never work: stop.
    #[error("{cause}")]
    Stop {
        /// A sentence for people, without secrets.
        cause: String,
    },
    /// The call was sent and no answer came: look before repeating.
    #[error("{cause}")]
    Unknown {
        /// A sentence for people, without secrets.
        cause: String,
        /// What to check, and where.
        check: String,
        /// Not before so long (the other side answered, but only that it is failing).
        after: Option<TimeDelta>,
    },
}

/// Why a step couldn't be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It can't be done: the request is refused with this.
    #[error(transparent)]
    Refused(#[from] super::refusal::Refusal),
    /// The world gave no answer: planning is tried again, then given up.
    #[error("{cause}")]
    Again {
        /// A sentence for people, without secrets.
        cause: String,
        /// Not before so long.
        after: Option<TimeDelta>,
    },
}

/// What planning one step brings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepPlan {
    /// What would become different.
    pub facts: Vec<Fact>,
    /// Names to hold.
    pub claims: Vec<super::plan::Claim>,
    /// Bytes made by planning (a rendered tree), to be kept with the plan.
    pub blobs: Vec<Vec<u8>>,
    /// Blobs that `run` and `undo` will need.
    pub needs: Vec<Digest>,
    /// Members that planning adds to the step's input (`tree: "tree:sha256"`).
    pub pinned: Vec<(String, Value)>,
    /// The working tree after this step, where it makes or changes one.
    pub workspace: Option<Digest>,
}

impl StepError {
    /// The sentence for people.
    pub fn cause(&self) -> &str {
        match self {
            Self::Again { cause, .. } | Self::Stop { cause } | Self::Unknown { cause, .. } => cause,
        }
    }
}
