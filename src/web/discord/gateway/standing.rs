//! What is wrong with the shards, as one part of `/readyz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::PART;
use crate::web::health::Health;

/// A shard's number, and of how many.
pub(super) type Id = (u32, u32);

/// How the shards stand.
pub(super) struct Standing {
    health: Arc<Health>,
    wrong: Mutex<BTreeMap<Id, String>>,
}

impl Standing {
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self {
            health,
            wrong: Mutex::default(),
        }
    }

    /// A shard works, or needs not.
    pub(super) fn works(&self, shard: Id) {
        self.tell(|wrong| drop(wrong.remove(&shard)));
    }

    /// A shard doesn't work, and why.
    pub(super) fn fails(&self, shard: Id, why: &str) {
        self.tell(|wrong| drop(wrong.insert(shard, why.to_owned())));
    }

    fn tell(&self, change: impl FnOnce(&mut BTreeMap<Id, String>)) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wrong);
        match wrong.values().next() {
            None => self.health.works(PART),
            Some(why) => self.health.fails(PART, why.clone()),
        }
    }
}
