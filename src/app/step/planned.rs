//! The step as it was approved, and what the steps before it brought.

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::super::remembered::Remembered;
use super::StepFailure;
use crate::catalog::expression;
use crate::domain::id::{ApprovalId, RunId};
use crate::domain::plan::PlannedStep;
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn};

/// The steps of approved plans that were read already: what an approval is for never changes. As many as run at a time
/// in one process, and some more.
static READ: Remembered<ApprovalId, Vec<PlannedStep>> = Remembered::new(32);

/// The step as it was approved: out of the very bytes that the approval is for.
pub(super) async fn approved_step(
    conn: &mut Conn,
    run: &Run,
    seq: i32,
) -> Result<PlannedStep, StepFailure> {
    let steps = if let Some(read) = READ.get(&run.approval) {
        read
    } else {
        let bytes = store::run::approved_bytes(conn, run.approval).await?;
        READ.keep(run.approval, read(&bytes, run.id)?)
    };
    let step = usize::try_from(seq).ok().and_then(|at| steps.get(at));
    let step = step.with_context(|| format!("run {} has no step {seq}", run.id))?;
    Ok(step.clone())
}

fn read(bytes: &[u8], run: RunId) -> anyhow::Result<Vec<PlannedStep>> {
    let start = bytes
        .iter()
        .position(|b| *b == 0)
        .context("a kept plan without its kind")?;
    serde_json::from_slice(&bytes[start + 1..])
        .with_context(|| format!("the approved plan of run {run} can't be read"))
}

/// What the steps before this one brought.
pub(super) fn outputs(steps: &[Step], before: i32) -> Map<String, Value> {
    let done = steps.iter().filter(|s| s.seq < before);
    done.filter_map(|s| Some((s.id.clone(), s.output.clone()?)))
        .collect()
}

/// Whether the step runs, now that the outputs before it are known.
pub(super) fn wanted(step: &PlannedStep, outputs: &Map<String, Value>) -> Result<bool, String> {
    let Some(condition) = &step.condition else {
        return Ok(true);
    };
    condition
        .fill(&mut |text| expression::after(text, outputs))
        .map(|value| expression::holds(&value))
        .map_err(|error| format!("Its condition can't be decided: {error}"))
}
