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

use crate::app::operator::{self, NotAsked};
use crate::app::{App, Broken};
use crate::domain::id::RequestNumber;
use crate::domain::view::RequestView;

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
    match operator::list(&app, wanted.open, limit).await {
        Ok(views) => {
            let requests: Vec<Value> = views.iter().map(short).collect();
            Json(json!({ "requests": requests })).into_response()
        }
        Err(cause) => broken("listing requests", cause),
    }
}

/// A request in a list; its own address tells the rest.
fn short(view: &RequestView) -> Value {
    let run = view.run.as_ref();
    json!({ "number": view.number, "id": view.id, "command": view.command, "subject": view.subject,
        "state": view.state, "since": view.since,
        "run": run.map(|run| run.state), "run_since": run.map(|run| run.since) })
}

async fn show(State(app): State<App>, Path(number): Path<i64>) -> Response {
    let shown = operator::show(&app, RequestNumber(number)).await;
    let document = shown.and_then(|shown| Ok(shown.map(|shown| shown.json()).transpose()?));
    match document {
        Ok(Some(document)) => Json(document).into_response(),
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
    #[serde(default = "nameless")]
    by: String,
}

fn nameless() -> String {
    "operator".to_owned()
}

async fn ask(State(app): State<App>, Json(new): Json<New>) -> Response {
    match operator::ask(&app, &new.by, &new.command, &new.values).await {
        Ok(Ok(view)) => {
            let taken = json!({ "number": view.number });
            (StatusCode::CREATED, Json(taken)).into_response()
        }
        Ok(Err(NotAsked::Refused(refusal))) => {
            let said = json!({ "error": refusal.to_string(), "nearest": refusal.nearest });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(said)).into_response()
        }
        Ok(Err(NotAsked::Wrong(errors))) => {
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
