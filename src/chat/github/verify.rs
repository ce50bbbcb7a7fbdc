//! Is this delivery GitHub's? Checked on the raw bytes, before anything reads them.
//!
//! GitHub signs the body with the webhook's secret (docs.github.com/webhooks, "Validating webhook deliveries"). There is
//! no time in the signature, so there is no window: a repeated delivery is the inbox's affair, and an old one that comes
//! again changes nothing, because what it tells carries its own time.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The longest body that is looked at, in bytes: GitHub sends none above 25 MB (docs.github.com/webhooks, "Webhook
/// events and payloads", payload cap).
pub const MAX_BODY: usize = 25 * 1024 * 1024;

/// A delivery that is GitHub's. Only this module makes one.
#[derive(Debug)]
pub struct Verified(pub(super) Vec<u8>);

/// Why a delivery isn't taken. Never told to the sender beyond a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The header is missing or isn't of its form.
    #[error("no signature")]
    Unsigned,
    /// Another secret, or another body.
    #[error("wrong signature")]
    Forged,
    /// Longer than `MAX_BODY`.
    #[error("longer than {MAX_BODY} bytes")]
    TooLong,
}

/// Checks a delivery; `signature` is its `X-Hub-Signature-256`.
pub fn verify(
    signature: Option<&str>,
    body: Vec<u8>,
    secret: &SecretString,
) -> Result<Verified, Rejected> {
    if body.len() > MAX_BODY {
        return Err(Rejected::TooLong);
    }
    let signature = signature
        .and_then(|text| text.strip_prefix("sha256="))
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(Rejected::Unsigned)?;
    // An empty secret would be everybody's.
    if secret.expose_secret().is_empty() {
        return Err(Rejected::Forged);
    }
    // HMAC takes keys of any length, so this never fails; if it did, nothing would be let in.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(|_| Rejected::Forged)?;
    mac.update(&body);
    // Compares in constant time.
    mac.verify_slice(&signature).map_err(|_| Rejected::Forged)?;
    Ok(Verified(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    // GitHub's own example ("Testing the webhook payload validation"): secret, body and signature are somebody else's.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &str = "Hello, World!";
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn check(signature: Option<&str>, body: &str, secret: &str) -> Result<(), Rejected> {
        verify(signature, body.into(), &secret.to_owned().into()).map(|_| ())
    }

    #[test]
    fn githubs_own_example_passes() {
        assert_eq!(check(Some(SIGNATURE), BODY, SECRET), Ok(()));
    }

    #[test]
    fn any_other_body_secret_or_signature_is_refused() {
        assert_eq!(
            check(Some(SIGNATURE), "Hello, World", SECRET),
            Err(Rejected::Forged)
        );
        assert_eq!(
            check(Some(SIGNATURE), BODY, "secret"),
            Err(Rejected::Forged)
        );
        assert_eq!(check(Some(SIGNATURE), BODY, ""), Err(Rejected::Forged));
        assert_eq!(
            check(Some(&SIGNATURE[..21]), BODY, SECRET),
            Err(Rejected::Forged)
        );
        for odd in ["", "sha256=zz", "sha1=757107ea", "757107ea0eb2509f"] {
            assert_eq!(
                check(Some(odd), BODY, SECRET),
                Err(Rejected::Unsigned),
                "{odd}"
            );
        }
        assert_eq!(check(None, BODY, SECRET), Err(Rejected::Unsigned));
        let long = "a".repeat(MAX_BODY + 1);
        assert_eq!(
            check(Some(SIGNATURE), &long, SECRET),
            Err(Rejected::TooLong)
        );
    }
}
