//! What every action is, and what it is given to work with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::catalog::Template;
use crate::domain::action::ActionSpec;
use crate::domain::canonical::Digest;
use crate::domain::id::{RequestId, RequestNumber, RunId};
use crate::domain::person::GitHubAccount;
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Outcome, PlanError, StepError, StepPlan, TakenBack};
use crate::domain::tree::{Tree, TreeId};

/// How long a step may take unless its action says otherwise: what people still wait for in a thread.
const TIMEOUT: Duration = Duration::from_mins(1);

/// One kind of step.
#[async_trait]
pub trait Action: Send + Sync + fmt::Debug {
    /// Its published face.
    fn spec(&self) -> ActionSpec;

    /// How long `run` and `undo` may take before their effect counts as unknown, and `plan` before it is tried again.
    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    /// What `run` would do, found out without side effects.
    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError>;

    /// Makes sure that it is done: looks first, and may be called again at any time.
    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError>;

    /// Takes back what `run` did, finished (`output` is there) or not; may be called again at any time.
    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        output: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError>;
}

/// What planning knows of the request and of the steps before.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext<'a> {
    /// The request: what it makes carries this as its marker.
    pub request: RequestId,
    /// Its number, for what people read.
    pub number: RequestNumber,
    /// The name of the one who asked.
    pub requester: &'a str,
    /// Their account on GitHub, if it was linked when they asked.
    pub github: Option<&'a GitHubAccount>,
    /// When it was asked: the date of what is made for it, so that a retry makes the same.
    pub asked_at: DateTime<Utc>,
    /// The template that was chosen, as it was then.
    pub template: Option<&'a Arc<Template>>,
    /// The files that earlier steps of this plan made.
    pub workspace: Option<&'a Workspace>,
}

/// Files made by a step, and their name.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The name.
    pub id: TreeId,
    /// The files.
    pub tree: Arc<Tree>,
}

/// What running a step knows besides its input.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// Names this work and no other: the idempotency key where the other side takes one.
    pub key: StepKey,
    /// The request: what it makes carries this as its marker.
    pub request: RequestId,
    /// The moment of this call.
    pub now: DateTime<Utc>,
    /// When the step was begun for the first time in this generation.
    pub since: DateTime<Utc>,
    /// Set when the step should let go: the run is cancelled, or the process stops.
    pub cancelled: CancellationToken,
    /// The bytes that the planned step needs.
    pub blobs: Blobs,
}

/// One step of one generation of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// The run.
    pub run: RunId,
    /// The step's id in the plan.
    pub step: String,
    /// How often the run was begun, from 0.
    pub generation: i32,
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.run, self.step, self.generation)
    }
}

impl RunContext {
    /// Between two effects: whether to let go. Everything done so far is found again by the next try.
    pub fn check_cancelled(&self) -> Result<(), StepError> {
        if self.cancelled.is_cancelled() {
            return Err(StepError::Again {
                cause: "It was interrupted".to_owned(),
                after: None,
            });
        }
        Ok(())
    }
}

/// Bytes by their digest.
#[derive(Clone, Default)]
pub struct Blobs(BTreeMap<Digest, Arc<[u8]>>);

impl Blobs {
    /// Adds bytes under their own digest.
    pub fn insert(&mut self, bytes: impl Into<Arc<[u8]>>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.0.insert(digest, bytes);
        digest
    }

    /// The bytes of a digest.
    pub fn get(&self, digest: Digest) -> Option<&[u8]> {
        self.0.get(&digest).map(AsRef::as_ref)
    }

    /// The tree of a name. A missing or broken one is our own fault and no step's to mend.
    pub fn tree(&self, id: TreeId) -> Result<Tree, StepError> {
        let stop = |cause: &str| StepError::Stop {
            cause: cause.to_owned(),
        };
        let bytes = self
            .get(id.digest())
            .ok_or_else(|| stop("The planned files are not kept any more"))?;
        Tree::decode(bytes).map_err(|error| {
            tracing::error!(tree = %id, %error, "Blob {id} is no tree");
            stop("The planned files can't be read")
        })
    }
}

impl FromIterator<Vec<u8>> for Blobs {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(blobs: I) -> Self {
        let mut all = Self::default();
        for bytes in blobs {
            all.insert(bytes);
        }
        all
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
