//! What was read once and can never be another: kept at hand, so that it is read and understood once a process.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Values by what names each for good.
pub(super) struct Remembered<K, V> {
    kept: LazyLock<Mutex<HashMap<K, Arc<V>>>>,
    most: usize,
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    /// Of so many at most.
    pub(super) const fn new(most: usize) -> Self {
        Self {
            kept: LazyLock::new(Mutex::default),
            most,
        }
    }

    /// What goes by this name, if it was read before.
    pub(super) fn get(&self, name: &K) -> Option<Arc<V>> {
        self.lock().get(name).cloned()
    }

    /// Keeps what was read. Full, it begins anew: what is still in use is read again once.
    pub(super) fn keep(&self, name: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut kept = self.lock();
        if kept.len() >= self.most {
            kept.clear();
        }
        kept.insert(name, Arc::clone(&value));
        value
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<V>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
