//! The two addresses: the API's (as api.github.com) and the web's (as github.com: git, the device flow, and the API again
//! under `/api/v3`, where an Enterprise Server has it).

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::answer::Answer;
use super::api::{self, Request};
use super::world::World;
use super::{device, git};

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Api,
    Web,
}

/// What both sides share.
pub struct Shared {
    pub world: Arc<Mutex<World>>,
    pub in_flight: AtomicUsize,
}

/// Takes connections until the runtime ends.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, side: Side) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { answer(&shared, side, request).await }
            });
            // An error here is a connection that was broken, by them or by a lever.
            let _broken = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Response = hyper::Response<Body>;

/// An `Err` breaks the connection without a word.
async fn answer(
    shared: &Arc<Shared>,
    side: Side,
    request: hyper::Request<Incoming>,
) -> io::Result<Response> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().to_owned();
    let mut headers = BTreeMap::new();
    for (name, value) in &head.headers {
        headers.insert(
            name.as_str().to_owned(),
            value.to_str().unwrap_or_default().to_owned(),
        );
    }
    let mut request = Request {
        method: head.method.to_string(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: Bytes::into(body),
    };
    let broken = || io::Error::from(io::ErrorKind::ConnectionAborted);
    if side == Side::Web {
        if git::parts(&request.path).is_some() {
            let said = git::answer(&shared.world, request)
                .await
                .ok_or_else(broken)?;
            return Ok(respond(said.status, &said.headers, Body::from(said.bytes)));
        }
        match request.path.strip_prefix("/api/v3") {
            Some(rest) => request.path = rest.to_owned(),
            None => {
                let said = blocking(shared, move |shared| {
                    let mut world = shared.world.lock().unwrap();
                    match &*request.path {
                        "/login/device/code" | "/login/oauth/access_token" => {
                            device::answer(&mut world, &request)
                        }
                        _ => Some(Answer::not_found()),
                    }
                    .map(|answer| finish(&world, answer))
                });
                return said.await.ok_or_else(broken);
            }
        }
    }
    let said = blocking(shared, move |shared| {
        let in_flight = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        let mut world = shared.world.lock().unwrap();
        world.limits.in_flight = in_flight;
        let said = api::answer(&mut world, request).map(|answer| finish(&world, answer));
        shared.in_flight.fetch_sub(1, Ordering::Relaxed);
        said
    });
    said.await.ok_or_else(broken)
}

/// Work under the lock, which waits for git, away from the sockets. A panic there is a fault of this server.
async fn blocking(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Option<Response> + Send + 'static,
) -> Option<Response> {
    let inner = Arc::clone(shared);
    match tokio::task::spawn_blocking(move || work(&inner)).await {
        Ok(said) => said,
        Err(panicked) => {
            let mut world = shared.world.lock().unwrap_or_else(|poisoned| {
                shared.world.clear_poison();
                poisoned.into_inner()
            });
            world.fault(format!("this server broke: {panicked}"));
            None
        }
    }
}

/// Adds what every answer of GitHub's carries; its date is GitHub's clock.
fn finish(world: &World, answer: Answer) -> Response {
    let mut headers = answer.headers;
    headers.push((
        "date",
        world.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    ));
    headers.push(("server", "github.com".to_owned()));
    headers.push(("x-github-media-type", "github.v3; format=json".to_owned()));
    headers.push((
        "x-github-request-id",
        format!("IDP0:{:06X}", world.log.len()),
    ));
    let body = match &answer.body {
        Some(body) => {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    respond(answer.status, &headers, body)
}

fn respond(status: u16, headers: &[(&'static str, String)], body: Body) -> Response {
    let mut response = hyper::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(body).unwrap()
}
