//! What is Slack's own in its forms and payloads.

use serde_json::{Map, Value};

use crate::chat::fields::without_nul;
use crate::domain::event::PlaceKind;

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
