//! The step as it was approved, and what the steps before it brought.

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::StepFailure;
use crate::catalog::expression;
use crate::domain::id::RunId;
use crate::domain::plan::PlannedStep;
use crate::store::run::Run;
use crate::store::step::Step;
use crate::store::{self, Conn};

/// The step as it was approved: out of the very bytes that the approval is for.
pub(super) async fn approved_step(
    conn: &mut Conn,
    run: &Run,
    seq: i32,
) -> Result<PlannedStep, StepFailure> {
    let bytes = store::run::approved_bytes(conn, run.approval).await?;
    read_step(&bytes, run.id, seq).map_err(StepFailure::Broken)
}

fn read_step(bytes: &[u8], run: RunId, seq: i32) -> anyhow::Result<PlannedStep> {
    let start = bytes
        .iter()
        .position(|b| *b == 0)
        .context("a kept plan without its kind")?;
    let mut steps: Vec<PlannedStep> = serde_json::from_slice(&bytes[start + 1..])
        .with_context(|| format!("the approved plan of run {run} can't be read"))?;
    let at = usize::try_from(seq)?;
    anyhow::ensure!(at < steps.len(), "run {run} has no step {seq}");
    Ok(steps.swap_remove(at))
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
