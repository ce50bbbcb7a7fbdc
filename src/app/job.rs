//! The queue's jobs as `worker` sees them, and the nets under the queue.

pub use crate::store::queue::{Held, LinkJob, LookupJob, PlanJob, StepJob, TwinJob};

use super::App;
use crate::domain::id::RunId;
use crate::store::{self, queue};

/// What the nets caught: nothing, as long as every transition keeps its job in its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caught {
    /// Named queues that were freed.
    pub freed: u64,
    /// Runs that should move but have no job.
    pub stranded: Vec<RunId>,
}

/// Frees stuck queues and finds runs without a job. Every 30 s, by any replica; whatever it finds is worth an alert.
pub async fn guard(app: &App) -> store::Result<Caught> {
    let mut tx = store::begin(&app.pool).await?;
    let freed = queue::free_stuck_queues(&mut tx).await?;
    tx.commit().await?;
    let mut conn = app.pool.acquire().await?;
    let stranded = queue::runs_without_job(&mut conn).await?;
    Ok(Caught { freed, stranded })
}
