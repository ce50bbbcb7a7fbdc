//! One call to GitHub's REST API and its answer, carried by octocrab.
//!
//! octocrab's typed calls drop the headers of refusals, where GitHub says how long to wait and which permission is
//! missing, and its retries would repeat a creation; so it carries raw calls without retries and without following
//! redirects, and answers are read leniently: GitHub adds to them.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a call may take. GitHub ends a request itself after 10 seconds:
/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts>.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Most bytes of an answer: a page of a hundred repositories is a few hundred kilobytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The way to one GitHub.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    crab: Octocrab,
}

/// What GitHub answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// `null` where there is none, or none that is JSON (a proxy's page).
    pub(super) body: Value,
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// The connection never stood: GitHub has seen nothing of it.
    #[error("no connection: {0}")]
    NotSent(String),
    /// It was sent, as far as we know.
    #[error("no answer: {0}")]
    Broken(String),
}

impl Wire {
    /// `api_url` is GitHub's REST root. Has to be called on a runtime, which the calls then belong to.
    pub(super) fn new(api_url: &Url) -> Result<Self, octocrab::Error> {
        Self::of(api_url, "application/vnd.github+json")
    }

    /// `git_url` is where people go: what is asked there comes as JSON only where it is asked for as that.
    pub(super) fn web(git_url: &Url) -> Result<Self, octocrab::Error> {
        Self::of(git_url, "application/json")
    }

    fn of(root: &Url, accept: &str) -> Result<Self, octocrab::Error> {
        let crab = Octocrab::builder()
            .base_uri(root.as_str().trim_end_matches('/'))?
            .add_header(HeaderName::from_static("accept"), accept.to_owned())
            .set_connect_timeout(Some(CONNECT))
            .set_read_timeout(Some(TIMEOUT))
            .build()?;
        Ok(Self { crab })
    }

    /// Sends a call and reads its answer, whatever it is.
    pub(super) async fn call(
        &self,
        bearer: &SecretString,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Lost> {
        let before = |error: octocrab::Error| Lost::NotSent(chain(&error));
        let crab = self
            .crab
            .user_access_token(bearer.clone())
            .map_err(before)?;
        send(&crab, method, path, body).await
    }

    /// Posts as nobody in particular.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Lost> {
        send(&self.crab, Method::POST, path, Some(body)).await
    }
}

async fn send(
    crab: &Octocrab,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, Lost> {
    let request = http::Request::builder().method(method).uri(path);
    let request = crab
        .build_request(request, body)
        .map_err(|error| Lost::NotSent(chain(&error)))?;
    match tokio::time::timeout(TIMEOUT, answer(crab, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(Lost::Broken(format!("none for {} s", TIMEOUT.as_secs()))),
    }
}

async fn answer(
    crab: &Octocrab,
    request: http::Request<octocrab::OctoBody>,
) -> Result<Answer, Lost> {
    let response = crab.execute(request).await.map_err(|error| {
        if never_connected(&error) {
            Lost::NotSent(chain(&error))
        } else {
            Lost::Broken(chain(&error))
        }
    })?;
    let (head, body) = response.into_parts();
    let bytes = Limited::new(body, MAX_ANSWER)
        .collect()
        .await
        .map_err(|error| Lost::Broken(error.to_string()))?
        .to_bytes();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    })
}

/// Whether the connection failed to stand, somewhere below octocrab's layers.
fn never_connected(error: &octocrab::Error) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

/// The innermost causes in one line; octocrab's own texts carry backtraces.
fn chain(error: &octocrab::Error) -> String {
    let said: Vec<String> = causes(error)
        .skip(1)
        .map(|cause| {
            cause
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    if said.is_empty() {
        return error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
    }
    said.join(": ")
}

fn causes<'a>(
    error: &'a octocrab::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
        error.source()
    })
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    }

    /// What GitHub says about a refusal, in one bounded line without control characters: its `message`, and what it
    /// says of single fields.
    pub(super) fn message(&self) -> String {
        let mut said = vec![self.body["message"].as_str().unwrap_or_default()];
        let errors = self.body["errors"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        said.extend(
            errors
                .iter()
                .filter_map(|error| error.as_str().or_else(|| error["message"].as_str())),
        );
        said.retain(|text| !text.is_empty());
        let said = said.join(": ");
        let line: String = said
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_MESSAGE)
            .collect();
        if line.trim().is_empty() {
            return self.status.to_string();
        }
        line.trim().to_owned()
    }
}

/// Longest message that is passed on to people.
const MAX_MESSAGE: usize = 300;
