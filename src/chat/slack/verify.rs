//! Is this delivery Slack's? Checked on the raw bytes, before anything reads them.
//!
//! Slack signs `v0:{timestamp}:{body}` with the app's signing secret (docs.slack.dev/authentication/verifying-requests-
//! from-slack). The clock is the caller's, so tests need none; replays inside the window are the inbox's affair.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;

/// How far a signature's time may be off, either way. Slack's own advice: five minutes.
pub const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// The longest body that is looked at, in bytes. Slack's payloads stay far below; a whole modal is under 250 kB.
pub const MAX_BODY: usize = 1024 * 1024;

/// A delivery that is Slack's. Only this module makes one.
#[derive(Debug)]
pub struct Verified(pub(super) Content);

/// What was delivered, as it came.
#[derive(Debug)]
pub(super) enum Content {
    /// The body of a signed request.
    Http(Vec<u8>),
    /// The payload of a Socket Mode envelope, with the envelope's type.
    Socket { kind: String, payload: Value },
}

/// The two headers that carry the signature, as received.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-Slack-Signature`
    pub signature: Option<&'a str>,
    /// `X-Slack-Request-Timestamp`
    pub timestamp: Option<&'a str>,
}

/// Why a delivery isn't taken. Never told to the sender beyond a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A header is missing or isn't of its form.
    #[error("no signature")]
    Unsigned,
    /// Signed too long ago, or in the future.
    #[error("signed {off_s} s away from now")]
    Stale {
        /// How far off, in seconds; positive: in the past.
        off_s: i64,
    },
    /// Another secret, or another body.
    #[error("wrong signature")]
    Forged,
    /// Longer than `MAX_BODY`.
    #[error("longer than {MAX_BODY} bytes")]
    TooLong,
}

/// Checks a signed request.
pub fn verify(
    headers: Headers<'_>,
    body: Vec<u8>,
    secret: &SecretString,
    now: DateTime<Utc>,
) -> Result<Verified, Rejected> {
    if body.len() > MAX_BODY {
        return Err(Rejected::TooLong);
    }
    let timestamp = headers.timestamp.ok_or(Rejected::Unsigned)?;
    let signature = headers
        .signature
        .and_then(|text| text.strip_prefix("v0="))
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(Rejected::Unsigned)?;
    let signed_at: i64 = timestamp.parse().map_err(|_| Rejected::Unsigned)?;

    let off_s = now.timestamp().saturating_sub(signed_at);
    if off_s.saturating_abs() > WINDOW.num_seconds() {
        return Err(Rejected::Stale { off_s });
    }
    // An empty secret would be everybody's.
    if secret.expose_secret().is_empty() {
        return Err(Rejected::Forged);
    }
    // HMAC takes keys of any length, so this never fails; if it did, nothing would be let in.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(|_| Rejected::Forged)?;
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(&body);
    // Compares in constant time.
    mac.verify_slice(&signature).map_err(|_| Rejected::Forged)?;
    Ok(Verified(Content::Http(body)))
}

impl Verified {
    /// Takes the payload of a Socket Mode envelope. These carry no signature: they are trusted because they came over
    /// a TLS connection to the address that Slack handed out for our own app token, and for no other reason.
    pub fn from_socket(kind: impl Into<String>, payload: Value) -> Self {
        Self(Content::Socket {
            kind: kind.into(),
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Slack's own documentation (verifying-requests-from-slack), so that secret, body and signature
    // come from somebody else.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const SIGNED_AT: i64 = 1_531_420_618;

    fn check(signature: &str, timestamp: &str, body: &str, now_s: i64) -> Result<(), Rejected> {
        let headers = Headers {
            signature: Some(signature),
            timestamp: Some(timestamp),
        };
        let now = DateTime::from_timestamp(now_s, 0).unwrap();
        verify(headers, body.into(), &SECRET.to_owned().into(), now).map(|_| ())
    }

    #[test]
    fn slacks_own_example_passes() {
        assert_eq!(check(SIGNATURE, "1531420618", BODY, SIGNED_AT + 2), Ok(()));
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        for off in [-300, 300] {
            assert_eq!(
                check(SIGNATURE, "1531420618", BODY, SIGNED_AT + off),
                Ok(())
            );
        }
        for off_s in [-301, 301, i64::from(i32::MAX)] {
            assert_eq!(
                check(SIGNATURE, "1531420618", BODY, SIGNED_AT + off_s),
                Err(Rejected::Stale { off_s })
            );
        }
    }

    #[test]
    fn any_other_body_time_or_signature_is_refused() {
        let now = SIGNED_AT;
        let other = format!("{BODY}x");
        assert_eq!(
            check(SIGNATURE, "1531420618", &other, now),
            Err(Rejected::Forged)
        );
        assert_eq!(
            check(SIGNATURE, "1531420619", BODY, now),
            Err(Rejected::Forged)
        );
        assert_eq!(
            check(&SIGNATURE[..21], "1531420618", BODY, now),
            Err(Rejected::Forged)
        );
        for odd in ["", "v0=", "v1=00", "v0=zz", "a2114d57"] {
            assert!(check(odd, "1531420618", BODY, now).is_err(), "{odd}");
        }
        for odd in ["", "now", "1531420618.5", "99999999999999999999999"] {
            assert_eq!(
                check(SIGNATURE, odd, BODY, now),
                Err(Rejected::Unsigned),
                "{odd}"
            );
        }
        assert!(check(SIGNATURE, &i64::MIN.to_string(), BODY, now).is_err());
    }

    #[test]
    fn missing_headers_and_long_bodies_are_refused() {
        let now = DateTime::from_timestamp(SIGNED_AT, 0).unwrap();
        let secret = SECRET.to_owned().into();
        let nothing = verify(Headers::default(), BODY.into(), &secret, now);
        assert_eq!(nothing.map(|_| ()), Err(Rejected::Unsigned));
        let long = verify(Headers::default(), vec![b'a'; MAX_BODY + 1], &secret, now);
        assert_eq!(long.map(|_| ()), Err(Rejected::TooLong));
    }
}
