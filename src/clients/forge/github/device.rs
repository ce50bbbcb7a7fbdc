//! GitHub's device flow: somebody types a code on GitHub's page, and we learn which account is theirs.
//!
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app#using-the-device-flow-to-generate-a-user-access-token>.
//! It needs the App's client id and no secret. The user's token is used for one question and dropped.

use std::time::Duration;

use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::ClientError;
use super::directory::{Account, account};
use super::wire::{Answer, Wire};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The least time between two looks, and how much is added where GitHub asks to slow down: RFC 8628, sections 3.2 and 3.5.
const INTERVAL: Duration = Duration::from_secs(5);

/// Asks for codes and looks whether they were used.
#[derive(Debug, Clone)]
pub struct DeviceFlow {
    web: Wire,
    api: Wire,
    client_id: String,
}

/// A code.
#[derive(Debug)]
pub struct Code {
    /// What GitHub knows us by.
    pub device_code: SecretString,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub address: String,
    /// How long it can be used.
    pub good_for: Duration,
    /// The least time between two looks.
    pub interval: Duration,
}

/// What a look finds.
#[derive(Debug)]
pub enum Found {
    /// It wasn't used yet.
    Pending,
    /// We look too often: so long between two looks from now on, as far as GitHub says.
    TooOften(Option<Duration>),
    /// The person declined.
    Declined,
    /// It can't be used any more, also because it was.
    Gone,
    /// It was used: the token of whoever did.
    Used(SecretString),
}

/// Why there is no code, or no look.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The App's device flow is off, or GitHub knows no App of this client id: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#error-codes-for-the-device-flow>.
    #[error("GitHub's device flow can't be used: {0}")]
    Disabled(String),
    /// GitHub gives no answer, or fails, or refuses the rate.
    #[error("GitHub gives no answer: {0}")]
    Away(String),
    /// The answer makes no sense, or a refusal that no retry mends.
    #[error("GitHub refuses: {0}")]
    Refused(String),
}

impl DeviceFlow {
    /// Makes the client; it asks nothing yet. Has to be called on a runtime, which the calls then belong to.
    pub fn new(web: &Url, api: &Url, client_id: String) -> Result<Self, ClientError> {
        let failed = |error: octocrab::Error| ClientError(error.into());
        Ok(Self {
            web: Wire::web(web).map_err(failed)?,
            api: Wire::new(api).map_err(failed)?,
            client_id,
        })
    }

    /// Asks for a code.
    pub async fn code(&self) -> Result<Code, DeviceError> {
        let answer = self.ask("/login/device/code", json!({})).await?;
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let seconds = |name: &str| answer[name].as_u64().map(Duration::from_secs);
        match (
            text("device_code"),
            text("user_code"),
            text("verification_uri"),
        ) {
            (Some(device_code), Some(user_code), Some(address)) => Ok(Code {
                device_code: device_code.into(),
                user_code,
                address,
                good_for: seconds("expires_in").unwrap_or(Duration::from_mins(15)),
                interval: seconds("interval").unwrap_or(INTERVAL),
            }),
            _ => Err(refusal(&answer)),
        }
    }

    /// Looks whether a code was used. A token is given once.
    pub async fn look(&self, device_code: &SecretString) -> Result<Found, DeviceError> {
        let body = json!({ "device_code": device_code.expose_secret(), "grant_type": GRANT });
        let answer = self.ask("/login/oauth/access_token", body).await?;
        if let Some(token) = answer["access_token"].as_str() {
            return Ok(Found::Used(token.to_owned().into()));
        }
        match answer["error"].as_str() {
            Some("authorization_pending") => Ok(Found::Pending),
            Some("slow_down") => {
                let interval = answer["interval"].as_u64().map(Duration::from_secs);
                Ok(Found::TooOften(interval))
            }
            Some("access_denied") => Ok(Found::Declined),
            // A code that was used and whose token was lost is none any more.
            Some("expired_token" | "incorrect_device_code") => Ok(Found::Gone),
            _ => Err(refusal(&answer)),
        }
    }

    /// Whose a token is.
    pub async fn whose(&self, token: &SecretString) -> Result<Account, DeviceError> {
        let sent = self.api.call(token, Method::GET, "/user", None).await;
        let answer = judged(sent.map_err(|lost| DeviceError::Away(lost.to_string()))?)?;
        account(&answer)
            .ok_or_else(|| DeviceError::Refused("it doesn't say who that is".to_owned()))
    }

    async fn ask(&self, path: &str, mut body: Value) -> Result<Value, DeviceError> {
        body["client_id"] = json!(self.client_id);
        let sent = self.web.post(path, &body).await;
        let answer = sent.map_err(|lost| DeviceError::Away(lost.to_string()))?;
        if answer.status == http::StatusCode::NOT_FOUND {
            return Err(DeviceError::Disabled(
                "it knows no App of this client id".to_owned(),
            ));
        }
        judged(answer)
    }
}

/// Errors of OAuth come with 200 and are left to the caller.
fn judged(answer: Answer) -> Result<Value, DeviceError> {
    match answer.status.as_u16() {
        200..=299 => Ok(answer.body),
        403 | 429 | 500..=599 => Err(DeviceError::Away(answer.message())),
        _ => Err(DeviceError::Refused(answer.message())),
    }
}

/// By GitHub's word for it, never by its body: that may hold a code.
fn refusal(answer: &Value) -> DeviceError {
    let word = answer["error"]
        .as_str()
        .unwrap_or("its answer makes no sense");
    match word {
        "device_flow_disabled" | "incorrect_client_credentials" | "unauthorized_client" => {
            DeviceError::Disabled(word.to_owned())
        }
        _ => DeviceError::Refused(word.chars().filter(|c| !c.is_control()).take(100).collect()),
    }
}
