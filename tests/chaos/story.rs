//! The story: somebody asks, somebody approves, and meanwhile a replica dies.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use super::company::{Company, REPLICAS};
use super::evidence::{self, Attempts};

/// How deliveries reach the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Http,
    Socket,
}

const APPROVE: &str = "request.approve";
const DONE: &str = "*Done*";

/// A kill comes so long after somebody begins to ask, at most: a whole request without one takes about half a second.
const MOMENTS_MS: u64 = 1000;

/// A card that people wait for stands right after at most so long, whoever dies.
const RIGHT_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// What was seen of one request.
#[derive(Debug)]
struct Seen {
    /// From the form, or the kill if that came later, to the card that waits for approval.
    first: TimeDelta,
    /// From the press, or the kill if that came later, to the card that says Done.
    done: TimeDelta,
}

/// Lets so many requests through, each with a kill, and looks at what is left of it.
pub async fn told(way: Way, requests: usize, seed: u64) {
    let company = Company::open(way).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen = Vec::new();
    for n in 0..requests {
        let name = format!("service-{n}");
        let after = Duration::from_millis(random.random_range(0..MOMENTS_MS));
        let which = random.random_range(0..REPLICAS);
        seen.push(one(&company, way, &name, (after, which)).await);
        company.ready().await;
    }
    let attempts = evidence::check(&company, requests).await;
    figures(way, &seen, &attempts);
    for (n, seen) in seen.iter().enumerate() {
        assert!(
            seen.first <= RIGHT_WITHIN && seen.done <= RIGHT_WITHIN,
            "service-{n}: {seen:?}"
        );
    }
}

/// One request, and the kill.
async fn one(company: &Company, way: Way, name: &str, kill: (Duration, usize)) -> Seen {
    let (after, which) = kill;
    let people = async {
        company.ask("priya", name).await;
        let asked = Utc::now();
        let card = card(company, name, APPROVE).await;
        company.press("alex", &card, APPROVE).await;
        let pressed = Utc::now();
        self::card(company, name, DONE).await;
        (asked, pressed, card)
    };
    let killer = async {
        tokio::time::sleep(after).await;
        company.kill(which, way);
        Utc::now()
    };
    let ((asked, pressed, card), killed) = tokio::join!(people, killer);
    // From what delayed a card: the act that it tells of, or the kill if that came between the two.
    let late = |act: DateTime<Utc>, right: DateTime<Utc>| {
        let since = if killed < right { act.max(killed) } else { act };
        right - since
    };
    let (first, done) = (
        shown(company, &card, APPROVE).await,
        shown(company, &card, DONE).await,
    );
    Seen {
        first: late(asked, first),
        done: late(pressed, done),
    }
}

/// Waits until the root card of a request says this.
async fn card(company: &Company, name: &str, says: &str) -> Value {
    let what = format!("{says} on the card of {name}");
    company
        .until(&what, async || {
            let cards = company.cards().await;
            cards.into_iter().find(|card| {
                evidence::is_about(card, name) && card["blocks"].to_string().contains(says)
            })
        })
        .await
}

/// When a card first said this, as the workspace wrote it down.
async fn shown(company: &Company, card: &Value, says: &str) -> DateTime<Utc> {
    let about = |part: &str| card[part].as_str().unwrap().to_owned();
    let behind = company
        .see(&format!(
            "behind?channel={}&ts={}",
            about("channel"),
            about("ts")
        ))
        .await;
    let calls = behind["calls"].as_array().unwrap();
    let call = calls
        .iter()
        .find(|call| call["answer"]["error"].is_null() && call["args"].to_string().contains(says));
    serde_json::from_value(call.unwrap()["at"].clone()).unwrap()
}

/// Prints what docs/performance.md keeps.
#[expect(
    clippy::print_stdout,
    reason = "whoever runs the long story reads them"
)]
fn figures(way: Way, seen: &[Seen], attempts: &Attempts) {
    let row = |what: &str, of: fn(&Seen) -> TimeDelta| {
        let mut times: Vec<i64> = seen
            .iter()
            .map(|seen| of(seen).num_milliseconds())
            .collect();
        times.sort_unstable();
        let p95 = times[(times.len() * 95).div_ceil(100) - 1];
        println!(
            "{way:?}: {what}: p95 {p95} ms, worst {} ms",
            times[times.len() - 1]
        );
    };
    row("first card right", |seen| seen.first);
    row("done", |seen| seen.done);
    println!("{way:?}: {} requests, {attempts:?}", seen.len());
}
