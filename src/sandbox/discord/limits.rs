//! Rate limits (docs.discord.com/developers/topics/rate-limits): a bucket for each route and channel or guild, told with
//! every answer, and fifty calls a second over everything but interactions.
//!
//! Discord publishes no sizes of buckets; these are of the order that it tells at present. An app has to read them.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};

use super::error::Refusal;
use crate::sandbox::{config::RateLimits, world::Inner};

/// "All bots can make up to 50 requests per second to our API."
const A_SECOND: u32 = 50;

/// What is left of a bucket.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Bucket {
    left: u32,
    full_at: DateTime<Utc>,
}

/// Calls of one second.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sandbox) struct Second {
    at: i64,
    calls: u32,
}

/// A route's bucket.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Route {
    /// The method and the path with all ids taken out.
    pub(in crate::sandbox) shape: String,
    /// The channel, guild or webhook, which has rates of its own.
    pub(in crate::sandbox) major: String,
}

impl Route {
    /// Calls in so many seconds.
    fn size(&self) -> (u32, i64) {
        match self.shape.as_str() {
            "POST channels/:id/messages" | "PATCH channels/:id/messages/:id" => (5, 5),
            "DELETE channels/:id/messages/:id" => (5, 1),
            "POST channels/:id/messages/:id/threads" => (50, 300),
            "PUT applications/:id/commands" => (10, 60),
            // Long lists are rarer than other readings.
            shape if shape.starts_with("GET") && shape != "GET guilds/:id/members" => (30, 10),
            _ => (10, 10),
        }
    }

    /// The bucket's name: an opaque hash, as Discord's is.
    fn bucket(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.shape.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// The headers that tell of a bucket.
type Headers = Vec<(&'static str, String)>;

impl Inner {
    /// Takes one call out of its bucket, and out of those of all where it is `global`: the headers of its answer, or the
    /// refusal.
    pub(in crate::sandbox) fn rate(
        &mut self,
        route: &Route,
        global: bool,
    ) -> Result<Headers, Refusal> {
        if global {
            self.rate_all()?;
        }
        if self.settings.limits == RateLimits::Off {
            return Ok(Vec::new());
        }
        let now = self.now;
        let (size, every) = route.size();
        let name = route.bucket();
        let key = (name.clone(), route.major.clone());
        let full = Bucket {
            left: size,
            full_at: now + TimeDelta::seconds(every),
        };
        // One that is full again is none: each interaction has buckets of its own.
        self.live.buckets.retain(|_, own| own.full_at > now);
        let bucket = self.live.buckets.entry(key).or_insert(full);
        if let Some(until) = self.live.refuse_until.filter(|until| *until > now) {
            *bucket = Bucket {
                left: 0,
                full_at: until,
            };
        }
        let empty = bucket.left == 0;
        bucket.left = bucket.left.saturating_sub(1);
        let wait = seconds(bucket.full_at - now);
        let mut headers = vec![
            ("x-ratelimit-limit", size.to_string()),
            ("x-ratelimit-remaining", bucket.left.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", at(bucket.full_at))),
            ("x-ratelimit-reset-after", format!("{wait:.3}")),
            ("x-ratelimit-bucket", name),
        ];
        if empty {
            let mut refusal = Refusal::limited(wait, false);
            refusal.headers.append(&mut headers);
            return Err(refusal);
        }
        Ok(headers)
    }

    /// Takes one call out of the limit over everything. "Interaction endpoints are not bound to the bot's Global Rate
    /// Limit": they never come here.
    fn rate_all(&mut self) -> Result<(), Refusal> {
        let now = self.now;
        if let Some(until) = self.live.refuse_all_until.filter(|until| *until > now) {
            return Err(Refusal::limited(seconds(until - now), true));
        }
        if self.settings.limits == RateLimits::Off {
            return Ok(());
        }
        let second = &mut self.live.second;
        if second.at != now.timestamp() {
            *second = Second {
                at: now.timestamp(),
                calls: 0,
            };
        }
        second.calls += 1;
        if second.calls > A_SECOND {
            return Err(Refusal::limited(1.0, true));
        }
        Ok(())
    }
}

fn seconds(span: TimeDelta) -> f64 {
    let ms = u32::try_from(span.num_milliseconds().max(1)).unwrap_or(u32::MAX);
    f64::from(ms) / 1_000.0
}

/// A moment in seconds.
fn at(moment: DateTime<Utc>) -> f64 {
    let since = seconds(moment - DateTime::UNIX_EPOCH - TimeDelta::seconds(moment.timestamp()));
    let whole = u32::try_from(moment.timestamp()).unwrap_or(u32::MAX);
    f64::from(whole) + since
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::{Levers, SandboxConfig, world::World};

    #[test]
    fn buckets_that_are_full_again_are_dropped() {
        let clock = || DateTime::from_timestamp(1_795_437_840, 0).unwrap();
        let base = "http://127.0.0.1:1/".parse().unwrap();
        let world =
            World::open(SandboxConfig::new(Arc::new(clock)), Levers::default(), base).unwrap();
        let route = |token: u32| Route {
            shape: "POST webhooks/:id/:token".to_owned(),
            major: format!("1/{token}"),
        };
        world.with(|inner| {
            for token in 0..100 {
                inner.rate(&route(token), false).unwrap();
            }
            assert_eq!(inner.live.buckets.len(), 100);
            inner.now += TimeDelta::seconds(11);
            inner.rate(&route(100), false).unwrap();
            assert_eq!(inner.live.buckets.len(), 1);
        });
    }
}
