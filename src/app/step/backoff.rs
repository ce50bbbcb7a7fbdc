//! How long to wait before the next try, and after how many tries to stop.

use chrono::TimeDelta;

/// Tries of a step whose error says "nothing happened yet": about a minute with the waits between them, long enough
/// for a restart of the other side and short enough that people still look at the card.
pub(super) const MOST_TRIES: i32 = 6;

/// Tries of a step whose effect is unknown: the second one looks first, so a third unknown answer needs a person.
pub(super) const MOST_UNKNOWN: i32 = 3;

/// Starts of a step that never told their end (the process died each time) before it is given up.
pub(super) const MOST_LOST: i64 = 3;

const FIRST_S: i64 = 2;
const LONGEST_S: i64 = 30;

/// The wait after so many tries (from 1): 2 s, 4 s, 8 s, … 30 s, each up to a fifth longer or shorter so that runs
/// which failed together don't come back together. `chance` is between 0 and 1. Where the other side said how long,
/// never shorter than that.
pub(super) fn wait(tries: i32, after: Option<TimeDelta>, chance: f64) -> TimeDelta {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(8);
    let base_ms = (FIRST_S << doublings).min(LONGEST_S) * 1000;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fifth of at most 30,000, rounded to milliseconds"
    )]
    let jitter_ms = ((chance.clamp(0.0, 1.0) - 0.5) * 0.4 * 30_000.0) as i64 * base_ms / 30_000;
    let ours = TimeDelta::milliseconds(base_ms + jitter_ms);
    after.map_or(ours, |theirs| theirs.max(ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_up_to_the_longest() {
        let waits: Vec<i64> = (1..=7)
            .map(|tries| wait(tries, None, 0.5).num_seconds())
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
    }

    proptest! {
        #[test]
        fn stays_within_a_fifth_and_obeys_the_other_side(tries in 1..100i32, chance in 0.0..1.0f64, theirs in 0..600i64) {
            let middle = wait(tries, None, 0.5);
            let ours = wait(tries, None, chance);
            prop_assert!((ours - middle).abs() <= middle / 5);
            let told = wait(tries, Some(TimeDelta::seconds(theirs)), chance);
            prop_assert!(told >= TimeDelta::seconds(theirs) && told >= ours);
        }
    }
}
