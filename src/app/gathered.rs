//! What many leave, worked off by one task at a time: all that comes while it is at work is taken together next.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What waits, and whether somebody works it off.
#[derive(Debug)]
pub(super) struct Gathered<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    waiting: Vec<T>,
    at_work: bool,
}

/// The one who works it off. However it ends, what is left afterwards finds another one.
pub(super) struct Worker<T> {
    of: Arc<Gathered<T>>,
    /// Whether it said so already.
    done: bool,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: Vec::new(),
            at_work: false,
        }))
    }
}

impl<T> Gathered<T> {
    /// Leaves one; gives who works it off, unless somebody does already. Whoever is given is to be spawned.
    pub(super) fn leave(self: &Arc<Self>, one: T) -> Option<Worker<T>> {
        let mut state = self.state();
        state.waiting.push(one);
        let works = !mem::replace(&mut state.at_work, true);
        works.then(|| Worker {
            of: Arc::clone(self),
            done: false,
        })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Worker<T> {
    /// All that waits; with nothing it is done.
    pub(super) fn next(&mut self) -> Option<Vec<T>> {
        let mut state = self.of.state();
        if state.waiting.is_empty() {
            state.at_work = false;
            self.done = true;
            return None;
        }
        Some(mem::take(&mut state.waiting))
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.of.state();
            state.at_work = false;
            // Nobody would take these before another one is left.
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_takes_all_that_came_meanwhile() {
        let gathered = Arc::new(Gathered::default());
        let mut worker = gathered.leave(1).unwrap();
        assert!(gathered.leave(2).is_none());
        assert_eq!(worker.next(), Some(vec![1, 2]));
        assert!(gathered.leave(3).is_none(), "it is at work still");
        assert_eq!(worker.next(), Some(vec![3]));
        assert_eq!(worker.next(), None);
        let mut next = gathered.leave(4).unwrap();
        drop(worker);
        assert!(gathered.leave(5).is_none(), "its end is not the next one's");
        assert_eq!(next.next(), Some(vec![4, 5]));
    }

    #[test]
    fn one_that_dies_leaves_nothing_that_nobody_takes() {
        let gathered = Arc::new(Gathered::default());
        let worker = gathered.leave(1).unwrap();
        drop(worker);
        let mut next = gathered.leave(2).unwrap();
        assert_eq!(next.next(), Some(vec![2]));
    }
}
