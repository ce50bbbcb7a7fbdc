//! Wakes senders and the queue's workers, in whatever process, for submissions: after these are written, many at once.
//!
//! Postgres lets transactions that notify commit one after another only (a lock over the whole cluster, held until the
//! commit is on disk), so submissions that notified would all wait for each other. Their word goes out by itself, in a
//! transaction that writes nothing and so waits for no disk. What a crash keeps from being told, the looks of senders and
//! workers find a second later.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::id::InstallationId;
use crate::store::{self, Kept, wake};

/// How long it rests between two words, of which the first goes out at once: whoever is woken looks at everything that is
/// due, so the busier it is the less a submission costs those who wake and are woken.
const REST: Duration = Duration::from_millis(50);

/// Whom to wake. `None`: nobody is about to tell.
#[derive(Debug, Default)]
pub struct Bell(Mutex<Option<BTreeSet<InstallationId>>>);

impl Bell {
    /// Wakes the installation's sender and the queue's workers soon. Not before what they are to find is committed.
    pub(super) fn ring(self: &Arc<Self>, connections: &Arc<Kept>, installation: InstallationId) {
        let mut whom = self.whom();
        if let Some(whom) = &mut *whom {
            whom.insert(installation);
        } else {
            *whom = Some(BTreeSet::from([installation]));
            let teller = Teller {
                bell: Arc::clone(self),
                done: false,
            };
            tokio::spawn(tell(teller, Arc::clone(connections)));
        }
    }

    fn whom(&self) -> MutexGuard<'_, Option<BTreeSet<InstallationId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who tells. However it ends, the next ring begins anew.
struct Teller {
    bell: Arc<Bell>,
    /// Whether it said so already.
    done: bool,
}

impl Teller {
    /// Those who were not told yet; with none it is done.
    fn next(&mut self) -> Option<BTreeSet<InstallationId>> {
        let mut whom = self.bell.whom();
        let next = whom.as_mut().map(mem::take);
        let next = next.filter(|next| !next.is_empty());
        if next.is_none() {
            *whom = None;
            self.done = true;
        }
        next
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if !self.done {
            *self.bell.whom() = None;
        }
    }
}

async fn tell(mut teller: Teller, connections: Arc<Kept>) {
    while let Some(installations) = teller.next() {
        if let Err(error) = told(&connections, &installations).await {
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
