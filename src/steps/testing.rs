//! What the tests of several actions share: contexts, a forge of the moment, files.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::action::{Blobs, PlanContext, RunContext, StepKey, Workspace};
use crate::clients::forge::git::Git;
use crate::clients::forge::local::{LocalForge, Place};
use crate::domain::canonical::Digest;
use crate::domain::id::{RequestId, RequestNumber, RunId};
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Done, Outcome, StepPlan};
use crate::domain::tree::{Entry, Tree, TreeId, TreePath};

/// The moment at which everything was asked.
pub(super) fn asked_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

pub(super) fn request(n: u128) -> RequestId {
    RequestId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn planning(n: u128, workspace: Option<&Workspace>) -> PlanContext<'_> {
    PlanContext {
        request: request(n),
        number: RequestNumber(142),
        requester: "Priya Nair",
        github: None,
        asked_at: asked_at(),
        template: None,
        workspace,
    }
}

/// A step that was begun `seconds` ago.
pub(super) fn running(n: u128, blobs: Blobs, seconds: i64) -> RunContext {
    RunContext {
        key: StepKey {
            run: RunId::from_uuid(Uuid::from_u128(7)),
            step: "step".to_owned(),
            generation: 0,
        },
        request: request(n),
        now: asked_at() + TimeDelta::seconds(seconds),
        since: asked_at(),
        cancelled: CancellationToken::new(),
        blobs,
    }
}

pub(super) fn workspace(files: &[(&str, &str)]) -> (Workspace, Blobs) {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.insert(TreePath::new(*path).unwrap(), Entry::file(*text))
            .unwrap();
    }
    let bytes = tree.encode();
    let id = TreeId::new(Digest::of(&bytes));
    (
        Workspace {
            id,
            tree: Arc::new(tree),
        },
        std::iter::once(bytes).collect(),
    )
}

pub(super) fn forge(dir: &std::path::Path) -> LocalForge {
    let place = Place::open(dir.join("git")).unwrap();
    LocalForge::new(
        place,
        "http://127.0.0.1:8484",
        Git::new(std::env::var_os("PATH").unwrap()),
    )
}

/// The input as `run` gets it: what was asked and what the plan pinned.
pub(super) fn filled(input: &Value, plan: &StepPlan) -> Value {
    let mut input = input.clone();
    for (name, value) in &plan.pinned {
        input[name] = value.clone();
    }
    input
}

pub(super) fn known(input: &Value) -> PlannedValue {
    PlannedValue::known(input.clone())
}

pub(super) fn done(outcome: Outcome) -> Done {
    match outcome {
        Outcome::Done(done) => done,
        Outcome::Wait { until, what } => panic!("waits until {until} for {what}"),
    }
}
