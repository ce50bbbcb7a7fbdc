//! GitHub's limits: so many calls an hour, so much content a minute, and who came back too early.
//!
//! Numbers: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::Answer;

const PRIMARY_PAGE: &str = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api";
const SECONDARY_PAGE: &str = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// What counts, and what was counted.
pub struct Limits {
    /// Calls an hour for an installation or a person.
    pub an_hour: u32,
    /// Content-creating calls a minute, and an hour.
    pub content_a_minute: usize,
    pub content_an_hour: usize,
    /// Points a minute: a read is one, a write five.
    pub points_a_minute: u32,
    /// Calls at the same time.
    pub at_once: usize,
    /// How long a secondary refusal asks to wait, in seconds.
    pub wait: i64,
    /// The status of refusals: GitHub gives 403 or 429.
    pub status: u16,
    /// Calls that were on their way when a refusal left can't know of it: so long, unless the server's clock was moved
    /// on since.
    pub on_their_way: Duration,
    /// Whether a secondary refusal says when to come back.
    pub says_when: bool,
    pub in_flight: usize,
    /// Calls that were refused.
    pub refusals: usize,
    /// Calls that were refused and came back before their time.
    pub too_early: usize,
    buckets: HashMap<String, Bucket>,
    refused: HashMap<(String, String), Refused>,
}

struct Refused {
    at: Instant,
    /// How far the server's clock had been moved by then.
    shift: TimeDelta,
    until: DateTime<Utc>,
}

struct Bucket {
    used: u32,
    reset: DateTime<Utc>,
    writes: VecDeque<DateTime<Utc>>,
    points: VecDeque<(DateTime<Utc>, u32)>,
    blocked_until: Option<DateTime<Utc>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            an_hour: 5_000,
            content_a_minute: 80,
            content_an_hour: 500,
            points_a_minute: 900,
            at_once: 100,
            wait: 60,
            status: 403,
            on_their_way: Duration::from_millis(300),
            says_when: true,
            in_flight: 0,
            refusals: 0,
            too_early: 0,
            buckets: HashMap::new(),
            refused: HashMap::new(),
        }
    }
}

/// One call as the limits see it.
pub struct Asked<'a> {
    /// Whose budget it is.
    pub who: &'a str,
    /// What it is, for those that are repeated.
    pub call: &'a str,
    pub write: bool,
    /// Whether it counts at all (`/rate_limit` doesn't).
    pub counts: bool,
    pub now: DateTime<Utc>,
    /// How far the server's clock was moved.
    pub shift: TimeDelta,
}

/// What the limits say: a refusal, and whether it is one that came back too early.
pub struct Verdict {
    pub refusal: Option<Answer>,
    pub too_early: bool,
}

impl Limits {
    pub fn admit(&mut self, asked: &Asked<'_>) -> Verdict {
        let key = (asked.who.to_owned(), asked.call.to_owned());
        let too_early = self.refused.get(&key).is_some_and(|refused| {
            let knew = refused.shift != asked.shift || refused.at.elapsed() > self.on_their_way;
            knew && asked.now < refused.until
        });
        let refusal = asked.counts.then(|| self.refuse(asked)).flatten();
        self.too_early += usize::from(too_early);
        self.refusals += usize::from(refusal.is_some());
        match &refusal {
            Some((_, until)) => {
                let refused = Refused {
                    at: Instant::now(),
                    shift: asked.shift,
                    until: *until,
                };
                self.refused.insert(key, refused);
            }
            None => {
                self.refused.remove(&key);
            }
        }
        Verdict {
            refusal: refusal.map(|(answer, _)| answer),
            too_early,
        }
    }

    fn refuse(&mut self, asked: &Asked<'_>) -> Option<(Answer, DateTime<Utc>)> {
        let (an_hour, at_once, now) = (self.an_hour, self.at_once, asked.now);
        let (status, wait) = (self.status, self.wait);
        let (minute, hour, points) = (
            self.content_a_minute,
            self.content_an_hour,
            self.points_a_minute,
        );
        let (in_flight, says_when) = (self.in_flight, self.says_when);
        let bucket = self.bucket(asked.who, now);
        if bucket.used >= an_hour {
            let text = format!("API rate limit exceeded for {}.", asked.who);
            return Some((
                Answer::refusal(status, text).documented(PRIMARY_PAGE),
                bucket.reset,
            ));
        }
        bucket.used += 1;
        let cost = if asked.write { 5 } else { 1 };
        bucket.forget(now);
        let spent: u32 = bucket.points.iter().map(|(_, points)| points).sum();
        let since = bucket
            .blocked_until
            .unwrap_or(DateTime::UNIX_EPOCH)
            .max(now - TimeDelta::minutes(1));
        // Who has sat out a refusal begins anew.
        let last_minute = bucket.writes.iter().filter(|at| **at > since);
        let content = asked.write && (last_minute.count() >= minute || bucket.writes.len() >= hour);
        let blocked = bucket
            .blocked_until
            .is_some_and(|until| now < until && asked.write);
        if content || blocked || spent + cost > points || in_flight > at_once {
            let until = match bucket.blocked_until.filter(|until| now < *until) {
                Some(until) => until,
                None => now + TimeDelta::seconds(wait),
            };
            bucket.blocked_until = Some(until);
            let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. \
                        If you reach out to GitHub Support for help, please include the request ID.";
            let answer = Answer::refusal(status, text).documented(SECONDARY_PAGE);
            // In whole seconds, and never too few.
            let seconds = (until - now + TimeDelta::milliseconds(999)).num_seconds();
            let seconds = seconds.max(1).to_string();
            let answer = if says_when {
                answer.with("retry-after", seconds)
            } else {
                answer
            };
            return Some((answer, until));
        }
        bucket.points.push_back((now, cost));
        if asked.write {
            bucket.writes.push_back(now);
        }
        None
    }

    /// `limit, used, remaining, reset` for the headers that every answer carries.
    pub fn standing(&mut self, who: &str, now: DateTime<Utc>) -> [i64; 4] {
        let limit = self.an_hour;
        let bucket = self.bucket(who, now);
        let used = bucket.used.min(limit);
        [
            i64::from(limit),
            i64::from(used),
            i64::from(limit - used),
            bucket.reset.timestamp(),
        ]
    }

    /// An answer that nothing changed costs nothing.
    pub fn refund(&mut self, who: &str, now: DateTime<Utc>) {
        let bucket = self.bucket(who, now);
        bucket.used = bucket.used.saturating_sub(1);
    }

    /// Uses up the hour of whoever this is.
    pub fn exhaust(&mut self, who: &str, now: DateTime<Utc>) {
        let limit = self.an_hour;
        self.bucket(who, now).used = limit;
    }

    fn bucket(&mut self, who: &str, now: DateTime<Utc>) -> &mut Bucket {
        let fresh = || Bucket {
            used: 0,
            reset: now + TimeDelta::hours(1),
            writes: VecDeque::new(),
            points: VecDeque::new(),
            blocked_until: None,
        };
        let bucket = self.buckets.entry(who.to_owned()).or_insert_with(fresh);
        if now >= bucket.reset {
            bucket.used = 0;
            bucket.reset = now + TimeDelta::hours(1);
        }
        bucket
    }
}

impl Bucket {
    fn forget(&mut self, now: DateTime<Utc>) {
        while self
            .writes
            .front()
            .is_some_and(|at| *at <= now - TimeDelta::hours(1))
        {
            self.writes.pop_front();
        }
        while self
            .points
            .front()
            .is_some_and(|(at, _)| *at <= now - TimeDelta::minutes(1))
        {
            self.points.pop_front();
        }
    }
}
