//! JSON of a platform, read so that nothing in it can be wrong: a field is there and of its type, or absent.
//!
//! Payloads are large and little of them is wanted (a form comes back with every block that it was drawn with), so they are
//! read in place: texts are borrowed from what came wherever nothing in them is escaped.

use serde::Deserialize as _;
use serde_json_borrow::{ObjectAsVec, Value};
use sha2::{Digest, Sha256};

/// A payload, or a part of it.
#[derive(Clone, Copy)]
pub(in crate::chat) struct Fields<'a>(pub(in crate::chat) &'a Value<'a>);

impl<'a> Fields<'a> {
    /// The part under this path of member names; nothing for `null`.
    pub(in crate::chat) fn at(self, path: &str) -> Option<Fields<'a>> {
        let mut value = self.0;
        for name in path.split('.') {
            value = value.as_object()?.get(name)?;
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
            Some(Fields(Value::Str(word))) => word == "true",
            _ => false,
        }
    }

    /// A list; empty when there is none.
    pub(in crate::chat) fn list(self, path: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let items: &'a [Value<'a>] = self
            .at(path)
            .and_then(|fields| fields.0.as_array())
            .unwrap_or_default();
        items.iter().map(Fields)
    }

    /// The members of an object, in their order; empty when there is none.
    pub(in crate::chat) fn members(
        self,
        path: &str,
    ) -> impl Iterator<Item = (&'a str, Fields<'a>)> + use<'a> {
        self.at(path).into_iter().flat_map(Fields::all)
    }

    /// The same of this one.
    pub(in crate::chat) fn all(self) -> impl Iterator<Item = (&'a str, Fields<'a>)> {
        let members = self.0.as_object().into_iter();
        members
            .flat_map(ObjectAsVec::iter)
            .map(|(name, value)| (name, Fields(value)))
    }
}

/// Reads an object of JSON; `None`: it is none. NUL characters are taken out of it, since Postgres stores none: in JSON they
/// stand escaped.
pub(in crate::chat) fn read<T>(text: &str, how: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
    if text.contains(r"\u0000") {
        let whole: serde_json::Value = serde_json::from_str(text).ok()?;
        return whole.is_object().then(|| read_value(whole, how));
    }
    let whole: Value<'_> = serde_json::from_str(text).ok()?;
    whole.is_object().then(|| how(Fields(&whole)))
}

/// The same of what is taken apart already, whatever it is.
pub(in crate::chat) fn read_value<T>(
    mut whole: serde_json::Value,
    how: impl FnOnce(Fields<'_>) -> T,
) -> T {
    without_nul(&mut whole);
    // Not by its own `From`, which reads positive numbers as signed ones. It takes any value.
    how(Fields(&Value::deserialize(&whole).unwrap_or_default()))
}

fn without_nul(value: &mut serde_json::Value) {
    use serde_json::Value;
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
