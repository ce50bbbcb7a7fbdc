//! Puts the simulator on a listener.

use std::{
    future::{Future, IntoFuture},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, routing::get};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Levers, SandboxConfig, api, control, deliver, discord, page, world::World};

/// As much as a call may send; Slack's own bound for a JSON body is 1 MB.
const BODY_BYTES: usize = 1024 * 1024;

/// How long calls in flight may take once the simulator was told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Why the simulator can't start or go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The state file can't be read or written.
    #[error("can't use {}: {cause}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system or the parser said.
        cause: String,
    },
    /// The HTTP client can't be made.
    #[error("can't make an HTTP client: {0}")]
    Http(String),
    /// The listener failed.
    #[error("can't serve: {0}")]
    Listen(#[from] std::io::Error),
    /// The listener's address makes no URL.
    #[error("can't make an address of {0}")]
    Address(String),
}

/// A running simulator.
pub struct Sandbox {
    /// Its world, for acts and pages in the same process.
    pub world: Arc<World>,
    /// Ends when the shutdown was asked for and the workspace is kept.
    pub done: tokio::task::JoinHandle<Result<(), SandboxError>>,
}

/// Serves the simulator on `listener` until `shutdown` completes, then keeps the workspace.
///
/// # Errors
/// When the state file or the listener can't be used.
pub fn serve(
    config: SandboxConfig,
    listener: TcpListener,
    levers: Levers,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Sandbox, SandboxError> {
    let base = if let Some(base) = &config.base_url {
        base.clone()
    } else {
        let address = format!("http://{}/", listener.local_addr()?);
        Url::parse(&address).map_err(|_| SandboxError::Address(address))?
    };
    let world = World::open(config, levers, base)?;
    let done = tokio::spawn(run(Arc::clone(&world), listener, shutdown));
    Ok(Sandbox { world, done })
}

async fn run(
    world: Arc<World>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SandboxError> {
    let saver = tokio::spawn(Arc::clone(&world).keep_saving());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let serving = axum::serve(listener, router(Arc::clone(&world)))
        .with_graceful_shutdown(async move { stopped.cancelled().await });
    let mut task = tokio::spawn(serving.into_future());
    let ended = tokio::select! {
        ended = &mut task => Some(ended),
        () = shutdown => None,
    };
    let ended = if ended.is_some() {
        ended
    } else {
        world.links().refresh(None, "link_disabled");
        stop.cancel();
        // Live pages never end by themselves: after the grace they are cut.
        let ended = timeout(GRACE, &mut task).await.ok();
        task.abort();
        ended
    };
    saver.abort();
    world.save().await?;
    match ended {
        Some(Ok(result)) => Ok(result?),
        Some(Err(cause)) => Err(SandboxError::Listen(std::io::Error::other(cause))),
        None => Ok(()),
    }
}

/// Everything the simulator answers: Web API, response URLs, Socket Mode, REST API, gateway, pages, control.
pub fn router(world: Arc<World>) -> Router {
    Router::new()
        .merge(api::routes())
        .merge(discord::routes())
        .merge(page::routes())
        .route("/link", get(deliver::connect))
        .nest("/sim", control::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(world)
}
