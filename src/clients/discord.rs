//! Discord's REST API, as far as we call it.
//!
//! Our own thin client: serenity's brings a second TLS stack and a limiter that ignores the address it is given. Answers
//! are read leniently, since Discord adds to them; errors say what to do next; nothing is repeated here, callers decide (of
//! a list in pages, for how long each may be waited for).
//! Rates are Discord's to tell: each answer says how much is left of its bucket, and a call waits here for as long as
//! that takes if it isn't long, and is refused as limited if it is.

mod calls;
mod error;
mod gateway;
mod limits;
mod people;
mod permission;

pub use calls::{Message, Post};
pub use error::DiscordError;
pub use gateway::Gateway;
pub use people::{Application, Channel, Guild, Member, Myself, Overwrite, Role};
pub use permission::Permissions;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use self::limits::Limits;

/// Where Discord itself answers (docs.discord.com/developers/reference, "API Versioning").
pub const API_URL: &str = "https://discord.com/api/v10";

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call waits for its bucket before it counts as limited: short enough that nothing queues up behind it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Discord refuses clients that don't introduce themselves ("User Agent" in its reference).
const USER_AGENT: &str = concat!(
    "DiscordBot (https://idp.dev, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// A way to Discord with the bot's token. Cheap to clone.
#[derive(Clone)]
pub struct Discord {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    api_url: String,
    token: SecretString,
    limits: Arc<Limits>,
}

/// How a call proves who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// With the bot's token, within the bot's rates.
    Bot,
    /// With the interaction's token in its address: no other token, and outside of the bot's rates.
    Interaction,
}

impl Discord {
    /// Makes the client. `api_url` is Discord's own ([`API_URL`]) or a simulator's; install the crypto provider first.
    pub fn new(api_url: &str, token: &SecretString) -> anyhow::Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared {
                http: connections()?,
                api_url: api_url.trim_end_matches('/').to_owned(),
                token: token.clone(),
                limits: Arc::default(),
            }),
        })
    }

    /// The same way with connections of its own, within the same rates: a connection lives in the runtime that opened it,
    /// and stands still with that.
    pub fn apart(&self) -> anyhow::Result<Self> {
        let shared = &self.shared;
        Ok(Self {
            shared: Arc::new(Shared {
                http: connections()?,
                api_url: shared.api_url.clone(),
                token: shared.token.clone(),
                limits: Arc::clone(&shared.limits),
            }),
        })
    }

    async fn get(&self, path: &str) -> Result<Value, DiscordError> {
        self.call(As::Bot, Method::GET, path, None).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, DiscordError> {
        self.call(As::Bot, method, path, Some(body)).await
    }

    /// One call, and what came of it. `null` where the answer has no body.
    async fn call(
        &self,
        who: As,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, DiscordError> {
        let shared = &self.shared;
        let route = limits::route(&method, path);
        if who == As::Bot {
            let wait = shared.limits.wait(&route);
            if wait > PATIENCE {
                return Err(DiscordError::Limited { after: Some(wait) });
            }
            tokio::time::sleep(wait).await;
        }
        let mut request = shared
            .http
            .request(method, format!("{}{path}", shared.api_url));
        if who == As::Bot {
            let token = shared.token.expose_secret();
            request = request.header("authorization", format!("Bot {token}"));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| {
            let connecting = error.is_connect();
            // The address may hold an interaction's token.
            let cause = error.without_url().to_string();
            if connecting {
                DiscordError::Unreachable { cause }
            } else {
                DiscordError::Lost { cause }
            }
        })?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let read = answer.bytes().await;
        if who == As::Bot {
            shared.limits.learn(&route, &headers);
        }
        if !status.is_success() {
            let body = read.map(|b| serde_json::from_slice(&b).unwrap_or_default());
            let error = DiscordError::of(status, &headers, &body.unwrap_or_default());
            if let (As::Bot, DiscordError::Limited { after: Some(after) }) = (who, &error) {
                shared.limits.close(&route, &headers, *after);
            }
            return Err(error);
        }
        let bytes = read.map_err(|error| DiscordError::Lost {
            cause: error.without_url().to_string(),
        })?;
        if status == StatusCode::NO_CONTENT || bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| DiscordError::Lost {
            cause: "the answer is not JSON".to_owned(),
        })
    }
}

impl std::fmt::Debug for Discord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discord")
            .field("api_url", &self.shared.api_url)
            .finish_non_exhaustive()
    }
}

fn connections() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// A text that an answer can't do without.
fn required(answer: &Value, name: &str) -> Result<String, DiscordError> {
    text(answer, name).ok_or_else(|| DiscordError::Lost {
        cause: format!("the answer has no {name}"),
    })
}

fn text(answer: &Value, name: &str) -> Option<String> {
    let text = answer.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn list(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.as_array().into_iter().flatten()
}
