//! Slack's JSON and forms, read so that nothing in them can be wrong: a field is there and of its type, or absent.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::event::PlaceKind;

/// A payload, or a part of it.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    /// The part under this path of member names; nothing for `null`.
    pub(super) fn at(self, path: &str) -> Option<Fields<'a>> {
        let mut value = self.0;
        for name in path.split('.') {
            value = value.get(name)?;
        }
        (!value.is_null()).then_some(Fields(value))
    }

    /// A text that isn't empty.
    pub(super) fn text(self, path: &str) -> Option<&'a str> {
        self.at(path)?.0.as_str().filter(|text| !text.is_empty())
    }

    /// The same, owned.
    pub(super) fn owned(self, path: &str) -> Option<String> {
        self.text(path).map(str::to_owned)
    }

    /// True, or the word for it: forms know no booleans.
    pub(super) fn flag(self, path: &str) -> bool {
        match self.at(path) {
            Some(Fields(Value::Bool(yes))) => *yes,
            Some(Fields(Value::String(word))) => word == "true",
            _ => false,
        }
    }

    /// A list; empty when there is none.
    pub(super) fn list(self, path: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let items: &'a [Value] = self
            .at(path)
            .and_then(|fields| fields.0.as_array())
            .map_or(&[], Vec::as_slice);
        items.iter().map(Fields)
    }

    /// The members of an object, in their order; empty when it is none.
    pub(super) fn members(self, path: &str) -> impl Iterator<Item = (&'a str, Fields<'a>)> {
        self.at(path)
            .and_then(|fields| fields.0.as_object())
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), Fields(value)))
    }
}

/// JSON without NUL characters (Postgres stores none).
pub(super) fn json(bytes: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    without_nul(&mut value);
    value.is_object().then_some(value)
}

/// A form as an object of texts; of a repeated name the first counts.
pub(super) fn form(bytes: &[u8]) -> Option<Value> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
    let mut map = Map::new();
    for (name, value) in pairs {
        map.entry(name).or_insert(Value::String(value));
    }
    let mut value = Value::Object(map);
    without_nul(&mut value);
    Some(value)
}

/// Takes NUL characters out of every text.
pub(super) fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(without_nul),
        Value::Object(members) => members.values_mut().for_each(without_nul),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The key of a delivery that brings no id of its own: the same bytes are the same delivery.
pub(super) fn key_of(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

/// What people typed. Slack escapes `&`, `<` and `>` in commands and messages.
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The kind of a channel, from its id and the name that commands and interactions carry.
///
/// A direct message names neither side, so it counts as one between people: that is the more careful of the two, and
/// the answer to both is the same place.
pub(super) fn place_kind(channel: &str, name: Option<&str>) -> PlaceKind {
    match name {
        Some("directmessage") => PlaceKind::DirectBetweenPeople,
        Some(name) if name.starts_with("mpdm-") => PlaceKind::DirectBetweenPeople,
        Some("privategroup") => PlaceKind::Private,
        _ if channel.starts_with('D') => PlaceKind::DirectBetweenPeople,
        _ if channel.starts_with('G') => PlaceKind::Private,
        Some(_) => PlaceKind::Public,
        None => PlaceKind::Unknown,
    }
}
