//! git's smart HTTP protocol: checks who asks for what, then lets `git http-backend` answer as a CGI program.
//!
//! It gets an environment that is made here from checked parts, and never a shell.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::{GitState, Who, cgi};
use crate::clients::forge::local::Entered;
use crate::clients::forge::{Forge as _, ForgeError, RepoName};

/// Largest push, in bytes: twice the largest tree that we make.
const MAX_PUSH: usize = 64 * 1024 * 1024;

/// Largest question of a fetch: a list of object names; git's own limit for it is 10 MB (`GIT_HTTP_MAX_REQUEST_BUFFER`).
const MAX_ASK: usize = 8 * 1024 * 1024;

/// How long to wait for one of the git processes that run at a time.
const QUEUE: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
pub(super) struct Service {
    service: Option<String>,
}

/// `GET /info/refs?service=…`: what there is to fetch, or where to push.
pub(super) async fn info_refs(
    State(state): State<Arc<GitState>>,
    Path((owner, name)): Path<(String, String)>,
    Query(query): Query<Service>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Response {
    let call = match query.service.as_deref() {
        Some("git-upload-pack") => Call::new("GET", "info/refs", "service=git-upload-pack", 0),
        Some("git-receive-pack") => Call::new("GET", "info/refs", "service=git-receive-pack", 0),
        // Git of the time before 1.6.6 asks without; it would then read the files one by one.
        _ => {
            return (
                StatusCode::FORBIDDEN,
                "Please use a git that speaks the smart protocol.\n",
            )
                .into_response();
        }
    };
    answer(&state, (owner, name), who, call, (headers, Body::empty())).await
}

/// `POST /git-upload-pack`: a fetch.
pub(super) async fn upload_pack(
    State(state): State<Arc<GitState>>,
    Path(names): Path<(String, String)>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(
        &state,
        names,
        who,
        Call::new("POST", "git-upload-pack", "", MAX_ASK),
        (headers, body),
    )
    .await
}

/// `POST /git-receive-pack`: a push.
pub(super) async fn receive_pack(
    State(state): State<Arc<GitState>>,
    Path(names): Path<(String, String)>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(
        &state,
        names,
        who,
        Call::new("POST", "git-receive-pack", "", MAX_PUSH),
        (headers, body),
    )
    .await
}

/// One of the three calls of the protocol.
#[derive(Clone, Copy, Debug)]
struct Call {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    limit: usize,
}

impl Call {
    const fn new(
        method: &'static str,
        path: &'static str,
        query: &'static str,
        limit: usize,
    ) -> Self {
        Self {
            method,
            path,
            query,
            limit,
        }
    }

    /// Whether it writes.
    fn pushes(&self) -> bool {
        self.path == "git-receive-pack"
    }
}

async fn answer(
    state: &GitState,
    (owner, name): (String, String),
    who: Who,
    call: Call,
    (headers, body): (HeaderMap, Body),
) -> Response {
    let Ok(repo) = RepoName::new(owner, name.strip_suffix(".git").unwrap_or(&name)) else {
        return no_repository();
    };
    let entered = match state.forge.look(&repo).await {
        Ok(None) => return no_repository(),
        Ok(Some(_)) if call.pushes() => state.forge.enter(&repo).await.map(Some),
        Ok(Some(_)) => Ok(None),
        Err(error) => Err(error),
    };
    let entered = match entered {
        Ok(entered) => entered,
        Err(error) => return refused(&error),
    };
    let Ok(Some(slot)) = tokio::time::timeout(QUEUE, state.forge.git().slot()).await else {
        return unavailable("Too many clones and pushes at once; please try again.\n");
    };
    if length(&headers).is_some_and(|length| length > call.limit) {
        return (
            StatusCode::PAYLOAD_TOO_LARGE,
            "This is more than the git server takes.\n",
        )
            .into_response();
    }
    let held = Held {
        _slot: slot,
        _entered: entered,
    };
    cgi::answer(
        command(state, &repo, &who, call, &headers),
        Limited::new(body, call.limit),
        held,
    )
    .await
}

/// What is kept until the conversation ends: one of git's places, and the repository in its.
#[derive(Debug)]
struct Held {
    _slot: OwnedSemaphorePermit,
    _entered: Option<Entered>,
}

/// `CONTENT_LENGTH` is left out: told a length, `git http-backend` reads for ever where a body breaks off before it
/// (seen with git 2.39.5); told none, it reads to the end.
fn command(
    state: &GitState,
    repo: &RepoName,
    who: &Who,
    call: Call,
    headers: &HeaderMap,
) -> std::process::Command {
    let mut command = state.forge.git().command();
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", state.forge.place().root())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REQUEST_METHOD", call.method)
        .env("PATH_INFO", format!("/{}.git/{}", repo.key(), call.path))
        .env("QUERY_STRING", call.query)
        .env(
            "REMOTE_USER",
            who.0
                .as_deref()
                .unwrap_or("local")
                .replace(char::is_control, " "),
        )
        .env("REMOTE_ADDR", "127.0.0.1");
    let given = [
        (CONTENT_TYPE, "CONTENT_TYPE"),
        (CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
        (HeaderName::from_static("git-protocol"), "GIT_PROTOCOL"),
    ];
    for (header, variable) in given {
        // Visible ASCII only (`to_str`), so no header can end a variable or begin another.
        if let Some(value) = headers.get(header).and_then(|value| value.to_str().ok()) {
            command.env(variable, value);
        }
    }
    command
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn no_repository() -> Response {
    (StatusCode::NOT_FOUND, "There is no such repository.\n").into_response()
}

fn unavailable(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], why).into_response()
}

fn refused(error: &ForgeError) -> Response {
    tracing::warn!("{}", error.detail());
    match error {
        ForgeError::Missing { .. } => no_repository(),
        ForgeError::Away { .. }
        | ForgeError::Limited { .. }
        | ForgeError::Paced { .. }
        | ForgeError::Full { .. } => unavailable("The git server can't reach its repositories.\n"),
        ForgeError::Busy { .. } => {
            unavailable("The repository is just being changed; please try again.\n")
        }
        ForgeError::Taken { .. }
        | ForgeError::Foreign { .. }
        | ForgeError::Refused { .. }
        | ForgeError::Unsure { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The git server could not read the repository.\n",
        )
            .into_response(),
    }
}
