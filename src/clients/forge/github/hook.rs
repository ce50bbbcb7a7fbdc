//! The webhook of one repository, for deployments whose App or organisation has none: GitHub then tells us of this
//! repository's fate where it tells of others' by the organisation's webhook.

use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use super::api::Reply;
use super::refused;
use super::settle::Told;
use crate::clients::forge::ForgeError;

/// What idp acts on. A repository's own webhook is told of everything but its deletion:
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository>.
const EVENTS: [&str; 1] = ["repository"];

/// What GitHub answers where the same webhook is there already; the call is repeated after a crash.
const THERE: &str = "already exists";

/// Where a repository's deliveries go.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address, as GitHub reaches us.
    pub address: Url,
    /// Proves deliveries.
    pub secret: SecretString,
}

/// Makes the webhook, unless it is there.
pub(super) async fn ensure(told: &Told<'_>, webhook: &Webhook) -> Result<(), ForgeError> {
    let body = json!({
        "name": "web",
        "active": true,
        "events": EVENTS,
        "config": {
            "url": webhook.address,
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": webhook.secret.expose_secret(),
        },
    });
    match told.ask(Method::POST, "/hooks", Some(body)).await? {
        Reply::Fine(_) => Ok(()),
        Reply::Invalid(said) if said.contains(THERE) => Ok(()),
        Reply::Invalid(said) | Reply::Conflict(said) => Err(refused(format!("webhook: {said}"))),
        Reply::Absent | Reply::Moved(_) => Err(refused(format!(
            "idp may not make webhooks in {}",
            told.repo
        ))),
    }
}
