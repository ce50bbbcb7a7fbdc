//! `/api/requests`: ask, list and read requests with a token, for `idp request`, scripts and the demo page.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::operate::{self, Asked};
use crate::app::{App, Broken};
use crate::domain::id::RequestNumber;

/// The longest body, in bytes: a form's values.
const BODY: usize = 256 * 1024;
/// Requests of one listing, unless fewer are asked for.
const LISTED: u16 = 100;

/// The routes, for whoever brings the token.
pub fn router(app: App, token: SecretString) -> Router {
    let token = Arc::new(token);
    Router::new()
        .route("/api/requests", get(list).post(ask))
        .route("/api/requests/{number}", get(show))
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(middleware::from_fn_with_state(token, guard))
        .with_state(app)
}

/// Compares digests, so that neither the time nor the length tells anything of the token.
async fn guard(State(token): State<Arc<SecretString>>, request: Request, next: Next) -> Response {
    let brought = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let expected = token.expose_secret();
    let same = Sha256::digest(brought).ct_eq(&Sha256::digest(expected));
    if expected.is_empty() || !bool::from(same) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    open: bool,
    limit: Option<u16>,
}

async fn list(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    let limit = wanted.limit.unwrap_or(LISTED).min(LISTED);
    match operate::list(&app, wanted.open, limit).await {
        Ok(requests) => Json(requests).into_response(),
        Err(cause) => broken("listing requests", cause),
    }
}

async fn show(State(app): State<App>, Path(number): Path<i64>) -> Response {
    match operate::evidence(&app, RequestNumber(number)).await {
        Ok(Some(evidence)) => Json(evidence).into_response(),
        Ok(None) => {
            let missing = json!({ "error": format!("There is no request {number}.") });
            (StatusCode::NOT_FOUND, Json(missing)).into_response()
        }
        Err(cause) => broken("showing a request", cause),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    command: String,
    #[serde(default)]
    values: Map<String, Value>,
    /// Who asks, as the request will say.
    #[serde(default = "operator")]
    by: String,
}

fn operator() -> String {
    "operator".to_owned()
}

async fn ask(State(app): State<App>, Json(new): Json<New>) -> Response {
    match operate::ask(&app, &new.by, &new.command, new.values).await {
        Ok(Asked::Taken(number)) => {
            (StatusCode::CREATED, Json(json!({ "number": number }))).into_response()
        }
        Ok(Asked::Refused(refusal)) => {
            let said = json!({ "error": refusal.to_string(), "nearest": refusal.nearest });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(said)).into_response()
        }
        Ok(Asked::Wrong(errors)) => {
            let said = json!({ "error": "Some values are wrong.", "fields": errors });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(said)).into_response()
        }
        Err(cause) => broken("taking a request", cause),
    }
}

fn broken(doing: &str, cause: anyhow::Error) -> Response {
    let broken = Broken::log(doing, cause);
    let said =
        json!({ "error": "Something broke on our side.", "reference": broken.reference.as_str() });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(said)).into_response()
}
