//! Rates that the other side of an action refuses, obeyed by all replicas: while its limit is closed no step of it is
//! handed out and nothing that it belongs to is planned, in whichever chat it was asked for.

use chrono::{DateTime, TimeDelta, Utc};

use super::App;
use crate::catalog::flow::StepDraft;
use crate::domain::id::InstallationId;
use crate::store::{self, Conn};

/// For how long what the other side puts off itself ("come back in 60 s", "502") spends no tries: two windows of an
/// hourly limit. People see what it waits for meanwhile, and can cancel.
const PUT_OFF: TimeDelta = TimeDelta::hours(2);

/// Whether an error spends a try. `since`: when the run or request came into its state.
pub(super) fn spends(after: Option<TimeDelta>, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    after.is_none() || now - since >= PUT_OFF
}

/// Of these actions those that share a limit with others: where planning is refused, it is theirs.
pub(super) fn sharing<'a>(app: &'a App, drafts: &'a [StepDraft]) -> impl Iterator<Item = &'a str> {
    let known = app.library.actions();
    let shares = |name: &&str| {
        known
            .iter()
            .any(|spec| spec.name == *name && spec.limit.is_some())
    };
    drafts.iter().map(|draft| &*draft.action).filter(shares)
}

/// Closes what these actions share until then. `installation` is where it was found out; it counts everywhere.
pub(super) async fn close<'a>(
    app: &App,
    conn: &mut Conn,
    installation: InstallationId,
    actions: impl IntoIterator<Item = &'a str>,
    until: DateTime<Utc>,
) -> store::Result<()> {
    for bucket in buckets(app, actions) {
        store::rate_limit::close(conn, installation, &bucket, until).await?;
    }
    Ok(())
}

/// Until when one of these actions is refused, if any is.
pub(super) async fn closed_until<'a>(
    app: &App,
    conn: &mut Conn,
    actions: impl IntoIterator<Item = &'a str>,
    now: DateTime<Utc>,
) -> store::Result<Option<DateTime<Utc>>> {
    let buckets = buckets(app, actions);
    store::rate_limit::closed_until(conn, &buckets, now).await
}

/// The buckets of some actions, each once; of an action that is not known any more, none.
fn buckets<'a>(app: &App, actions: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let known = app.library.actions();
    let mut buckets: Vec<String> = actions
        .into_iter()
        .filter_map(|name| known.iter().find(|spec| spec.name == name))
        .map(|spec| format!("step:{}", spec.limit()))
        .collect();
    buckets.sort();
    buckets.dedup();
    buckets
}
