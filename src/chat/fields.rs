//! JSON of a platform, read so that nothing in it can be wrong: a field is there and of its type, or absent.
//!
//! Payloads are large and little of them is wanted (a form comes back with every block that it was drawn with), so they are
//! read in place: texts are borrowed from what came wherever nothing in them is escaped.

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

/// Reads an object of JSON; `None`: it is none. NUL characters are taken out of its texts, since Postgres stores none: in JSON
/// they stand escaped.
pub(in crate::chat) fn read<T>(text: &str, how: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
    if !text.contains(r"\u0000")
        && let Ok(whole) = serde_json::from_str::<Value<'_>>(text)
    {
        return whole.is_object().then(|| how(Fields(&whole)));
    }
    // Numbers with a fraction come as an object where serde_json keeps them as they are written, which a dependency asks for;
    // not everything is read in place.
    let whole: serde_json::Value = serde_json::from_str(text).ok()?;
    whole.is_object().then(|| read_value(whole, how))
}

/// The same of what is taken apart already, whatever it is.
pub(in crate::chat) fn read_value<T>(
    mut whole: serde_json::Value,
    how: impl FnOnce(Fields<'_>) -> T,
) -> T {
    without_nul(&mut whole);
    how(Fields(&borrowed(&whole)))
}

/// Not by the crate's own `From`, which reads positive numbers as signed ones and panics on very large ones.
fn borrowed(value: &serde_json::Value) -> Value<'_> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(yes) => Value::Bool(*yes),
        serde_json::Value::Number(number) => number
            .as_u64()
            .map(Value::from)
            .or_else(|| number.as_i64().map(Value::from))
            .or_else(|| number.as_f64().map(Value::from))
            .unwrap_or_default(),
        serde_json::Value::String(text) => Value::Str(text.into()),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(borrowed).collect()),
        serde_json::Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, value)| (&**name, borrowed(value)))
                    .collect(),
            )
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_that_json_can_hold_are_read() {
        for number in [
            "1",
            "-1",
            "1.5",
            "1e3",
            "-0",
            "1e999",
            "18446744073709551616",
        ] {
            let text = format!(r#"{{ "n": {number}, "type": 2, "name": "new" }}"#);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let is_read = |fields: Fields<'_>| {
                let kind = fields.at("type").and_then(|kind| kind.0.as_u64());
                assert_eq!(
                    (kind, fields.text("name")),
                    (Some(2), Some("new")),
                    "{number}"
                );
            };
            assert_eq!(read(&text, is_read), Some(()), "{number}");
            read_value(value, is_read);
        }
    }

    #[test]
    fn texts_lose_their_nul_characters_and_what_is_escaped_is_read() {
        let text = r#"{ "a\u0041": "x\u0000y", "b": "\\u0000", "c": "\"" }"#;
        let is_read = |fields: Fields<'_>| {
            let all: Vec<_> = fields
                .all()
                .map(|(name, text)| (name, text.0.as_str()))
                .collect();
            let wanted = [
                ("aA", Some("xy")),
                ("b", Some(r"\u0000")),
                ("c", Some("\"")),
            ];
            assert_eq!(all, wanted);
        };
        assert_eq!(read(text, is_read), Some(()));
    }

    #[test]
    fn what_is_no_object_is_not_read() {
        for text in ["", "[]", "null", "1.5", r#""\u0000""#, "{"] {
            assert_eq!(read(text, |_| ()), None, "{text}");
        }
    }
}
