//! What is Slack's own in its forms and payloads.

use std::borrow::Cow;

use serde_json_borrow::Value;

use crate::chat::fields::Fields;
use crate::domain::event::PlaceKind;

/// Reads a form as an object of texts, without NUL characters; of a repeated name the first counts. `None`: it is none.
pub(super) fn form<T>(bytes: &[u8], how: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
    let texts = pairs
        .iter()
        .map(|(name, text)| (&**name, Value::Str(without_nul(text))));
    let whole = Value::Object(texts.collect());
    Some(how(Fields(&whole)))
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "").into()
    } else {
        text.into()
    }
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
