//! Arguments of a Web API call: query, form or JSON, with the JSON inside form fields opened.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::reply::ApiError;

/// Arguments that are JSON even when they come in a form field.
const NESTED: [&str; 4] = ["blocks", "attachments", "view", "metadata"];

/// What the app sent.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Args(Map<String, Value>);

impl Args {
    /// Reads query and body.
    pub(super) fn read(
        query: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let mut args = Map::new();
        form(query.unwrap_or_default().as_bytes(), &mut args);
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            if !body.is_empty() {
                match serde_json::from_slice(body) {
                    Ok(Value::Object(sent)) => args.extend(sent),
                    Ok(_) => return Err(ApiError::new("json_not_object")),
                    Err(_) => return Err(ApiError::new("invalid_json")),
                }
            }
        } else {
            form(body, &mut args);
        }
        for name in NESTED {
            if let Some(Value::String(text)) = args.get(name)
                && let Ok(value) = serde_json::from_str::<Value>(text)
            {
                args.insert(name.to_owned(), value);
            }
        }
        Ok(Self(args))
    }

    /// The token from the header, else from the arguments.
    pub(super) fn token(&self, headers: &HeaderMap) -> String {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(ToOwned::to_owned)
            .or_else(|| self.text("token"))
            .unwrap_or_default()
    }

    /// A string argument; an empty one counts as left out.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A string argument that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| {
            let message = format!("[ERROR] missing required field: {name}");
            ApiError::new("invalid_arguments").messages(&[message])
        })
    }

    /// A flag; absent is false.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(set)) => *set,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// Any argument.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Everything, as one JSON object.
    pub(super) fn all(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Everything but the token.
    pub(super) fn shown(mut self) -> Value {
        self.0.remove("token");
        Value::Object(self.0)
    }
}

fn form(bytes: &[u8], args: &mut Map<String, Value>) {
    for (name, value) in url::form_urlencoded::parse(bytes) {
        args.insert(name.into_owned(), value.into_owned().into());
    }
}
