//! Posts to `response_url`s: addresses that came with a delivery, so they are looked at before anything goes there.
//!
//! Slack takes five posts within 30 minutes on each (docs.slack.dev, handling user interaction); a sixth is not tried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::SlackError;

/// Where Slack's own addresses point.
const SLACK_HOST: &str = "hooks.slack.com";
/// Posts that one address takes.
const POSTS: u8 = 5;
/// How long it takes them.
const LIFE: Duration = Duration::from_mins(30);
/// How often addresses that are over are forgotten: looking through all of them at each post would cost a busy card more
/// than the posts.
const SWEEP: Duration = Duration::from_mins(1);

/// Posts to `response_url`s.
#[derive(Debug)]
pub struct ResponseUrls {
    http: reqwest::Client,
    allowed: Allowed,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// When an address was first used, and how often since; by its hash, the address is a secret.
    addresses: HashMap<[u8; 32], (Instant, u8)>,
    swept: Option<Instant>,
}

#[derive(Debug)]
enum Allowed {
    Slack,
    /// A simulator: the host of `SLACK_API_URL`.
    Host(Host<String>),
}

impl ResponseUrls {
    pub(super) fn new(api_url: &str, http: reqwest::Client) -> anyhow::Result<Self> {
        let api = Url::parse(api_url)?;
        let host = api
            .host()
            .ok_or_else(|| anyhow::anyhow!("SLACK_API_URL names no host"))?
            .to_owned();
        let ours = |domain: &str| domain == "slack.com" || domain.ends_with(".slack.com");
        let allowed = match &host {
            Host::Domain(domain) if ours(domain) => Allowed::Slack,
            _ => Allowed::Host(host),
        };
        Ok(Self {
            http,
            allowed,
            used: Mutex::default(),
        })
    }

    /// Posts a message. What isn't Slack's address is refused before anything is sent.
    pub async fn post(&self, address: &str, message: &Value) -> Result<(), SlackError> {
        let url = self.checked(address)?;
        self.count(address, Instant::now())?;
        let answer = self
            .http
            .post(url)
            .json(message)
            .send()
            .await
            .map_err(|error| {
                let unreachable = error.is_connect();
                let cause = error.without_url().to_string();
                if unreachable {
                    SlackError::Unreachable { cause }
                } else {
                    SlackError::Lost { cause }
                }
            })?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            429 => Err(SlackError::Limited {
                after: retry_after(answer.headers()),
            }),
            500..=599 => Err(SlackError::Lost {
                cause: format!("HTTP {}", answer.status()),
            }),
            _ => Err(SlackError::Refused {
                code: format!("response_url: HTTP {}", answer.status()),
            }),
        }
    }

    fn checked(&self, address: &str) -> Result<Url, SlackError> {
        let refused = || SlackError::Refused {
            code: "response_url: not Slack's address".to_owned(),
        };
        let url = Url::parse(address).map_err(|_| refused())?;
        let good = match &self.allowed {
            Allowed::Slack => {
                url.scheme() == "https"
                    && url.host_str() == Some(SLACK_HOST)
                    && url.port().is_none()
            }
            Allowed::Host(host) => {
                matches!(url.scheme(), "http" | "https")
                    && url.host().is_some_and(|h| h.to_owned() == *host)
            }
        };
        if good && url.username().is_empty() && url.password().is_none() {
            Ok(url)
        } else {
            Err(refused())
        }
    }

    fn count(&self, address: &str, now: Instant) -> Result<(), SlackError> {
        let over = |first: Instant| now.duration_since(first) >= LIFE;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(*used.swept.get_or_insert(now)) >= SWEEP {
            used.addresses.retain(|_, (first, _)| !over(*first));
            used.swept = Some(now);
        }
        let (first, posts) = used
            .addresses
            .entry(Sha256::digest(address).into())
            .or_insert((now, 0));
        if over(*first) {
            (*first, *posts) = (now, 0);
        }
        if *posts >= POSTS {
            return Err(SlackError::Refused {
                code: "response_url: used up".to_owned(),
            });
        }
        *posts += 1;
        Ok(())
    }
}

/// How long Slack asks to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(api_url: &str) -> ResponseUrls {
        crate::clients::install_crypto_provider();
        ResponseUrls::new(api_url, reqwest::Client::new()).unwrap()
    }

    #[test]
    fn only_slacks_own_addresses_are_posted_to() {
        let slack = urls(super::super::API_URL);
        assert!(
            slack
                .checked("https://hooks.slack.com/commands/T1/2/x")
                .is_ok()
        );
        for other in [
            "http://hooks.slack.com/commands/T1/2/x",
            "https://hooks.slack.com.evil.dev/x",
            "https://hooks.slack.com@evil.dev/x",
            "https://me:secret@hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "x",
        ] {
            assert!(slack.checked(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_simulator_is_trusted_with_its_own_host_alone() {
        let local = urls("http://127.0.0.1:9000/api");
        assert!(local.checked("http://127.0.0.1:9000/hooks/x").is_ok());
        assert!(local.checked("http://127.0.0.2:9000/hooks/x").is_err());
        assert!(local.checked("https://hooks.slack.com/x").is_err());
    }

    #[test]
    fn five_posts_in_thirty_minutes() {
        let urls = urls("http://127.0.0.1:9000/api");
        let now = Instant::now();
        for _ in 0..5 {
            urls.count("http://127.0.0.1:9000/a", now).unwrap();
        }
        assert!(urls.count("http://127.0.0.1:9000/a", now).is_err());
        urls.count("http://127.0.0.1:9000/b", now).unwrap();
        urls.count("http://127.0.0.1:9000/a", now + LIFE).unwrap();
        let kept = urls.used.lock().unwrap().addresses.len();
        assert_eq!(kept, 1, "what is over is forgotten");
    }
}
