//! JSON of a platform, read so that nothing in it can be wrong: a field is there and of its type, or absent.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A payload, or a part of it.
#[derive(Clone, Copy)]
pub(in crate::chat) struct Fields<'a>(pub(in crate::chat) &'a Value);

impl<'a> Fields<'a> {
    /// The part under this path of member names; nothing for `null`.
    pub(in crate::chat) fn at(self, path: &str) -> Option<Fields<'a>> {
        let mut value = self.0;
        for name in path.split('.') {
            value = value.get(name)?;
        }
        (!value.is_null()).then_some(Fields(value))
    }

    /// A text that isn't empty.
    pub(in crate::chat) fn text(self, path: &str) -> Option<&'a str> {
        self.at(path)?.0.as_str().filter(|text| !text.is_empty())
    }

    /// The same, owned.
    pub(in crate::chat) fn owned(self, path: &str) -> Option<String> {
        self.text(path).map(str::to_owned)
    }

    /// True, or the word for it: forms know no booleans.
    pub(in crate::chat) fn flag(self, path: &str) -> bool {
        match self.at(path) {
            Some(Fields(Value::Bool(yes))) => *yes,
            Some(Fields(Value::String(word))) => word == "true",
            _ => false,
        }
    }

    /// A list; empty when there is none.
    pub(in crate::chat) fn list(self, path: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let items: &'a [Value] = self
            .at(path)
            .and_then(|fields| fields.0.as_array())
            .map_or(&[], Vec::as_slice);
        items.iter().map(Fields)
    }

    /// The members of an object, in their order; empty when it is none.
    pub(in crate::chat) fn members(
        self,
        path: &str,
    ) -> impl Iterator<Item = (&'a str, Fields<'a>)> {
        self.at(path)
            .and_then(|fields| fields.0.as_object())
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), Fields(value)))
    }
}

/// JSON without NUL characters (Postgres stores none).
pub(in crate::chat) fn json(bytes: &[u8]) -> Option<Value> {
    json_text(str::from_utf8(bytes).ok()?)
}

/// The same of what is known to be a text.
pub(in crate::chat) fn json_text(text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    without_nul(&mut value);
    value.is_object().then_some(value)
}

/// Takes NUL characters out of every text.
pub(in crate::chat) fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(without_nul),
        Value::Object(members) => members.values_mut().for_each(without_nul),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The key of a delivery that brings no id of its own: the same bytes are the same delivery.
pub(in crate::chat) fn key_of(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}
