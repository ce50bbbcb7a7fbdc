//! How long to wait before the next attempt to reach a platform.

use std::time::Duration;

use rand::RngExt as _;

/// The first wait, doubled with each failure up to the longest. Half of it is left to chance, so that replicas don't come
/// back together.
pub(super) fn wait((first, longest): (Duration, Duration), failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let whole = first.saturating_mul(doubled).min(longest);
    whole.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_vanish() {
        let waits = (Duration::from_secs(1), Duration::from_secs(30));
        for (failures, whole) in [(1, 1), (2, 2), (3, 4), (6, 30), (7, 30), (u32::MAX, 30)] {
            let whole = Duration::from_secs(whole);
            for _ in 0..100 {
                let wait = wait(waits, failures);
                assert!(wait >= whole / 2 && wait <= whole, "{failures}: {wait:?}");
            }
        }
    }
}
