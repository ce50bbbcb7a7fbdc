//! What is Slack's own in its forms and payloads.

use serde_json::{Map, Value};

use crate::chat::fields::{self, Fields};
use crate::domain::event::PlaceKind;

/// Reads a form as an object of texts; of a repeated name the first counts. `None`: it is none.
pub(super) fn form<T>(bytes: &[u8], how: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
    let mut texts = Map::new();
    for (name, text) in pairs {
        texts.entry(name).or_insert(Value::String(text));
    }
    Some(fields::read_value(Value::Object(texts), how))
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
