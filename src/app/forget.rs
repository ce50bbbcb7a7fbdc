//! Forgetting: what the operator wants kept for a while only (`[retention]`), in small batches.
//!
//! Requests, plans, votes, runs and evidence are kept for ever; deliveries, drafts, codes and the bookkeeping of messages
//! are not. What stands on the platform stays there: a press on such a card is answered from the request itself.

use chrono::TimeDelta;

use super::App;
use crate::store;

/// How often old rows are looked for.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// Rows of a kind that one transaction removes: few, so that nothing waits for it.
const BATCH: i64 = 500;

/// Removes a batch of what is too old, once an hour, and at each tick while there is more.
pub(super) async fn old(app: &App) -> anyhow::Result<()> {
    let limits = app.settings.current().limits;
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if !store::timer::take_turn(&mut tx, "forget", now - EVERY, now).await? {
        return Ok(());
    }
    let drafts = now - TimeDelta::hours(limits.draft_hours.into());
    let deliveries = now - TimeDelta::days(limits.delivery_days.into());
    let messages = now - TimeDelta::days(limits.message_days.into());
    let gone = [
        store::draft::forget(&mut tx, drafts, BATCH).await?,
        store::inbox::forget(&mut tx, deliveries, BATCH).await?,
        store::thread::forget(&mut tx, messages, BATCH).await?,
        store::thread::forget_direct(&mut tx, messages, BATCH).await?,
        store::link::chat::forget(&mut tx, messages, BATCH).await?,
        store::link::github::forget(&mut tx, messages, BATCH).await?,
    ];
    store::rate_limit::forget_open(&mut tx, now).await?;
    store::login::forget(&mut tx, now).await?;
    if gone.iter().any(|gone| *gone >= BATCH.unsigned_abs()) {
        store::timer::end_turn(&mut tx, "forget").await?;
    }
    tx.commit().await?;
    Ok(())
}
