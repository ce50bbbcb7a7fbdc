//! One handler at a time for a job of the queue.
//!
//! A worker that was believed dead and wasn't may take up its own job again, under its own name, while the first handler is
//! at work on it. Neither good nor bad news of the second one would be right then: the queue would delete the row, or let it
//! go, under the first. So the second waits until the first is over, and finds the job gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// The jobs at work in this process.
#[derive(Debug, Clone, Default)]
pub struct Alone(Arc<Mutex<HashMap<i64, Arc<Turn<()>>>>>);

impl Alone {
    /// Waits until no other handler is at work on this job; none is until the guard is dropped.
    pub(super) async fn with(&self, job: i64) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Held or waited for by somebody, or over.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(job).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_handler_of_a_job_waits_for_the_first_and_others_do_not() {
        let alone = Alone::default();
        let first = alone.with(1).await;
        let other = alone.with(2).await;
        let second = tokio::spawn({
            let alone = alone.clone();
            async move { alone.with(1).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        drop(second.await.unwrap());
        drop(other);
        let held = alone.with(3).await;
        assert_eq!(
            alone.0.lock().unwrap().len(),
            1,
            "what is over is forgotten"
        );
        drop(held);
    }
}
