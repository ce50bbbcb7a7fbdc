//! Wakes senders and the queue's workers, in whatever process, for submissions: after these are written, many at once.
//!
//! Postgres lets transactions that notify commit one after another only (a lock over the whole cluster, held until the
//! commit is on disk), so submissions that notified would all wait for each other. Their word goes out by itself, in a
//! transaction that writes nothing and so waits for no disk. What a crash keeps from being told, the looks of senders and
//! workers find a second later.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::gathered::{Gathered, Worker};
use crate::domain::id::InstallationId;
use crate::store::{self, Kept, wake};

/// How long it rests between two words, of which the first goes out at once: whoever is woken looks at everything that is
/// due, so the busier it is the less a submission costs those who wake and are woken.
const REST: Duration = Duration::from_millis(50);

/// Whom to wake.
#[derive(Debug, Default)]
pub struct Bell(Arc<Gathered<InstallationId>>);

impl Bell {
    /// Wakes the installation's sender and the queue's workers soon. Not before what they are to find is committed.
    pub(super) fn ring(&self, connections: &Arc<Kept>, installation: InstallationId) {
        if let Some(teller) = self.0.leave(installation) {
            tokio::spawn(tell(teller, Arc::clone(connections)));
        }
    }
}

async fn tell(mut teller: Worker<InstallationId>, connections: Arc<Kept>) {
    while let Some(rung) = teller.next() {
        if let Err(error) = told(&connections, &rung.into_iter().collect()).await {
            tracing::warn!(%error, "Nobody could be woken; they look by themselves in a moment");
        }
        tokio::time::sleep(REST).await;
    }
}

async fn told(connections: &Kept, installations: &BTreeSet<InstallationId>) -> store::Result<()> {
    let mut conn = connections.lend().await?;
    wake::tell(&mut conn, installations).await?;
    conn.give_back();
    Ok(())
}
