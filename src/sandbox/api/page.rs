//! Slack's pages: a limit and a cursor. <https://docs.slack.dev/apis/web-api/pagination>

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{args::Args, reply::ApiError};

/// One page of a list, and the cursor to the next.
pub(super) fn page(args: &Args, all: Vec<Value>) -> Result<(Value, Value), ApiError> {
    let invalid = || ApiError::new("invalid_cursor");
    let from: usize = match args.text("cursor") {
        None => 0,
        Some(cursor) => STANDARD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("next:")?.parse().ok())
            .ok_or_else(invalid)?,
    };
    let limit: usize = match args.text("limit") {
        None => 100,
        Some(limit) => limit.parse().map_err(|_| ApiError::new("invalid_limit"))?,
    };
    let limit = limit.clamp(1, 1000);
    let end = (from + limit).min(all.len());
    let cursor = if end < all.len() {
        STANDARD.encode(format!("next:{end}"))
    } else {
        String::new()
    };
    let items: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    Ok((json!(items), json!({ "next_cursor": cursor })))
}
