//! Planning: the steps of a request plan one after another, without side effects; `app` keeps what came of it.

use crate::app::job::PlanJob;
use crate::app::plan::{self, PlanWork, Planned, Stored};
use crate::domain::step::PlanError;
use crate::steps::Order;

use super::Bench;

/// Makes the plan of a request.
pub(super) async fn plan(bench: &Bench, job: PlanJob) -> anyhow::Result<()> {
    let Some(work) = plan::take(&bench.app, job.request).await? else {
        return Ok(());
    };
    let result = make(bench, &work).await;
    match plan::store(&bench.app, &work, result).await? {
        Stored::Outdated => {
            tracing::info!(request = %job.request, "A plan came too late and was dropped");
        }
        Stored::Waits(_) | Stored::Runs(_) | Stored::Ended | Stored::Again => {}
    }
    Ok(())
}

/// Lets the steps plan.
pub(super) async fn make(bench: &Bench, work: &PlanWork) -> Result<Planned, PlanError> {
    let order = Order {
        request: work.request,
        number: work.number,
        requester: &work.requester,
        github: work.github.as_ref(),
        asked_at: work.asked_at,
        template: work.template.as_ref(),
        drafts: &work.drafts,
    };
    let planned = bench.registry.plan(&order).await?;
    Ok(Planned {
        plan: planned.plan,
        blobs: planned.blobs,
    })
}
