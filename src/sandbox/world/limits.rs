//! How often the app may call: a tier per method, and about one message a second per channel.
//!
//! Token buckets on the injected clock. Slack counts "per method per workspace"; its tiers say "N+ per minute" and
//! forgive bursts, so a bucket holds one minute's worth.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Inner;
use crate::sandbox::config::RateLimits;

/// A method's tier: <https://docs.slack.dev/apis/web-api/rate-limits>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// 20+ per minute.
    Two,
    /// 50+ per minute.
    Three,
    /// 100+ per minute.
    Four,
    /// Hundreds per minute: `auth.test`.
    Special,
    /// `chat.postMessage`: about 1 per second per channel, short bursts forgiven, and several hundred a minute in all.
    Posting,
}

/// What a bucket holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Calls at once.
    pub burst: f64,
    /// Calls per second in the long run.
    pub per_second: f64,
}

impl Tier {
    const fn bucket(self) -> Bucket {
        let per_minute = match self {
            Self::Two => 20.0,
            Self::Three => 50.0,
            Self::Four => 100.0,
            Self::Special | Self::Posting => 600.0,
        };
        Bucket {
            burst: per_minute,
            per_second: per_minute / 60.0,
        }
    }
}

/// One post a second per channel, three at once: "short bursts" is all that Slack says about the size.
const CHANNEL: Bucket = Bucket {
    burst: 3.0,
    per_second: 1.0,
};

/// The state of all buckets.
#[derive(Default)]
pub struct Limiter {
    levels: HashMap<String, (f64, DateTime<Utc>)>,
}

impl Limiter {
    /// Takes one from the bucket, or says how long until there is one.
    pub fn take(&mut self, key: &str, bucket: Bucket, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let (level, since) = self.levels.get(key).copied().unwrap_or((bucket.burst, now));
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of a running program fit"
        )]
        let seconds = (now - since).num_milliseconds().max(0) as f64 / 1000.0;
        let level = (level + seconds * bucket.per_second).min(bucket.burst);
        if level < 1.0 {
            self.levels.insert(key.to_owned(), (level, now));
            #[expect(clippy::cast_possible_truncation, reason = "at most a minute")]
            let wait = ((1.0 - level) / bucket.per_second * 1000.0).ceil() as i64;
            return Err(TimeDelta::milliseconds(wait));
        }
        self.levels.insert(key.to_owned(), (level - 1.0, now));
        Ok(())
    }
}

impl Inner {
    /// Counts a call; `Err` says after how many seconds it may be tried again.
    pub(in crate::sandbox) fn admit(
        &mut self,
        method: &str,
        tier: Tier,
        channel: Option<&str>,
    ) -> Result<(), i64> {
        let now = self.now;
        let seconds = |wait: TimeDelta| (wait.num_milliseconds() + 999) / 1000;
        if let Some(until) = self.settings.refuse_until {
            if until > now {
                return Err(seconds(until - now).max(1));
            }
            self.settings.refuse_until = None;
        }
        if self.settings.limits == RateLimits::Off {
            return Ok(());
        }
        if let (Tier::Posting, Some(channel)) = (tier, channel) {
            self.limiter
                .take(&format!("{method} {channel}"), CHANNEL, now)
                .map_err(seconds)?;
        }
        self.limiter
            .take(method, tier.bucket(), now)
            .map_err(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_forgives_a_short_burst_and_then_one_a_second() {
        let mut limiter = Limiter::default();
        let start = DateTime::<Utc>::UNIX_EPOCH;
        for _ in 0..3 {
            assert_eq!(limiter.take("c", CHANNEL, start), Ok(()));
        }
        assert_eq!(
            limiter.take("c", CHANNEL, start),
            Err(TimeDelta::seconds(1))
        );
        let later = start + TimeDelta::seconds(1);
        assert_eq!(limiter.take("c", CHANNEL, later), Ok(()));
        assert_eq!(limiter.take("other", CHANNEL, start), Ok(()));
    }
}
