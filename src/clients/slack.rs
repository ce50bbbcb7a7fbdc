//! Slack's Web API, as far as we call it.
//!
//! slack-morphism carries the calls; what it leaves open is done here: a timeout around each, our own look at `ok`
//! (a proxy's page would pass for an empty success), errors that say what to do next, and no rate control: its buckets
//! are wrong for many channels, and pacing is the sender's. Answers are read leniently, since Slack adds to them.

mod calls;
mod error;
mod links;
mod people;

pub use calls::{Auth, Message, Post};
pub use error::SlackError;
pub use links::ResponseUrls;
pub use people::{Channel, Group, User};

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use slack_morphism::hyper_tokio::SlackClientHyperConnector;
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};

/// Where Slack itself answers.
pub const API_URL: &str = "https://slack.com/api";
/// How long a call may take. Slack answers in tens of milliseconds; what takes longer than this is lost.
pub const TIMEOUT: Duration = Duration::from_secs(10);

type Connector = SlackClientHyperConnector<hyper_rustls::HttpsConnector<HttpConnector>>;

/// A way to Slack with one installation's token. Cheap to clone.
#[derive(Clone)]
pub struct Slack {
    shared: Arc<Shared>,
    token: SlackApiToken,
    timeout: Duration,
}

struct Shared {
    client: SlackClient<Connector>,
    http: reqwest::Client,
    api_url: String,
    links: ResponseUrls,
}

impl Slack {
    /// Makes the client. `api_url` is Slack's own ([`API_URL`]) or a simulator's; install the crypto provider first.
    pub fn new(api_url: &str, token: &SecretString) -> anyhow::Result<Self> {
        let api_url = api_url.trim_end_matches('/').to_owned();
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_platform_verifier()
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        let connector = SlackClientHyperConnector::with_connector(tls).with_slack_api_url(&api_url);
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let links = ResponseUrls::new(&api_url, http.clone())?;
        Ok(Self {
            shared: Arc::new(Shared {
                client: SlackClient::new(connector),
                http,
                api_url,
                links,
            }),
            token: api_token(token),
            timeout: TIMEOUT,
        })
    }

    /// The same connections with another installation's token.
    #[must_use]
    pub fn with_token(&self, token: &SecretString) -> Self {
        Self {
            token: api_token(token),
            ..self.clone()
        }
    }

    /// The same with less patience: the budget of an answer that somebody waits for.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(TIMEOUT),
            ..self.clone()
        }
    }

    /// Posts to `response_url`s.
    pub fn response_urls(&self) -> &ResponseUrls {
        &self.shared.links
    }

    /// A call that changes something: JSON by POST.
    async fn write(&self, method: &str, request: &Value) -> Result<Value, SlackError> {
        let session = self.shared.client.open_session(&self.token);
        let call = session.http_session_api.http_post(method, request, None);
        self.settled(call).await
    }

    /// A call that only reads. Slack takes no JSON for these, so the arguments stand in the address.
    async fn read(&self, method: &str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        let arguments: Vec<(&str, Option<&str>)> = arguments
            .iter()
            .map(|(name, value)| (*name, Some(*value)))
            .collect();
        let session = self.shared.client.open_session(&self.token);
        let call = session.http_session_api.http_get(method, &arguments, None);
        self.settled(call).await
    }

    async fn settled(
        &self,
        call: impl Future<Output = slack_morphism::ClientResult<Value>>,
    ) -> Result<Value, SlackError> {
        let answer = tokio::time::timeout(self.timeout, call)
            .await
            .map_err(|_| SlackError::Lost {
                cause: format!("no answer within {} ms", self.timeout.as_millis()),
            })?
            .map_err(SlackError::from)?;
        if answer.get("ok") == Some(&Value::Bool(true)) {
            Ok(answer)
        } else {
            Err(SlackError::Lost {
                cause: "the answer does not say ok".to_owned(),
            })
        }
    }
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slack")
            .field("api_url", &self.shared.api_url)
            .finish_non_exhaustive()
    }
}

fn api_token(token: &SecretString) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(token.expose_secret().to_owned()))
}

/// A text in an answer.
fn text(answer: &Value, path: &str) -> Option<String> {
    answer
        .pointer(path)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A text that the answer can't do without.
fn required(answer: &Value, path: &str) -> Result<String, SlackError> {
    text(answer, path).ok_or_else(|| SlackError::Lost {
        cause: format!("the answer has no {path}"),
    })
}
