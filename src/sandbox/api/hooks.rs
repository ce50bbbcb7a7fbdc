//! Response URLs: five posts within half an hour.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::args::Args;
use crate::sandbox::{
    acts::RespondError,
    world::{CallRecord, World},
};

/// `POST /hooks/{commands|actions}/T…/number/secret`
pub(super) async fn respond(
    State(world): State<Arc<World>>,
    Path((_, _, _, secret)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let body = Args::read(None, &headers, &body).map_or(Value::Null, |args| args.all());
    let result = match &body {
        // Forms carry the JSON in a field named `payload`, as incoming webhooks always have.
        Value::Object(form) => match form.get("payload").and_then(Value::as_str) {
            Some(text) => world.responded(&secret, &serde_json::from_str(text).unwrap_or_default()),
            None => world.responded(&secret, &body),
        },
        _ => Err(RespondError::Content("invalid_payload", Vec::new())),
    };
    let (status, answer, touched) = match result {
        Ok(touched) => (StatusCode::OK, json!({ "ok": true }), touched),
        Err(error) => {
            let status = match &error {
                RespondError::Content(..) => StatusCode::BAD_REQUEST,
                RespondError::Ticket(_) | RespondError::NoOriginal => StatusCode::NOT_FOUND,
            };
            (status, json!({ "ok": false, "error": error.error() }), None)
        }
    };
    world.with(|inner| {
        let record = CallRecord {
            id: inner.log.next_id(),
            method: "response_url".into(),
            args: body,
            at: inner.now,
            status: status.as_u16(),
            answer: answer.clone(),
            touched,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        inner.log_call(record);
    });
    (status, Json(answer)).into_response()
}
