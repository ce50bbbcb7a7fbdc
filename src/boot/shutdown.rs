//! When to stop, and in which order.
//!
//! The first SIGTERM or SIGINT asks: readiness goes off, sockets and HTTP drain, workers finish or hand back their step,
//! the sender frees its lease, the pool closes, Postgres goes last. A second signal ends the process at once, and so does
//! the end of patience; what was under way is then found and taken up by the next process, as after any crash.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::problem::{OrFail, Problem};

/// How long an orderly stop may take: 25 s for steps to end (`worker::queue`) and a little for everything else, inside
/// the 30 s that Kubernetes grants by default.
pub const PATIENCE: Duration = Duration::from_secs(28);

/// Cancels `stop` at the first signal and ends the process at the second.
pub fn on_signals(stop: &CancellationToken) -> Result<(), Problem> {
    let mut terminate = signal(SignalKind::terminate()).or_fail("can't listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("can't listen for signals")?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(130); // 128 + SIGINT, as shells have it
            }
            stop.cancel();
        }
    });
    Ok(())
}

/// Cancels `stop` when standard input ends: the supervisor that held its other end is gone, however it went.
pub fn on_end_of_input(stop: &CancellationToken) {
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut input = tokio::io::stdin();
        let mut ignored = [0; 64];
        while input.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
        stop.cancel();
    });
}

/// Waits for tasks that were told to stop. What isn't done by then is named and left.
pub async fn drain(what: &str, tasks: &TaskTracker) -> bool {
    tasks.close();
    let done = tokio::time::timeout(PATIENCE, tasks.wait()).await.is_ok();
    if !done {
        tracing::warn!(left = tasks.len(), "{what} didn't end within {PATIENCE:?}");
    }
    done
}
