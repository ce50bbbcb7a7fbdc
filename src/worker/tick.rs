//! The clock: each second one replica does what is due.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{App, due};

const EVERY: Duration = Duration::from_secs(1);

/// Ticks until told to stop.
pub async fn run(app: App, stop: CancellationToken) {
    let holder = Uuid::now_v7().to_string();
    while !stop.is_cancelled() {
        if let Err(error) = due::tick(&app, &holder).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "The clock could not be read; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    if let Err(error) = due::stop(&app, &holder).await {
        tracing::info!(%error, "The clock's lease runs out by itself");
    }
}
