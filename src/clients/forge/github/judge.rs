//! What GitHub's answers mean: one match over everything that it can say, and one from there to what to do about it.
//!
//! Sources: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>,
//! <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::Method;

use super::TITLE;
use super::wire::{Answer, Lost};
use crate::clients::forge::{ForgeError, RepoName};

/// How long to stay away where GitHub refuses a rate and doesn't say for how long: "wait for at least one minute".
const SECONDARY: Duration = Duration::from_mins(1);

/// No longer than this at a time, whatever a clock says: a primary limit is for one hour.
const LONGEST: Duration = Duration::from_hours(1);

/// How long to leave GitHub alone after it failed by itself.
const FAILING: Duration = Duration::from_secs(10);

/// What an answer means, whatever was asked. Closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done, or here it is.
    Fine,
    /// It stands elsewhere now.
    Moved {
        /// The path there, below the API's root.
        path: String,
    },
    /// GitHub doesn't know who we are: the token is wrong, revoked or expired.
    Unauthorised,
    /// The rate is refused.
    Limited {
        /// For how long.
        after: Duration,
    },
    /// We are known and may not.
    Forbidden,
    /// It isn't there, or we may not know that it is.
    Absent,
    /// It contradicts what is there: an empty repository, a simultaneous change.
    Conflict,
    /// What was sent can't be done: a name that exists, a value out of range.
    Invalid,
    /// GitHub failed by itself.
    Failing,
    /// Nothing that GitHub says.
    Odd,
}

/// Judges an answer. `now` is our clock, for where GitHub doesn't say its own.
pub(super) fn verdict(answer: &Answer, now: DateTime<Utc>) -> Verdict {
    match answer.status.as_u16() {
        200..=299 => Verdict::Fine,
        301 | 302 | 307 | 308 => match moved_to(answer) {
            Some(path) => Verdict::Moved { path },
            None => Verdict::Odd,
        },
        401 => Verdict::Unauthorised,
        403 | 429 => match limited(answer, now) {
            Some(after) => Verdict::Limited { after },
            None => Verdict::Forbidden,
        },
        404 | 410 => Verdict::Absent,
        409 => Verdict::Conflict,
        400 | 413 | 415 | 422 => Verdict::Invalid,
        451 => Verdict::Forbidden,
        500..=599 => Verdict::Failing,
        _ => Verdict::Odd,
    }
}

/// How long GitHub refuses the rate, if that is what it refuses.
fn limited(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let number = |name| {
        answer
            .header(name)
            .and_then(|text| text.trim().parse::<u64>().ok())
    };
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds.max(1)).min(LONGEST));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let there = date(answer).unwrap_or(now).timestamp();
        let reset = number("x-ratelimit-reset").and_then(|at| i64::try_from(at).ok());
        let left = reset.and_then(|reset| u64::try_from(reset - there).ok());
        // A second more: the reset is told in whole seconds.
        return Some(left.map_or(SECONDARY, |left| Duration::from_secs(left + 1).min(LONGEST)));
    }
    let said = answer.message().to_ascii_lowercase();
    let of_rate = ["rate limit", "abuse detection", "too many requests"];
    (answer.status.as_u16() == 429 || of_rate.iter().any(|words| said.contains(words)))
        .then_some(SECONDARY)
}

/// GitHub's own time.
pub(super) fn date(answer: &Answer) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(answer.header("date")?).ok()?;
    Some(date.to_utc())
}

/// The path of a redirect's target; never another host, which our credentials are none of the business of.
fn moved_to(answer: &Answer) -> Option<String> {
    let target: http::Uri = answer.header("location")?.parse().ok()?;
    Some(target.path_and_query()?.as_str().to_owned())
}

/// What was asked, for the words about an answer.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) repo: &'a RepoName,
}

impl Asked<'_> {
    fn writes(&self) -> bool {
        *self.method != Method::GET
    }

    /// What to do about a call without an answer.
    pub(super) fn lost(&self, lost: &Lost) -> ForgeError {
        let cause = format!("{} {}: {lost}", self.method, self.path);
        match lost {
            Lost::Broken(_) if self.writes() => ForgeError::Unsure {
                forge: TITLE,
                repo: self.repo.clone(),
                cause,
                after: None,
            },
            Lost::Broken(_) | Lost::NotSent(_) => away(cause),
        }
    }

    /// What to do about an answer that isn't the one hoped for.
    pub(super) fn error(&self, verdict: Verdict, answer: &Answer) -> ForgeError {
        let said = answer.message();
        let cause = format!("{} {}: {} {said}", self.method, self.path, answer.status);
        let refused = |why: String| ForgeError::Refused {
            forge: TITLE,
            why: Some(why),
            cause: cause.clone(),
        };
        match verdict {
            Verdict::Limited { after } => ForgeError::Limited {
                forge: TITLE,
                after,
                cause,
            },
            Verdict::Unauthorised => refused("it doesn't accept idp's token".to_owned()),
            Verdict::Forbidden => match answer.header("x-accepted-github-permissions") {
                Some(needed) if !needed.is_empty() => {
                    refused(format!("{said} (idp lacks {})", permission(needed)))
                }
                _ => refused(said),
            },
            Verdict::Absent => ForgeError::Missing {
                repo: self.repo.clone(),
            },
            Verdict::Moved { path } => refused(format!("{} was renamed (now {path})", self.repo)),
            Verdict::Conflict | Verdict::Invalid => refused(said),
            Verdict::Failing if self.writes() => ForgeError::Unsure {
                forge: TITLE,
                repo: self.repo.clone(),
                cause,
                after: Some(FAILING),
            },
            Verdict::Failing => away(cause),
            Verdict::Fine | Verdict::Odd => refused("its answer makes no sense".to_owned()),
        }
    }
}

/// GitHub's `administration=write; contents=read` as people write it.
fn permission(header: &str) -> String {
    header.trim().replace('=', ": ")
}

/// Nothing was done; all replicas leave GitHub alone for a moment.
pub(super) fn away(cause: String) -> ForgeError {
    ForgeError::Away {
        forge: TITLE,
        cause,
        after: Some(FAILING),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::step::StepError;

    const NOW: i64 = 1_767_225_600;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: Value) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect();
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body,
        }
    }

    fn judge(answer: &Answer) -> Verdict {
        verdict(answer, DateTime::from_timestamp(NOW, 0).unwrap())
    }

    fn step(method: &Method, answer: &Answer) -> StepError {
        let repo = RepoName::new("acme", "x").unwrap();
        let asked = Asked {
            method,
            path: "/p",
            repo: &repo,
        };
        asked.error(judge(answer), answer).into()
    }

    #[test]
    fn a_refused_rate_is_obeyed_for_as_long_as_it_says() {
        let reset = (NOW + 90).to_string();
        for (status, headers, body, seconds) in [
            (403, vec![("retry-after", "7")], json!({}), 7),
            (429, vec![("retry-after", "0")], json!({}), 1),
            (
                403,
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", reset.as_str()),
                ],
                json!({}),
                91,
            ),
            (429, vec![], json!({}), 60),
            (
                403,
                vec![("x-ratelimit-remaining", "12")],
                json!({ "message": "You have exceeded a secondary rate limit." }),
                60,
            ),
            (429, vec![("retry-after", "999999")], json!({}), 3600),
        ] {
            let answer = answer(status, &headers, body);
            assert_eq!(
                judge(&answer),
                Verdict::Limited {
                    after: Duration::from_secs(seconds)
                },
                "{answer:?}"
            );
            let again = step(&Method::POST, &answer);
            assert!(
                matches!(again, StepError::Again { after: Some(_), .. }),
                "{again:?}"
            );
        }
    }

    #[test]
    fn githubs_clock_counts_for_its_own_limits() {
        // Our clock is an hour behind GitHub's: it is GitHub's difference that is waited for.
        let there = DateTime::from_timestamp(NOW + 3600, 0)
            .unwrap()
            .to_rfc2822();
        let reset = (NOW + 3600 + 30).to_string();
        let answer = answer(
            403,
            &[
                ("date", &there),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", &reset),
            ],
            json!({}),
        );
        assert_eq!(
            judge(&answer),
            Verdict::Limited {
                after: Duration::from_secs(31)
            }
        );
    }

    #[test]
    fn a_missing_permission_is_named() {
        let answer = answer(
            403,
            &[
                ("x-accepted-github-permissions", "administration=write"),
                ("x-ratelimit-remaining", "4999"),
            ],
            json!({ "message": "Resource not accessible by integration" }),
        );
        let StepError::Stop { cause } = step(&Method::POST, &answer) else {
            panic!("not stopped");
        };
        assert_eq!(
            cause,
            "GitHub refused: Resource not accessible by integration (idp lacks administration: write)"
        );
    }

    #[test]
    fn a_failing_github_is_a_question_after_a_write_and_a_wait_after_a_read() {
        for status in [500, 502, 503, 504] {
            let answer = answer(status, &[], Value::Null);
            assert!(matches!(
                step(&Method::GET, &answer),
                StepError::Again { .. }
            ));
            for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
                assert!(matches!(step(&method, &answer), StepError::Unknown { .. }));
            }
        }
    }

    #[test]
    fn what_github_says_reaches_people_as_one_bounded_line() {
        let long = "x".repeat(1000);
        let body = json!({ "message": "Validation Failed\n", "errors": [{ "message": long }, "odd", { "code": "custom" }] });
        let said = answer(422, &[], body).message();
        assert!(said.starts_with("Validation Failed : xxx"), "{said}");
        assert_eq!(said.chars().count(), 300);
        assert_eq!(answer(502, &[], Value::Null).message(), "502 Bad Gateway");
    }

    #[test]
    fn every_status_has_its_meaning() {
        let plain = |status| judge(&answer(status, &[], json!({ "message": "no" })));
        assert_eq!(plain(200), Verdict::Fine);
        assert_eq!(plain(401), Verdict::Unauthorised);
        assert_eq!(plain(403), Verdict::Forbidden);
        assert_eq!(plain(404), Verdict::Absent);
        assert_eq!(plain(409), Verdict::Conflict);
        assert_eq!(plain(422), Verdict::Invalid);
        assert_eq!(plain(418), Verdict::Odd);
        assert_eq!(plain(301), Verdict::Odd, "without a place to go to");
        let moved = answer(
            301,
            &[("location", "https://elsewhere.test/repositories/7?x=1")],
            json!({}),
        );
        assert_eq!(
            judge(&moved),
            Verdict::Moved {
                path: "/repositories/7?x=1".to_owned()
            }
        );
    }
}
