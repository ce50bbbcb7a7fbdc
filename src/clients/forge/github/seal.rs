//! Secrets as GitHub takes them: sealed for the repository's public key, so that only GitHub can read them.
//!
//! libsodium's sealed box: <https://docs.github.com/en/rest/guides/encrypting-secrets-for-the-rest-api>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use secrecy::{ExposeSecret as _, SecretString};

/// Seals a secret for a public key in base64; `None`: that is no such key.
pub(super) fn seal(public_key: &str, secret: &SecretString) -> Option<String> {
    let key: [u8; 32] = STANDARD.decode(public_key).ok()?.try_into().ok()?;
    let sealed = PublicKey::from(key)
        .seal(&mut OsRng, secret.expose_secret().as_bytes())
        .ok()?;
    Some(STANDARD.encode(sealed))
}

#[cfg(test)]
mod tests {
    use crypto_box::SecretKey;

    use super::*;

    #[test]
    fn only_the_holder_of_the_key_reads_it() {
        let key = SecretKey::generate(&mut OsRng);
        let secret = SecretString::from("hunter2".to_owned());
        let sealed = seal(&STANDARD.encode(key.public_key().as_bytes()), &secret).unwrap();
        assert_ne!(
            sealed,
            seal(&STANDARD.encode(key.public_key().as_bytes()), &secret).unwrap()
        );
        let opened = key.unseal(&STANDARD.decode(sealed).unwrap()).unwrap();
        assert_eq!(opened, b"hunter2");
        assert_eq!(seal("no key", &secret), None);
    }
}
