//! The ear of all senders of a process: one connection that hears of raised messages, for however many installations.

use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::sending::Wake;
use crate::domain::id::InstallationId;

/// What was heard and not yet taken by a sender, at most. One that misses some looks.
const HEARD: usize = 256;

/// How soon it is listened again after the connection was lost; senders look each second meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells senders what is heard.
#[derive(Debug, Clone)]
pub struct Ear(broadcast::Sender<InstallationId>);

impl Default for Ear {
    fn default() -> Self {
        Self(broadcast::Sender::new(HEARD))
    }
}

impl Ear {
    /// Listens until told to stop.
    pub async fn listen(&self, app: &App, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let heard = tokio::select! {
                heard = self.hear(app) => heard,
                () = stop.cancelled() => return,
            };
            if let Err(error) = heard {
                tracing::warn!(%error, "Not woken by notifications; looking each second");
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Hears for as long as the connection stands.
    async fn hear(&self, app: &App) -> anyhow::Result<()> {
        let mut wake = Wake::listen(&app.pool).await?;
        loop {
            let installation = wake.raised().await?;
            let _ = self.0.send(installation); // refused while nobody sends
        }
    }

    /// What is heard from now on for an installation.
    pub(super) fn of(&self, installation: InstallationId) -> Raised {
        Raised {
            installation,
            heard: self.0.subscribe(),
        }
    }
}

/// What is heard for one installation.
pub(super) struct Raised {
    installation: InstallationId,
    heard: broadcast::Receiver<InstallationId>,
}

impl Raised {
    /// Resolves when messages were raised, or may have been.
    pub(super) async fn any(&mut self) {
        loop {
            match self.heard.recv().await {
                Ok(installation) if installation == self.installation => return,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}
