//! Steps of runs, and the attempts at them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::queue::StepJob;
use super::{Conn, Json, Result};
use crate::domain::id::{RequestId, RunId};
use crate::domain::run::{Direction, StepState};
use crate::domain::step::{Record, TakenBack};

/// One step as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whose it is.
    pub run: RunId,
    /// Its place, from 0.
    pub seq: i32,
    /// Its id in the plan.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Its action.
    pub action: String,
    /// Where it stands.
    pub state: StepState,
    /// The generation in which it came to that.
    pub generation: i32,
    /// Its input as run.
    pub input: Option<Value>,
    /// What it brought.
    pub output: Option<Value>,
    /// What it left in the books.
    pub records: Json<Vec<Record>>,
    /// Why it stopped, or what it waits for.
    pub cause: Option<String>,
    /// What to check when its effect is unknown.
    pub check: Option<String>,
    /// Tries without success in this generation and direction.
    pub tries: i32,
    /// Those of them whose effect was unknown.
    pub unknowns: i32,
    /// What its undoing came to.
    pub taken_back: Option<TakenBack>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it goes on.
    pub wait_until: Option<DateTime<Utc>>,
}

/// All steps of a run, in order.
pub async fn of_run(conn: &mut Conn, run: RunId) -> Result<Vec<Step>> {
    sqlx::query_as!(
        Step,
        r#"select run_id as "run: RunId", seq, id, title, action, state as "state: StepState", generation,
                  input, output, records as "records: Json<Vec<Record>>", cause, "check", tries, unknowns,
                  taken_back as "taken_back: TakenBack", started_at, finished_at, wait_until
           from step where run_id = $1 order by seq"#,
        run as _
    )
    .fetch_all(conn)
    .await
}

/// Keeps what changed of a step; the caller holds its run locked.
pub async fn save(conn: &mut Conn, step: &Step) -> Result<()> {
    sqlx::query!(
        r#"update step set state = $3, generation = $4, input = $5, output = $6, records = $7, cause = $8,
                  "check" = $9, tries = $10, unknowns = $11, taken_back = $12, started_at = $13, finished_at = $14, wait_until = $15
           where run_id = $1 and seq = $2"#,
        step.run as _,
        step.seq,
        step.state as _,
        step.generation,
        step.input,
        step.output,
        &step.records as _,
        step.cause,
        step.check,
        step.tries,
        step.unknowns,
        step.taken_back as _,
        step.started_at,
        step.finished_at,
        step.wait_until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One attempt at a step, as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// The step's id in the plan.
    pub step: String,
    /// Whether the step was to be done or taken back.
    pub direction: Direction,
    /// How often the run had been begun, from 0.
    pub generation: i32,
    /// Its number in this direction and generation, from 1.
    pub attempt: i32,
    /// Which process made it.
    pub worker: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended, or was found to have died.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended: done, wait, again, stop, unknown, `handed_back`, lost (its process died); none: it is under way.
    pub outcome: Option<String>,
    /// Why it ended so.
    pub cause: Option<String>,
}

/// Every attempt at any step of any run of a request, in the order of their beginning.
pub async fn attempts_of(conn: &mut Conn, request: RequestId) -> Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"select a.run_id as "run: RunId", s.id as step, a.direction as "direction: Direction", a.generation, a.attempt,
                  a.worker, a.started_at, a.finished_at, a.outcome, a.cause
           from step_attempt a join step s using (run_id, seq) join run r on r.id = a.run_id
           where r.request_id = $1 order by a.started_at, a.run_id, a.seq, a.attempt"#,
        request as _,
    )
    .fetch_all(conn)
    .await
}

/// Writes that an attempt begins, before any work, and gives its number. Those before it that never told their end are
/// marked as lost: they came to no end that is known, and only who holds the job asks. `None`: so many were lost that it
/// is not begun again.
pub async fn begin_attempt(
    conn: &mut Conn,
    job: &StepJob,
    worker: &str,
    most_lost: i64,
    now: DateTime<Utc>,
) -> Result<Option<i32>> {
    // All three parts see the rows as they were before this statement.
    sqlx::query_scalar!(
        "with before as (
             select coalesce(max(attempt), 0) as last, count(*) filter (where outcome = 'lost' or outcome is null) as lost
             from step_attempt where run_id = $1 and seq = $2 and direction = $3 and generation = $4),
         ended as (
             update step_attempt set outcome = 'lost', finished_at = $5
             where run_id = $1 and seq = $2 and direction = $3 and generation = $4 and outcome is null)
         insert into step_attempt (run_id, seq, direction, generation, attempt, worker, started_at)
         select $1, $2, $3, $4, last + 1, $6, $5 from before where lost < $7
         returning attempt",
        job.run as _,
        job.seq,
        job.direction as _,
        job.generation,
        now,
        worker,
        most_lost,
    )
    .fetch_optional(conn)
    .await
}

/// Writes how an attempt ended.
pub async fn end_attempt(
    conn: &mut Conn,
    job: &StepJob,
    attempt: i32,
    outcome: &str,
    cause: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update step_attempt set outcome = $6, cause = $7, finished_at = $8
         where run_id = $1 and seq = $2 and direction = $3 and generation = $4 and attempt = $5",
        job.run as _,
        job.seq,
        job.direction as _,
        job.generation,
        attempt,
        outcome,
        cause,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
