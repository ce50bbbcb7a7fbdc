//! What people may break from the demo's page, and how it is mended.

use std::sync::Arc;
use std::time::Duration;

use super::bot::Bot;
use super::place::Place;
use crate::sandbox::{Levers, Pulled, RequestsApi};

/// The levers of a demo.
pub(super) fn of(bot: &Bot, place: &Place, evidence: RequestsApi) -> Levers {
    let bot = bot.killer();
    let (here, away) = place.forge();
    let forge = Arc::new(tokio::sync::Mutex::new((here, away)));
    Levers {
        kill_bot: Some(Box::new(move || {
            let killed = bot.kill();
            Box::pin(async move { killed }) as Pulled
        })),
        forge_away: Some(Box::new(move |time| {
            let forge = Arc::clone(&forge);
            Box::pin(async move {
                let held = forge
                    .try_lock_owned()
                    .map_err(|_| "The git server is away already.".to_owned())?;
                let (here, away) = &*held;
                std::fs::rename(here, away)
                    .map_err(|_| "There is no git server yet.".to_owned())?;
                tokio::spawn(async move {
                    let (here, away) = &*held;
                    tokio::time::sleep(time.min(LONGEST)).await;
                    if let Err(error) = std::fs::rename(away, here) {
                        tracing::error!(%error, "The forge can't be brought back");
                    }
                });
                Ok(())
            })
        })),
        requests: Some(evidence),
    }
}

/// However long somebody wants the forge away, it comes back.
const LONGEST: Duration = Duration::from_mins(5);
