//! The word that one process alone does something at a time: a row with a deadline, which its holder renews.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::App;
use crate::store::{self, Conn};

/// How long a holder is believed without a sign of life: a few seconds, so that another goes on soon after a crash.
pub const LEASE: TimeDelta = TimeDelta::seconds(4);

/// How often its holder renews it.
pub const RENEW: Duration = Duration::from_secs(1);

/// A lease, and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
}

impl Lease {
    /// Asked for by somebody new.
    pub fn new(name: String) -> Self {
        Self::of(name, Uuid::now_v7().to_string())
    }

    pub(super) const fn of(name: String, holder: String) -> Self {
        Self { name, holder }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes or renews the lease; false: another process has it.
    pub async fn hold(&self, app: &App) -> store::Result<bool> {
        let mut tx = store::begin(&app.pool).await?;
        let now = store::now(&mut tx).await?;
        let held = self.take(&mut tx, now).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// The same within a transaction of the caller's: no other process takes it before that ends.
    pub(super) async fn take(&self, conn: &mut Conn, now: DateTime<Utc>) -> store::Result<bool> {
        let until = now + LEASE;
        store::lease::take(conn, &self.name, &self.holder, now, until).await
    }

    /// Gives it back, so that another need not wait.
    pub async fn free(&self, app: &App) -> store::Result<()> {
        let mut conn = app.pool.acquire().await?;
        store::lease::free(&mut conn, &self.name, &self.holder).await
    }
}
