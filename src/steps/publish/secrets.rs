//! The deployment's own secrets for new repositories: templates name them, plans hold the name, and only the call to the
//! forge sees the value.
//!
//! In a template this is Backstage's `${{ environment.secrets.NAME }}`; planning turns it into a reference
//! ([`reference`]), so that no secret is ever part of a plan, a digest or a card.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

/// What a reference begins with.
const REFERENCE: &str = "secret:";

/// Secrets by their names.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// The reference that stands for a secret in plans.
    pub fn reference(name: &str) -> String {
        format!("{REFERENCE}{name}")
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The secret that a text refers to; `Err`: the sentence about one that doesn't, without its stop.
    pub(super) fn resolve(&self, text: &str, most: usize) -> Result<SecretString, String> {
        let Some(name) = text.strip_prefix(REFERENCE) else {
            return Err(
                "a secret can't be written into a template: name one of the deployment's, `${{ environment.secrets.NAME }}`"
                    .to_owned(),
            );
        };
        match self.0.get(name) {
            None => Err(format!("this deployment has no secret `{name}`")),
            Some(secret) if secret.expose_secret().len() > most => Err(format!(
                "the secret `{name}` is larger than the {} KB that a repository takes",
                most / 1024
            )),
            Some(secret) => Ok(secret.clone()),
        }
    }
}

impl FromIterator<(String, SecretString)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}
