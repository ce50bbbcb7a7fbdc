//! Asking a platform who we are, until it says so.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::web::health::Health;

/// Tries until the platform answers; `None` when told to stop first. `waits` between two tries grow from the first to the
/// longest, and the part of `/readyz` fails meanwhile.
pub(super) async fn until_met<T, F: Future<Output = anyhow::Result<T>>>(
    platform: &str,
    waits: (Duration, Duration),
    (health, part): (&Health, &'static str),
    stop: &CancellationToken,
    introduce: impl Fn() -> F,
) -> Option<T> {
    let (mut wait, longest) = waits;
    loop {
        let introduced = tokio::select! {
            introduced = introduce() => introduced,
            () = stop.cancelled() => return None,
        };
        match introduced {
            Ok(met) => {
                health.works(part);
                return Some(met);
            }
            Err(error) => {
                health.fails(part, "not reached; the log says why");
                let error = format!("{error:#}");
                tracing::warn!(error, "{platform} can't be reached; tried again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return None,
        }
        wait = (wait * 2).min(longest);
    }
}
