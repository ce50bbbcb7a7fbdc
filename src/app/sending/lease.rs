//! Who may send: one process at a time for an installation.

use crate::app::{App, lease};
use crate::domain::id::InstallationId;
use crate::store;

/// The word that one process alone sends for an installation. Whoever holds one may take messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// For which installation.
    pub installation: InstallationId,
    /// Who.
    pub holder: String,
}

impl Lease {
    pub(super) fn name(&self) -> String {
        format!("sender:{}", self.installation)
    }

    fn word(&self) -> lease::Lease {
        lease::Lease::of(self.name(), self.holder.clone())
    }

    /// Takes or renews the lease; false: another process has it.
    pub async fn hold(&self, app: &App) -> store::Result<bool> {
        self.word().hold(app).await
    }

    /// Gives it back, so that another need not wait.
    pub async fn free(&self, app: &App) -> store::Result<()> {
        self.word().free(app).await
    }
}
