//! Being woken: raised messages notify, so that a card stands in a moment and polling is only a net.

use sqlx::postgres::PgListener;

use super::{Pool, Result, message};
use crate::domain::id::InstallationId;

/// A connection that listens for raised messages. It connects again by itself; what was notified meanwhile is lost,
/// which the net under it mends.
#[derive(Debug)]
pub struct Wake(PgListener);

impl Wake {
    /// Listens from now on.
    pub async fn listen(pool: &Pool) -> Result<Self> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(message::WAKE).await?;
        Ok(Self(listener))
    }

    /// Waits for raised messages; tells for which installation.
    pub async fn raised(&mut self) -> Result<InstallationId> {
        loop {
            let told = self.0.recv().await?;
            if let Ok(installation) = told.payload().parse::<InstallationId>() {
                return Ok(installation);
            }
        }
    }
}
