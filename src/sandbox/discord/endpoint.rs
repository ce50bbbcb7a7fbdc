//! Endpoints: Discord's check before it delivers to one, and the signature on everything that it delivers.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use crate::sandbox::{
    deliver::{Sent, post_once},
    world::World,
};

impl World {
    /// The application's public key, as the developer portal shows it.
    pub(in crate::sandbox) fn discord_key(&self) -> String {
        self.config().discord.public_key()
    }

    /// Lets an endpoint hear of interactions only once it passed the check.
    pub(super) async fn verified(self: &Arc<Self>, endpoint: &str) -> Result<(), String> {
        if self.with(|inner| inner.live.verified.contains(endpoint)) {
            return Ok(());
        }
        self.probe(endpoint).await?;
        self.with(|inner| inner.live.verified.insert(endpoint.to_owned()));
        Ok(())
    }

    /// Discord's check of an endpoint: a ping is answered with a pong, and one with a wrong signature with 401.
    pub(in crate::sandbox) async fn probe(self: &Arc<Self>, endpoint: &str) -> Result<(), String> {
        let (application, id) = self.with(|inner| {
            let id = inner.discord.next_id(inner.now);
            (inner.discord.application.id, id)
        });
        let ping = json!({
            "id": id, "application_id": application, "type": 1, "token": token(), "version": 1, "entitlements": [],
            "authorizing_integration_owners": {}, "app_permissions": "0",
        });
        let right = self.signed(endpoint, &ping.to_string());
        let pong = post_once(self, &right).await?;
        let kind = pong.json.as_ref().and_then(|body| body.get("type"));
        if pong.status != 200 || kind != Some(&json!(1)) {
            return Err("the endpoint did not answer the ping".to_owned());
        }
        let mut wrong = self.signed(endpoint, &ping.to_string());
        for (name, value) in &mut wrong.headers {
            if name == "X-Signature-Ed25519" {
                *value = value.chars().rev().collect();
            }
        }
        if post_once(self, &wrong).await?.status != 401 {
            return Err("the endpoint took a wrong signature".to_owned());
        }
        Ok(())
    }

    /// The application's signature over timestamp and body.
    pub(super) fn signed(&self, to: &str, body: &str) -> Sent {
        let timestamp = self.now().timestamp().to_string();
        let signature = self
            .config()
            .discord
            .sign(format!("{timestamp}{body}").as_bytes());
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            (
                "User-Agent",
                "Discord-Interactions/1.0 (+https://discord.com)".to_owned(),
            ),
            ("X-Signature-Timestamp", timestamp),
            ("X-Signature-Ed25519", signature),
        ];
        Sent {
            to: to.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: body.to_owned(),
        }
    }
}

/// An interaction's token: nobody guesses it.
pub(super) fn token() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// The key pair of a seed; `None` for what is no seed.
pub(in crate::sandbox) fn pair(seed: &[u8; 32]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).ok()
}

/// The public half, in hexadecimal digits.
pub(in crate::sandbox) fn public(pair: &Ed25519KeyPair) -> String {
    hex::encode(pair.public_key())
}
