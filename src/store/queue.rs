//! The queue's jobs inside our own transactions: enqueue, finish, hurry, and the nets under it.
//!
//! The queue ends a job in a second statement that checks no ownership; a paused process would delete what its
//! successor is running. So a job ends here, fenced by its holder, in the transaction that also keeps its result and
//! enqueues what comes next. The queries are not checked at compile time because the schema is the queue's own (version
//! pinned in `Cargo.toml`, installed before our migrations); a test fails when its columns change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Conn, Json, Result};
use crate::domain::id::{AccountId, InstallationId, LinkId, RequestId, RunId};
use crate::domain::run::Direction;

/// Make the plan of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanJob {
    /// Whose plan.
    pub request: RequestId,
}

/// Do, or undo, one step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepJob {
    /// Which run.
    pub run: RunId,
    /// Which step of it, from 0.
    pub seq: i32,
    /// Which way.
    pub direction: Direction,
    /// The generation that it was enqueued for; a job of an earlier one does nothing.
    pub generation: i32,
}

/// Look up an account that was seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupJob {
    /// Which.
    pub account: AccountId,
}

impl PlanJob {
    /// The queue's word for this kind of job.
    pub const IDENTIFIER: &'static str = "idp.plan";

    /// One job a request, however often it is asked for.
    pub(super) fn key(request: RequestId) -> String {
        format!("plan:{request}")
    }
}

impl StepJob {
    /// The queue's word for this kind of job.
    pub const IDENTIFIER: &'static str = "idp.step";

    /// One job a step and direction and generation, however often it is asked for.
    fn key(&self) -> String {
        let Self {
            run,
            seq,
            direction,
            generation,
        } = self;
        format!("run:{run}:{generation}:{direction}:{seq}")
    }
}

impl LookupJob {
    /// The queue's word for this kind of job.
    pub const IDENTIFIER: &'static str = "idp.lookup";
}

/// Delete a card that was posted twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinJob {
    /// Whose.
    pub installation: InstallationId,
    /// In which channel, as the platform names it.
    pub channel: String,
    /// Its id there.
    pub message: String,
}

impl TwinJob {
    /// The queue's word for this kind of job.
    pub const IDENTIFIER: &'static str = "idp.twin";
}

/// Ask GitHub for a code that links an account, or look whether it was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkJob {
    /// Which.
    pub link: LinkId,
}

impl LinkJob {
    /// The queue's word for this kind of job.
    pub const IDENTIFIER: &'static str = "idp.link";
}

/// A job as held by a worker of the queue: what its end is fenced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The job's id.
    pub job: i64,
    /// The worker that holds it.
    pub worker: String,
    /// The named queue that it stands in.
    pub queue: Option<i32>,
}

/// Enqueues the making of a request's plan.
pub async fn enqueue_plan(
    conn: &mut Conn,
    request: RequestId,
    not_before: Option<DateTime<Utc>>,
) -> Result<()> {
    add(
        conn,
        PlanJob::IDENTIFIER,
        &PlanJob { request },
        &PlanJob::key(request),
        not_before,
    )
    .await
}

/// Enqueues one step.
pub async fn enqueue_step(
    conn: &mut Conn,
    job: &StepJob,
    not_before: Option<DateTime<Utc>>,
) -> Result<()> {
    add(conn, StepJob::IDENTIFIER, job, &job.key(), not_before).await
}

/// Enqueues the look-up of an account; one that waits already serves.
pub async fn enqueue_lookup(conn: &mut Conn, account: AccountId) -> Result<()> {
    let key = format!("lookup:{account}");
    add(
        conn,
        LookupJob::IDENTIFIER,
        &LookupJob { account },
        &key,
        None,
    )
    .await
}

/// Enqueues the deletion of a twin; one that waits already serves.
pub async fn enqueue_twin(conn: &mut Conn, job: &TwinJob) -> Result<()> {
    let TwinJob {
        installation,
        channel,
        message,
    } = job;
    let key = format!("twin:{installation}:{channel}:{message}");
    add(conn, TwinJob::IDENTIFIER, job, &key, None).await
}

/// Enqueues the next look at a code.
pub async fn enqueue_link(
    conn: &mut Conn,
    link: LinkId,
    not_before: Option<DateTime<Utc>>,
) -> Result<()> {
    let key = format!("link:{link}");
    add(
        conn,
        LinkJob::IDENTIFIER,
        &LinkJob { link },
        &key,
        not_before,
    )
    .await
}

/// Tries of one job before the queue gives it up. Only trouble of our own database counts here (what a step meets is
/// journaled and decided by us), and with the queue's backoff these last for days.
pub(super) const MAX_ATTEMPTS: i32 = 25;

/// The queue's clock is the database's own, so a moment of ours (which tests may shift) goes in as a distance from the
/// very moment of this statement, rounded up: a job never comes before its time.
async fn add(
    conn: &mut Conn,
    identifier: &str,
    payload: &(impl Serialize + Sync),
    key: &str,
    not_before: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(
        "select 1 from graphile_worker.add_job(
            identifier => $1, payload => $2::jsonb::json, job_key => $3, max_attempts => $4,
            run_at => greatest(now(), clock_timestamp() + ($5 - idp_now()) + interval '1 millisecond'))",
    )
    .bind(identifier)
    .bind(Json(payload))
    .bind(key)
    .bind(MAX_ATTEMPTS)
    .bind(not_before)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a step's job that this worker holds and frees its named queue, inside the caller's transaction.
///
/// Gives the transaction's moment. `None`: the worker lost it meanwhile. Then the transaction must be rolled back and the
/// handler must fail: whoever holds the job now does the work. The step belongs to the fence, since a worker that was
/// believed dead may take up its own job once more, and of its two handlers the first to end may have gone on with it.
pub async fn finish(conn: &mut Conn, held: &Held, job: &StepJob) -> Result<Option<DateTime<Utc>>> {
    let gone = sqlx::query_scalar(
        "delete from graphile_worker._private_jobs
         where id = $1 and locked_by = $2 and key = $3 returning idp_now()",
    )
    .bind(held.job)
    .bind(&held.worker)
    .bind(job.key())
    .fetch_optional(&mut *conn)
    .await?;
    if let (Some(_), Some(queue)) = (gone, held.queue) {
        sqlx::query(
            "update graphile_worker._private_job_queues set locked_by = null, locked_at = null
             where id = $1 and locked_by = $2",
        )
        .bind(queue)
        .bind(&held.worker)
        .execute(conn)
        .await?;
    }
    Ok(gone)
}

/// Makes a step's job that this worker holds into that of the next step of the same run, still held, inside the caller's
/// transaction: what follows at once needs no way through the queue. Gives the transaction's moment. `None`: the worker
/// lost the job meanwhile, as with [`finish`].
pub async fn go_on(
    conn: &mut Conn,
    held: &Held,
    (job, next): (&StepJob, &StepJob),
) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(
        "update graphile_worker._private_jobs
         set payload = $4::jsonb::json, key = $5, attempts = 1, locked_at = now(), run_at = now(), updated_at = now(),
             last_error = null
         where id = $1 and locked_by = $2 and key = $3
         returning idp_now()",
    )
    .bind(held.job)
    .bind(&held.worker)
    .bind(job.key())
    .bind(Json(next))
    .bind(next.key())
    .fetch_optional(conn)
    .await
}

/// The transaction's moment, if this worker still holds the step's job: asked before work begins, since a resumed process
/// may have lost it. Whoever is taking it away at this very moment is waited for.
pub async fn holds(conn: &mut Conn, held: &Held, job: &StepJob) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(
        "select idp_now() from graphile_worker._private_jobs
         where id = $1 and locked_by = $2 and key = $3 for update",
    )
    .bind(held.job)
    .bind(&held.worker)
    .bind(job.key())
    .fetch_optional(conn)
    .await
}

/// Makes the waiting job of a run due now (a cancel during a long wait). A job at work is left alone.
pub async fn hurry_run(conn: &mut Conn, run: RunId) -> Result<()> {
    sqlx::query(
        "update graphile_worker._private_jobs set run_at = now()
         where starts_with(key, $1) and locked_at is null and run_at > now()",
    )
    .bind(format!("run:{run}:"))
    .execute(conn)
    .await?;
    Ok(())
}

/// Frees named queues that no job holds any more (a net: with [`finish`] none should be left). Gives their number.
pub async fn free_stuck_queues(conn: &mut Conn) -> Result<u64> {
    // The first statement takes the locks, so that the second sees what is true under them.
    sqlx::query(
        "select id from graphile_worker._private_job_queues
         where locked_at < now() - interval '30 seconds' order by id for update skip locked",
    )
    .execute(&mut *conn)
    .await?;
    let freed = sqlx::query(
        "update graphile_worker._private_job_queues q set locked_by = null, locked_at = null
         where q.locked_at < now() - interval '30 seconds'
           and not exists (select 1 from graphile_worker._private_jobs j
                           where j.job_queue_id = q.id and j.locked_by = q.locked_by)",
    )
    .execute(conn)
    .await?;
    Ok(freed.rows_affected())
}

/// Runs that should move but have no job: a bug to be told, never repaired in silence.
pub async fn runs_without_job(conn: &mut Conn) -> Result<Vec<RunId>> {
    sqlx::query_scalar(
        "select r.id from run r
         where r.state in ('queued', 'running', 'cancelling', 'undoing')
           and not exists (select 1 from graphile_worker._private_jobs j
                           where starts_with(j.key, 'run:' || r.id || ':') and j.attempts < j.max_attempts)",
    )
    .fetch_all(conn)
    .await
}
