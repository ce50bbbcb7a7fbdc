//! Which part of the work a process does.

/// Which part of the work this process does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Deliveries and pages.
    Web,
    /// Jobs and messages.
    Worker,
}

impl Role {
    pub(super) const fn web(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    pub(super) const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}
