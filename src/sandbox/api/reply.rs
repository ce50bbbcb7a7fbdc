//! Answers of the Web API: 200 with `ok`, whatever happened, but for rate limits.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// A refusal by Slack's name for it.
#[derive(Debug)]
pub(in crate::sandbox) struct ApiError {
    name: &'static str,
    /// Boxed: errors travel in results beside small answers.
    more: Box<Map<String, Value>>,
    retry_after: Option<i64>,
}

impl ApiError {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            more: Box::default(),
            retry_after: None,
        }
    }

    /// With another member beside `error`.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// With `response_metadata.messages`.
    pub(super) fn messages(self, messages: &[String]) -> Self {
        self.with("response_metadata", json!({ "messages": messages }))
    }

    /// 429 for so many seconds.
    pub(super) fn rate_limited(seconds: i64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new("ratelimited")
        }
    }

    pub(super) fn missing_scope(needed: &[&str], granted: &[String]) -> Self {
        Self::new("missing_scope")
            .with("needed", needed.join(",").into())
            .with("provided", granted.join(",").into())
    }

    pub(super) fn status(&self) -> u16 {
        if self.retry_after.is_some() { 429 } else { 200 }
    }

    pub(super) fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("ok".into(), false.into());
        body.insert("error".into(), self.name.into());
        body.extend((*self.more).clone());
        body
    }
}

/// The HTTP answer.
pub(super) fn respond(outcome: Result<Map<String, Value>, ApiError>, scopes: &str) -> Response {
    let mut response = match outcome {
        Ok(mut body) => {
            body.insert("ok".into(), true.into());
            Json(body).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::OK);
            let mut response = (status, Json(error.body())).into_response();
            if let Some(seconds) = error.retry_after {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    };
    if let Ok(scopes) = HeaderValue::from_str(scopes) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-oauth-scopes"), scopes);
    }
    response
}

/// An answer's members.
pub(super) fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
