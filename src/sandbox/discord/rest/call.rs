//! One call, as it came.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;

use crate::sandbox::discord::{
    error::{Form, Refusal},
    id::Id,
    limits::Route,
};

/// One call.
#[derive(Clone, Debug)]
pub(in crate::sandbox::discord) struct Call {
    pub(super) method: Method,
    pub(super) path: Vec<String>,
    pub(super) query: HashMap<String, String>,
    pub(super) body: Value,
}

impl Call {
    pub(super) fn words(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// An id in the path.
    pub(super) fn id(&self, at: usize) -> Result<Id, Refusal> {
        let word = self.path.get(at).map(String::as_str).unwrap_or_default();
        word.parse().map_err(|_| {
            let message = format!("Value \"{word}\" is not snowflake.");
            Form::one("id", "NUMBER_TYPE_COERCE", &message)
        })
    }

    /// How many are wanted at once, within bounds.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.query.get("limit") else {
            return Ok(default);
        };
        let limit = text.parse().ok().filter(|own| (1..=most).contains(own));
        limit.ok_or_else(|| {
            let message = format!("int value should be between 1 and {most}.");
            Form::one("limit", "NUMBER_TYPE_RANGE", &message)
        })
    }

    /// The id behind which, or before which, a page lies.
    pub(super) fn edge(&self, name: &str) -> Option<Id> {
        self.query.get(name)?.parse().ok()
    }

    /// Interactions prove themselves by the token in their address, and lie outside of the bot's rates.
    pub(super) fn by_interaction(&self) -> bool {
        matches!(self.words()[..], ["webhooks" | "interactions", ..])
    }

    /// The path as it is recorded and counted: tokens are nobody's to read.
    pub(super) fn route(&self) -> Route {
        let words = self.words();
        let shaped = words.iter().enumerate().map(|(at, word)| {
            let secret = self.by_interaction() && at == 2;
            let id = at > 0 && word.parse::<Id>().is_ok();
            match (secret, id) {
                (true, _) => ":token",
                (_, true) => ":id",
                _ => word,
            }
        });
        let shape = shaped.collect::<Vec<_>>().join("/");
        let major = match words[..] {
            ["channels" | "guilds", id, ..] => id.to_owned(),
            ["webhooks" | "interactions", id, token, ..] => format!("{id}/{token}"),
            _ => String::new(),
        };
        Route {
            shape: format!("{} {shape}", self.method),
            major,
        }
    }

    /// The same for people: with its ids.
    pub(super) fn shown(&self) -> String {
        let secret = self.by_interaction();
        let words = self.path.iter().enumerate();
        let words = words.map(|(at, word)| if secret && at == 2 { "{token}" } else { word });
        format!("{} /{}", self.method, words.collect::<Vec<_>>().join("/"))
    }
}
