//! Is this delivery Discord's? Checked on the raw bytes, before anything reads them.
//!
//! Discord signs `{timestamp}{body}` with the application's Ed25519 key (docs.discord.com/developers/interactions,
//! "Security and Authorization"), and tries now and then with a wrong signature: an endpoint that takes one is switched
//! off. The clock is the caller's; replays inside the window are the inbox's affair.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use serenity::interactions_endpoint::Verifier;

/// How far a signature's time may be off, either way. Discord names no window; an interaction can be answered for three
/// seconds, so five minutes only leave room for clocks.
pub const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// The longest body that is looked at, in bytes. A filled modal holds five texts of 4,000 characters.
pub const MAX_BODY: usize = 1024 * 1024;

/// A delivery that is Discord's. Only this module makes one.
#[derive(Debug)]
pub struct Verified(pub(super) Content);

/// What was delivered, as it came.
#[derive(Debug)]
pub(super) enum Content {
    /// The body of a signed request.
    Http(Vec<u8>),
    /// What the gateway dispatched.
    Gateway(Dispatch),
}

/// A dispatch of the gateway (docs.discord.com/developers/events/gateway-events, "Payload Structure").
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// The event's name, such as `INTERACTION_CREATE`.
    pub name: String,
    /// What makes it the same one when it comes again: its session and its number there.
    pub key: String,
    /// What it tells.
    pub data: Value,
}

/// The two headers that carry the signature, as received.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-Signature-Ed25519`
    pub signature: Option<&'a str>,
    /// `X-Signature-Timestamp`
    pub timestamp: Option<&'a str>,
}

/// The application's public key.
#[derive(Clone)]
pub struct Key {
    verifier: Verifier,
    bytes: [u8; 32],
}

/// No such key: Discord's have 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public key of Discord's has 64 hexadecimal digits")]
pub struct NoKey;

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
    /// Another key, or another body.
    #[error("wrong signature")]
    Forged,
    /// Longer than `MAX_BODY`.
    #[error("longer than {MAX_BODY} bytes")]
    TooLong,
}

impl Key {
    /// Reads the key as the developer portal shows it.
    pub fn parse(hex: &str) -> Result<Self, NoKey> {
        let mut key = [0; 32];
        hex::decode_to_slice(hex.trim(), &mut key).map_err(|_| NoKey)?;
        let verifier = Verifier::try_new(key).map_err(|_| NoKey)?;
        Ok(Self {
            verifier,
            bytes: key,
        })
    }

    /// Whether this is the same key.
    pub fn is(&self, hex: &str) -> bool {
        Self::parse(hex).is_ok_and(|other| other.bytes == self.bytes)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// Checks a signed request.
pub fn verify(
    headers: Headers<'_>,
    body: Vec<u8>,
    key: &Key,
    now: DateTime<Utc>,
) -> Result<Verified, Rejected> {
    if body.len() > MAX_BODY {
        return Err(Rejected::TooLong);
    }
    let (Some(signature), Some(timestamp)) = (headers.signature, headers.timestamp) else {
        return Err(Rejected::Unsigned);
    };
    let is_hex = signature.len() == 128 && signature.bytes().all(|b| b.is_ascii_hexdigit());
    let signed_at: i64 = timestamp.parse().map_err(|_| Rejected::Unsigned)?;
    if !is_hex {
        return Err(Rejected::Unsigned);
    }
    let off_s = now.timestamp().saturating_sub(signed_at);
    if off_s.saturating_abs() > WINDOW.num_seconds() {
        return Err(Rejected::Stale { off_s });
    }
    key.verifier
        .verify(signature, timestamp, &body)
        .map_err(|()| Rejected::Forged)?;
    Ok(Verified(Content::Http(body)))
}

impl Verified {
    /// Takes what the gateway dispatched. It carries no signature: it is trusted because it came over a TLS connection to
    /// Discord's own gateway that our token opened, and for no other reason.
    pub fn from_gateway(dispatch: Dispatch) -> Self {
        Self(Content::Gateway(dispatch))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    const NOW_S: i64 = 1_700_000_000;

    fn pair(seed: u8) -> (Ed25519KeyPair, Key) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = Key::parse(&hex::encode(pair.public_key())).unwrap();
        (pair, key)
    }

    fn check(key: &Key, pair: &Ed25519KeyPair, at: i64, body: &str) -> Result<(), Rejected> {
        let timestamp = at.to_string();
        let signed = pair.sign(format!("{timestamp}{body}").as_bytes());
        let signature = hex::encode(signed);
        let headers = Headers {
            signature: Some(&signature),
            timestamp: Some(&timestamp),
        };
        let now = DateTime::from_timestamp(NOW_S, 0).unwrap();
        verify(headers, body.into(), key, now).map(drop)
    }

    #[test]
    fn only_what_the_applications_key_signed_just_now_is_taken() {
        let (ours, key) = pair(1);
        let (theirs, _) = pair(2);
        assert_eq!(check(&key, &ours, NOW_S, "{}"), Ok(()));
        assert_eq!(check(&key, &ours, NOW_S - 299, "{}"), Ok(()));
        assert_eq!(check(&key, &theirs, NOW_S, "{}"), Err(Rejected::Forged));
        for off_s in [301, -301] {
            let stale = Err(Rejected::Stale { off_s });
            assert_eq!(check(&key, &ours, NOW_S - off_s, "{}"), stale);
        }
        let long = "a".repeat(MAX_BODY + 1);
        assert_eq!(check(&key, &ours, NOW_S, &long), Err(Rejected::TooLong));
    }

    #[test]
    fn headers_of_another_form_are_no_signature() {
        let (_, key) = pair(1);
        let now = DateTime::from_timestamp(NOW_S, 0).unwrap();
        let zeros = "0".repeat(128);
        for (signature, timestamp) in [
            (None, Some("1700000000")),
            (Some(zeros.as_str()), None),
            (Some("abc"), Some("1700000000")),
            (Some("ü"), Some("1700000000")),
            (Some(zeros.as_str()), Some("soon")),
        ] {
            let headers = Headers {
                signature,
                timestamp,
            };
            let refused = verify(headers, b"{}".to_vec(), &key, now).map(drop);
            assert_eq!(
                refused,
                Err(Rejected::Unsigned),
                "{signature:?} {timestamp:?}"
            );
        }
        let headers = Headers {
            signature: Some(&zeros),
            timestamp: Some("1700000000"),
        };
        let forged = verify(headers, b"{}".to_vec(), &key, now).map(drop);
        assert_eq!(forged, Err(Rejected::Forged));
        for odd in ["", "abc", &"g".repeat(64)] {
            assert!(Key::parse(odd).is_err(), "{odd}");
        }
    }
}
