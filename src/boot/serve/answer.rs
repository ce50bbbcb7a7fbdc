//! HTTP: answered until told to stop, then drained.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::boot::problem::{OrFail as _, Problem};
use crate::web;

/// How long HTTP drains: what is asked for is answered in moments, and a connection that is only held open
/// isn't waited for.
const HTTP_PATIENCE: Duration = Duration::from_secs(10);

/// Answers over HTTP until told to stop; what was begun by then ends, as far as that takes no longer than it should.
pub(super) async fn answer(
    listener: TcpListener,
    router: Router,
    health: Arc<web::health::Health>,
    stop: &CancellationToken,
) -> Result<(), Problem> {
    let draining = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            health.fails("process", "stopping");
        }
    };
    let routes = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(draining);
    tokio::select! {
        served = serving.into_future() => served.or_fail("the web server broke"),
        () = after(stop, HTTP_PATIENCE) => {
            tracing::warn!("HTTP connections didn't end within {HTTP_PATIENCE:?}");
            Ok(())
        }
    }
}

/// Resolves so long after the stop.
pub(super) async fn after(stop: &CancellationToken, patience: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(patience).await;
}
