//! Many files at a time: the thousands of small texts of a template are checked and rendered on all processors.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Fewer items are done before a thread has begun.
const WORTH_A_THREAD: usize = 16;
/// Most threads for one list: beyond, the memory is what they wait for.
const THREADS: usize = 8;

/// What `of` makes of each item, in their order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = processors
        .min(THREADS)
        .min(items.len() / WORTH_A_THREAD)
        .max(1);
    let mut shares = items.chunks(items.len().div_ceil(threads).max(1));
    let own = shares.next().unwrap_or_default();
    let all = |share: &[T]| share.iter().map(&of).collect::<Vec<R>>();
    thread::scope(|scope| {
        let all = &all;
        let others: Vec<_> = shares
            .map(|share| scope.spawn(move || all(share)))
            .collect();
        let mut done = all(own);
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_in_its_place() {
        for many in [0, 1, 15, 16, 31, 32, 33, 200, 1001] {
            let items: Vec<usize> = (0..many).collect();
            let doubled: Vec<usize> = items.iter().map(|n| n * 2).collect();
            assert_eq!(map(&items, |n| n * 2), doubled, "{many}");
        }
    }
}
