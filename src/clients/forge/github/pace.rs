//! Our own pace of writes, so that GitHub needn't refuse any.
//!
//! "No more than 80 content-generating requests per minute and no more than 500 per hour":
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>.
//! Each process keeps it by itself; what several processes together make too many of, GitHub refuses, and the refusal
//! closes the bucket for all of them.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, NotUntil, Quota, RateLimiter};

/// One service's worth of writes at once, then one every 0.86 s: at most 10 + 70 in any minute.
const BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();
const EVERY: Duration = Duration::from_millis(860);

/// At most 200 + 300 in any hour.
const BURST_HOUR: NonZeroU32 = NonZeroU32::new(200).unwrap();
const EVERY_HOUR: Duration = Duration::from_secs(12);

/// Longest wait in place; for a longer one the step is put off, and no worker is held.
const IN_PLACE: Duration = Duration::from_secs(5);

/// The pace of one deployment's writes.
#[derive(Debug)]
pub(super) struct Pace {
    minute: DefaultDirectRateLimiter,
    hour: DefaultDirectRateLimiter,
    clock: DefaultClock,
    refused: Mutex<Option<DateTime<Utc>>>,
}

impl Pace {
    pub(super) fn new() -> Self {
        let limiter = |every, burst| {
            let quota = Quota::with_period(every).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
            RateLimiter::direct(quota.allow_burst(burst))
        };
        Self {
            minute: limiter(EVERY, BURST),
            hour: limiter(EVERY_HOUR, BURST_HOUR),
            clock: DefaultClock::default(),
            refused: Mutex::new(None),
        }
    }

    /// GitHub refused the rate: nothing of this process is asked before then, whichever step it is of.
    pub(super) fn refused(&self, until: DateTime<Utc>) {
        let mut known = self.known();
        *known = (*known).max(Some(until));
    }

    /// For how long the rate is refused still.
    pub(super) fn left_of_refusal(&self, now: DateTime<Utc>) -> Option<Duration> {
        let until = (*self.known())?;
        (until - now).to_std().ok().filter(|left| !left.is_zero())
    }

    fn known(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; `Err`: it would be too long a wait, so long.
    pub(super) async fn turn(&self) -> Result<(), Duration> {
        for limiter in [&self.minute, &self.hour] {
            while let Err(not_yet) = limiter.check() {
                let left = self.left(&not_yet);
                if left > IN_PLACE {
                    return Err(left);
                }
                tokio::time::sleep(left).await;
            }
        }
        Ok(())
    }

    fn left(&self, not_yet: &NotUntil<governor::clock::QuantaInstant>) -> Duration {
        not_yet.wait_time_from(self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_hour_never_sees_more_than_github_allows() {
        let pace = Pace::new();
        let burst = (0..1000).take_while(|_| pace.hour.check().is_ok()).count();
        assert!(burst >= 200, "{burst} at once");
        let left = pace.left(&pace.hour.check().unwrap_err());
        assert!(left > IN_PLACE && left <= EVERY_HOUR, "{left:?}");
        let in_an_hour = u64::from(BURST_HOUR.get()) + 3600 / EVERY_HOUR.as_secs();
        let in_a_minute =
            u64::from(BURST.get()) + 60_000 / u64::try_from(EVERY.as_millis()).unwrap();
        assert!((in_a_minute, in_an_hour) <= (80, 500));
        assert!(
            pace.turn().await.is_err(),
            "so long a wait is not waited for in place"
        );
    }
}
