//! Linking an account on GitHub to a person: the life of one code.

use chrono::{DateTime, Utc};

use crate::domain::slash::Slash;

words! {
    /// Where a code stands.
    pub enum LinkState {
        /// GitHub is asked for one.
        Asked = "asked",
        /// The person has it.
        Coded = "coded",
        /// It was used: the account is linked.
        Linked = "linked",
        /// It was used by somebody whose account belongs to another person here.
        Taken = "taken",
        /// The person declined on GitHub.
        Declined = "declined",
        /// Nobody used it in time.
        Expired = "expired",
        /// The App on GitHub doesn't take part.
        Disabled = "disabled",
        /// GitHub gave no answer, or none that makes sense.
        Failed = "failed",
        /// A newer code was asked for.
        Replaced = "replaced",
    }
}

impl LinkState {
    /// Whether it waits for something still.
    pub const fn open(self) -> bool {
        matches!(self, Self::Asked | Self::Coded)
    }
}

/// A code as cards show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Where it stands.
    pub state: LinkState,
    /// What is to be typed, and at which address, once GitHub gave it.
    pub code: Option<(String, String)>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// The login on GitHub that it came to.
    pub login: Option<String>,
    /// The command, as whoever asked for it types it.
    pub slash: Slash,
}
