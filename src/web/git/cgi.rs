//! One conversation with a CGI program (RFC 3875): the request streams in, the answer streams out, and nothing of the
//! program is left when the response is done or dropped.

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http_body_util::{BodyExt as _, Limited};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// How long a clone or push may take in all. Repositories here are small; what takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(5);

/// Most bytes of headers that the program may answer with.
const MAX_HEAD: u64 = 16 * 1024;

/// Response headers that are the program's to set.
const PASSED_ON: [HeaderName; 4] = [CONTENT_TYPE, CACHE_CONTROL, EXPIRES, PRAGMA];

/// Runs the program on a request. `held` is dropped when it has ended.
pub(super) async fn answer(
    mut command: std::process::Command,
    body: Limited<Body>,
    held: impl Send + 'static,
) -> Response {
    // `git` starts a program of its own for this, and that one others: a group, to be ended as one.
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    match Command::from(command).spawn() {
        Ok(child) => converse(Group(child), body, Box::new(held)).await,
        Err(error) => {
            tracing::error!(%error, "git http-backend could not be started");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The git server can't run git.\n",
            )
                .into_response()
        }
    }
}

/// The program and those that it starts. Dropping it ends them all; one that ended by itself left none behind.
///
/// By SIGTERM: git then removes the lock files that it holds, and no branch stays locked for ever.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let id = self
            .0
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(id) = id {
            let _gone_already = kill_process_group(id, Signal::TERM);
        }
    }
}

/// The program at work: dropped with the response, and with it everything that it holds.
struct Conversation {
    out: BufReader<ChildStdout>,
    child: Group,
    _feeding: AbortOnDropHandle<()>,
    _held: Box<dyn Send>,
    until: Instant,
}

async fn converse(mut child: Group, body: Limited<Body>, held: Box<dyn Send>) -> Response {
    let (Some(stdin), Some(stdout), Some(stderr)) = (
        child.0.stdin.take(),
        child.0.stdout.take(),
        child.0.stderr.take(),
    ) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let feeding = AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::join!(feed(body, stdin), hear(stderr));
    }));
    let until = Instant::now() + PATIENCE;
    let mut talk = Conversation {
        out: BufReader::new(stdout),
        child,
        _feeding: feeding,
        _held: held,
        until,
    };
    match tokio::time::timeout_at(until, read_head(&mut talk.out)).await {
        Ok(Ok((status, headers))) => {
            (status, headers, Body::from_stream(talk.into_stream())).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "git http-backend gave no answer");
            (StatusCode::BAD_GATEWAY, "Git broke off.\n").into_response()
        }
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, "Git took too long.\n").into_response(),
    }
}

/// The request's body into the program. When the program has read enough, or the body breaks off, so does this.
async fn feed(mut body: Limited<Body>, mut stdin: ChildStdin) {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            tracing::info!("A request to git broke off, or was larger than it may be");
            return;
        };
        if let Ok(bytes) = frame.into_data()
            && stdin.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
}

/// What the program complains about goes to the log.
async fn hear(mut stderr: ChildStderr) {
    let mut said = Vec::new();
    let _until_it_ends = (&mut stderr).take(4096).read_to_end(&mut said).await;
    if !said.is_empty() {
        tracing::warn!(
            "git http-backend: {}",
            String::from_utf8_lossy(&said).trim()
        );
    }
    let _rest = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
}

/// The CGI head: lines up to an empty one; `Status` is the status.
async fn read_head(out: &mut BufReader<ChildStdout>) -> std::io::Result<(StatusCode, HeaderMap)> {
    let mut lines = out.take(MAX_HEAD);
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok((status, headers));
        };
        if name.eq_ignore_ascii_case("status") {
            let code = value
                .split_whitespace()
                .next()
                .and_then(|code| code.parse().ok());
            status = code.unwrap_or(StatusCode::BAD_GATEWAY);
        } else if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.trim()),
        ) && PASSED_ON.contains(&name)
        {
            headers.insert(name, value);
        }
    }
}

impl Conversation {
    /// The rest of what the program says. A program that fails in the middle breaks the body off, so that git sees it.
    fn into_stream(self) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
        stream::try_unfold(self, |mut talk| async move {
            let mut chunk = Vec::with_capacity(64 * 1024);
            let read = tokio::time::timeout_at(talk.until, talk.out.read_buf(&mut chunk));
            let n = read.await.map_err(|_| std::io::ErrorKind::TimedOut)??;
            if n > 0 {
                return Ok(Some((Bytes::from(chunk), talk)));
            }
            if talk.child.0.wait().await?.success() {
                return Ok(None);
            }
            Err(std::io::Error::other("git http-backend failed"))
        })
    }
}
