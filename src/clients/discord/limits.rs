//! How fast we may call, as Discord tells with each answer (docs.discord.com/developers/topics/rate-limits): which bucket
//! a route is in, how many calls are left in it, and when it is full again; and fifty calls a second over everything.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::HeaderMap;
use reqwest::Method;
use serde_json::Value;

/// "All bots can make up to 50 requests per second": a few are left for other replicas.
const ALL: NonZeroU32 = NonZeroU32::new(40).unwrap();
/// Routes that are remembered before those at rest are forgotten.
const REMEMBERED: usize = 4_096;

/// What is known of the rates.
pub(super) struct Limits {
    all: DefaultDirectRateLimiter,
    clock: DefaultClock,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// Nothing goes out before.
    closed: Option<Instant>,
    /// What bucket a route is in.
    buckets: HashMap<Route, String>,
    /// What is left of a bucket, of one channel or guild.
    left: HashMap<(String, String), Left>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    calls: u32,
    full_at: Instant,
}

/// Calls that share a rate as far as one can tell before Discord has: the method and the address with all ids taken out,
/// and the channel or guild, which has rates of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    shape: String,
    major: String,
}

/// The route of a call.
pub(super) fn route(method: &Method, path: &str) -> Route {
    let path = path.split('?').next().unwrap_or_default();
    let is_id = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let major = path.split('/').find(|word| is_id(word));
    let words = path.split('/').map(|w| if is_id(w) { ":id" } else { w });
    Route {
        shape: format!("{method} {}", words.collect::<Vec<_>>().join("/")),
        major: major.unwrap_or_default().to_owned(),
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            all: RateLimiter::direct(Quota::per_second(ALL)),
            clock: DefaultClock::default(),
            told: Mutex::default(),
        }
    }
}

impl Limits {
    /// How long a call of this route has to wait; it counts as made.
    pub(super) fn wait(&self, route: &Route) -> Duration {
        let now = Instant::now();
        let mut told = self.told();
        let mut wait = told.closed.map_or(Duration::ZERO, |at| at - now.min(at));
        let bucket = told.bucket(route);
        if let Some(left) = told.left.get_mut(&bucket).filter(|l| l.full_at > now) {
            if left.calls == 0 {
                wait = wait.max(left.full_at - now);
            }
            left.calls = left.calls.saturating_sub(1);
        }
        drop(told);
        match self.all.check() {
            Ok(()) => wait,
            Err(not) => wait.max(not.wait_time_from(self.clock.now())),
        }
    }

    /// Takes what an answer tells of its bucket.
    pub(super) fn learn(&self, route: &Route, headers: &HeaderMap) {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(bucket), Some(calls), Some(after)) = (
            header("x-ratelimit-bucket"),
            header("x-ratelimit-remaining").and_then(|calls| calls.parse().ok()),
            header("x-ratelimit-reset-after").and_then(seconds),
        ) else {
            return;
        };
        let mut told = self.told();
        let now = Instant::now();
        if told.buckets.len() >= REMEMBERED {
            told.left.retain(|_, left| left.full_at > now);
            told.buckets.clear();
        }
        told.buckets.insert(route.clone(), bucket.to_owned());
        let left = Left {
            calls,
            full_at: now + after,
        };
        told.left
            .insert((bucket.to_owned(), route.major.clone()), left);
    }

    /// Closes a bucket, or everything, for as long as a refusal said.
    pub(super) fn close(&self, route: &Route, headers: &HeaderMap, after: Duration) {
        let until = Instant::now() + after;
        let mut told = self.told();
        if headers.contains_key("x-ratelimit-global") {
            told.closed = Some(until);
            return;
        }
        let bucket = told.bucket(route);
        let left = Left {
            calls: 0,
            full_at: until,
        };
        told.left.insert(bucket, left);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// The bucket of a route: a name of our own until Discord has told its.
    fn bucket(&self, route: &Route) -> (String, String) {
        let name = self.buckets.get(route).unwrap_or(&route.shape);
        (name.clone(), route.major.clone())
    }
}

/// What a refusal says about how long to wait: in the body to the millisecond, in the header in whole seconds.
pub(super) fn retry_after(headers: &HeaderMap, body: &Value) -> Option<Duration> {
    let told = body.get("retry_after").map(ToString::to_string);
    let header = || headers.get("retry-after")?.to_str().ok().map(str::to_owned);
    seconds(&told.or_else(header)?)
}

/// Seconds with a fraction, an hour at most: a mistake on the way shall not close a bucket for ever.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds.clamp(0.0, 3600.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let one =
            |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        all.iter().map(one).collect()
    }

    fn path(path: &str) -> Route {
        route(&Method::POST, path)
    }

    #[test]
    fn a_bucket_is_shared_by_its_routes_and_is_each_channels_own() {
        let limits = Limits::default();
        let (one, other) = (path("/channels/11/messages"), path("/channels/22/messages"));
        let empty = headers(&[
            ("x-ratelimit-bucket", "abcd"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset-after", "60.5"),
        ]);
        limits.learn(&one, &empty);
        assert!(limits.wait(&one) > Duration::from_secs(59));
        assert_eq!(limits.wait(&other), Duration::ZERO);
    }

    #[test]
    fn what_is_left_is_counted_down_before_the_next_answer() {
        let limits = Limits::default();
        let one = path("/channels/11/messages");
        let two_left = headers(&[
            ("x-ratelimit-bucket", "abcd"),
            ("x-ratelimit-remaining", "2"),
            ("x-ratelimit-reset-after", "60"),
        ]);
        limits.learn(&one, &two_left);
        let waits = [(); 3].map(|()| limits.wait(&one) > Duration::ZERO);
        assert_eq!(waits, [false, false, true]);
    }

    #[test]
    fn a_global_refusal_closes_everything_a_shared_one_its_bucket() {
        let limits = Limits::default();
        let (one, other) = (path("/channels/11/messages"), path("/guilds/5/roles"));
        limits.close(&one, &HeaderMap::new(), Duration::from_mins(1));
        assert!(limits.wait(&one) > Duration::ZERO);
        assert_eq!(limits.wait(&other), Duration::ZERO);
        let global = headers(&[("x-ratelimit-global", "true")]);
        limits.close(&one, &global, Duration::from_mins(1));
        assert!(limits.wait(&other) > Duration::ZERO);
    }

    #[test]
    fn the_wait_is_read_from_the_body_else_from_the_header_and_never_for_ever() {
        let header = headers(&[("retry-after", "65")]);
        let after = |body: Value| retry_after(&header, &body);
        assert_eq!(
            after(json!({ "retry_after": 0.25 })),
            Some(Duration::from_millis(250))
        );
        assert_eq!(after(Value::Null), Some(Duration::from_secs(65)));
        assert_eq!(
            after(json!({ "retry_after": 1e30 })),
            Some(Duration::from_hours(1))
        );
        assert_eq!(retry_after(&HeaderMap::new(), &Value::Null), None);
    }
}
