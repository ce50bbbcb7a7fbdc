//! What syncs and look-ups tell about installations, accounts, groups and channels.

use super::App;
use crate::domain::event::PlaceKind;
use crate::domain::id::InstallationId;
use crate::domain::person::{AccountKind, Platform};

/// An installation as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationFacts {
    /// The platform.
    pub platform: Platform,
    /// Its id there (`T…`).
    pub external: String,
    /// Its name.
    pub name: String,
    /// The app that we are there (`A…`), where it is known.
    pub app: Option<String>,
    /// Our own account there (`U…`).
    pub bot_account: Option<String>,
}

/// An account as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its id there.
    pub external: String,
    /// The name people read.
    pub name: String,
    /// Full, guest, outsider or bot.
    pub kind: AccountKind,
    /// False once deactivated.
    pub active: bool,
}

/// A user group as the platform tells it, with all its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformGroup {
    /// Its id there.
    pub external: String,
    /// Its handle, without `@`.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// The platform's ids of its members.
    pub members: Vec<String>,
}

/// A channel as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFacts {
    /// Its id there.
    pub external: String,
    /// Its name without `#`, where it has one.
    pub name: Option<String>,
    /// Its kind.
    pub kind: PlaceKind,
    /// Whether the bot can post there, where it is known.
    pub usable: Option<bool>,
    /// The platform's ids of its members, where they were read.
    pub members: Option<Vec<String>>,
}

/// Makes an installation known, or brings what is known of it up to date. At start, once the platform told who we are.
pub async fn record_installation(
    app: &App,
    facts: &InstallationFacts,
) -> anyhow::Result<InstallationId> {
    let _ = (app, facts);
    anyhow::bail!("recording installations is not there yet")
}

/// Marks an installation's token as refused by the platform, or good again.
pub async fn record_token(
    app: &App,
    installation: InstallationId,
    good: bool,
) -> anyhow::Result<()> {
    let _ = (app, installation, good);
    anyhow::bail!("recording tokens is not there yet")
}

/// Replaces all groups of an installation by what one reading of the whole list told.
pub async fn record_groups(
    app: &App,
    installation: InstallationId,
    groups: &[PlatformGroup],
) -> anyhow::Result<()> {
    let _ = (app, installation, groups);
    anyhow::bail!("recording groups is not there yet")
}

/// Keeps what a look-up told of an account. One that was deactivated loses its open requests.
pub async fn record_account(
    app: &App,
    installation: InstallationId,
    facts: &AccountFacts,
) -> anyhow::Result<()> {
    let _ = (app, installation, facts);
    anyhow::bail!("recording accounts is not there yet")
}

/// Keeps what was learned of a channel.
pub async fn record_channel(
    app: &App,
    installation: InstallationId,
    facts: &ChannelFacts,
) -> anyhow::Result<()> {
    let _ = (app, installation, facts);
    anyhow::bail!("recording channels is not there yet")
}

/// The platform's ids of accounts that are worth looking up: named by the configuration or by a delivery, not yet known.
pub async fn unknown_accounts(
    app: &App,
    installation: InstallationId,
) -> anyhow::Result<Vec<String>> {
    let _ = (app, installation);
    anyhow::bail!("finding unknown accounts is not there yet")
}
