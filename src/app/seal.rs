//! Seals what has to be kept for a while and is nobody's business: only whoever holds the deployment's state key reads
//! it, not whoever has a copy of the database.

use anyhow::Context as _;
use crypto_box::SecretKey;
use crypto_box::aead::OsRng;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::App;
use crate::domain::canonical::Digest;

/// What keys of this use are derived with, so that the state key itself seals nothing.
const USE: &[u8] = b"idp.seal.v1\0";

/// Seals a secret for ourselves.
pub(super) fn seal(app: &App, secret: &SecretString) -> anyhow::Result<Vec<u8>> {
    key(app)?
        .public_key()
        .seal(&mut OsRng, secret.expose_secret().as_bytes())
        .map_err(|_| anyhow::anyhow!("it can't be sealed"))
}

/// Reads what [`seal`] made.
pub(super) fn open(app: &App, sealed: &[u8]) -> anyhow::Result<SecretString> {
    let bytes = key(app)?
        .unseal(sealed)
        .map_err(|_| anyhow::anyhow!("it was sealed with another state key"))?;
    Ok(String::from_utf8(bytes)
        .context("what was sealed is no text")?
        .into())
}

fn key(app: &App) -> anyhow::Result<SecretKey> {
    let settings = app.settings.current();
    let state: &SecretSlice<u8> = settings
        .state_key
        .as_ref()
        .context("there is no state key")?;
    let bytes = [USE, state.expose_secret()].concat();
    Ok(SecretKey::from(Digest::of(&bytes).0))
}
