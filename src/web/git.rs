//! The local forge on the web: `git clone` and `git push` under `/git/OWNER/NAME.git`, and a page per repository.
//!
//! Whoever reaches a loopback address without a proxy is on this machine already, so there it is open; anywhere else
//! every request carries a personal token. Names are checked before anything is made of them, so no path leaves the forge's folder.

mod access;
mod backend;
mod cgi;
mod page;
mod readme;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

pub use self::access::{Verify, Who};
use crate::clients::forge::local::LocalForge;

/// What the routes need.
#[derive(Clone)]
pub struct GitState {
    forge: LocalForge,
    /// Whether requests that look written on this machine need no token.
    open: bool,
    verify: Verify,
}

impl GitState {
    /// `open`: the server listens on loopback addresses only, and nothing passes others' requests on to it. `verify` says
    /// whose personal token it is.
    pub fn new(forge: LocalForge, open: bool, verify: Verify) -> Self {
        Self {
            forge,
            open,
            verify,
        }
    }
}

/// Everything under `/git`.
pub fn router(state: GitState) -> Router {
    let state = Arc::new(state);
    Router::new()
        .route("/git", get(page::index))
        .route("/git/", get(page::index))
        .route("/git/{owner}/{name}", get(page::repository))
        .route("/git/{owner}/{name}/tree/{*path}", get(page::folder))
        .route("/git/{owner}/{name}/blob/{*path}", get(page::file))
        .route("/git/{owner}/{name}/raw/{*path}", get(page::raw))
        .route("/git/{owner}/{name}/info/refs", get(backend::info_refs))
        .route(
            "/git/{owner}/{name}/git-upload-pack",
            post(backend::upload_pack),
        )
        .route(
            "/git/{owner}/{name}/git-receive-pack",
            post(backend::receive_pack),
        )
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            access::check,
        ))
        .with_state(state)
}
