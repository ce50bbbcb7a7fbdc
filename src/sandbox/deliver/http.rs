//! Signed POSTs: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{ACK_WITHIN, Ack, Failure, Parcel, Retry, Sent};
use crate::sandbox::{
    config::Paths,
    wire::VERIFICATION_TOKEN,
    world::{DeliveryKind, World},
};

/// As much of an answer as is read; views and option lists stay far below.
const ANSWER_BYTES: usize = 1024 * 1024;
const JSON: &str = "application/json";

/// Posts to the next target in turn, passing over those that can't be reached.
pub(super) async fn post(
    world: &World,
    parcel: &Parcel,
    (targets, paths): (&[Url], &Paths),
) -> (Sent, Result<Ack, Failure>) {
    let deadline = Instant::now() + ACK_WITHIN;
    let (content_type, body) = encode(parcel);
    let mut sent = Sent {
        to: String::new(),
        headers: Vec::new(),
        body,
    };
    let mut failure = Failure::Unreachable("no address to deliver to".into());
    let first = world.links().turn();
    for at in 0..targets.len() {
        let target = &targets[(first + at) % targets.len()];
        let url = address(target, parcel.kind, paths);
        sent.headers = headers(world, parcel.retry, content_type, &sent.body);
        sent.to = url;
        let sending = async {
            if parcel.kind == DeliveryKind::Event {
                verify(world, &sent.to).await?;
            }
            post_once(world, &sent).await
        };
        match timeout_at(deadline, sending).await {
            Err(_) => return (sent, Err(Failure::TimedOut)),
            Ok(Ok(ack)) if (200..300).contains(&ack.status) => return (sent, Ok(ack)),
            Ok(Ok(ack)) => return (sent, Err(Failure::Status(ack))),
            Ok(Err(cause)) => failure = Failure::Unreachable(cause),
        }
    }
    (sent, Err(failure))
}

/// Lets an address hear of events only once it gave back a challenge, as Slack's settings do before they take one:
/// <https://docs.slack.dev/reference/events/url_verification>.
async fn verify(world: &World, address: &str) -> Result<(), String> {
    if world.links().is_verified(address) {
        return Ok(());
    }
    let challenge = hex::encode(rand::random::<[u8; 26]>());
    let body = json!({
        "token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification",
    })
    .to_string();
    let sent = Sent {
        to: address.to_owned(),
        headers: headers(world, None, JSON, &body),
        body,
    };
    let ack = post_once(world, &sent).await?;
    let wrapped = ack
        .json
        .as_ref()
        .and_then(|json| json["challenge"].as_str());
    if ack.status != 200 || wrapped.unwrap_or(ack.body.trim()) != challenge {
        return Err("the address did not give back the challenge (url_verification)".to_owned());
    }
    world.links().verified(address);
    Ok(())
}

/// One POST and its answer, whatever its status.
pub(in crate::sandbox) async fn post_once(world: &World, sent: &Sent) -> Result<Ack, String> {
    let mut request = world.http().post(&sent.to).body(sent.body.clone());
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.map_err(|cause| reason(&cause))?;
    let no_retry = response
        .headers()
        .get("x-slack-no-retry")
        .is_some_and(|value| value == "1");
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| reason(&cause))? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES {
            return Err("the answer is too long".into());
        }
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let json = serde_json::from_str(&body).ok().filter(Value::is_object);
    Ok(Ack {
        status,
        body,
        json,
        no_retry,
    })
}

/// The innermost cause: "Connection refused" says more than "error sending request".
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn address(target: &Url, kind: DeliveryKind, paths: &Paths) -> String {
    let path = match kind {
        DeliveryKind::Command => &paths.commands,
        DeliveryKind::BlockActions | DeliveryKind::ViewSubmission | DeliveryKind::ViewClosed => {
            &paths.interactions
        }
        DeliveryKind::BlockSuggestion => &paths.options,
        DeliveryKind::Event => &paths.events,
    };
    format!("{}{path}", target.as_str().trim_end_matches('/'))
}

/// Commands are forms, interactions a form with one `payload` field, events JSON.
fn encode(parcel: &Parcel) -> (&'static str, String) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    match parcel.kind {
        DeliveryKind::Event => (JSON, parcel.payload.to_string()),
        DeliveryKind::Command => {
            for (name, value) in parcel.payload.as_object().into_iter().flatten() {
                form.append_pair(name, value.as_str().unwrap_or_default());
            }
            (FORM, form.finish())
        }
        DeliveryKind::BlockActions
        | DeliveryKind::ViewSubmission
        | DeliveryKind::ViewClosed
        | DeliveryKind::BlockSuggestion => (
            FORM,
            form.append_pair("payload", &parcel.payload.to_string())
                .finish(),
        ),
    }
}

fn headers(
    world: &World,
    retry: Option<Retry>,
    content_type: &str,
    body: &str,
) -> Vec<(String, String)> {
    let timestamp = world.now().timestamp().to_string();
    let signature = sign(&world.config().signing_secret, &timestamp, body);
    let mut headers = vec![
        ("Content-Type".to_owned(), content_type.to_owned()),
        ("Accept".to_owned(), "application/json,*/*".to_owned()),
        ("X-Slack-Request-Timestamp".to_owned(), timestamp),
        ("X-Slack-Signature".to_owned(), signature),
    ];
    if let Some(retry) = retry {
        headers.push(("X-Slack-Retry-Num".to_owned(), retry.number.to_string()));
        headers.push(("X-Slack-Retry-Reason".to_owned(), retry.reason.to_owned()));
    }
    headers
}

/// `v0=` and the HMAC over `v0:{timestamp}:{body}`.
fn sign(secret: &str, timestamp: &str, body: &str) -> String {
    // HMAC takes keys of any length, so there is no error to report.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body.as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    /// The worked example of Slack's documentation.
    #[test]
    fn signs_as_slack_documents() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signature = super::sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body);
        assert_eq!(
            signature,
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }
}
