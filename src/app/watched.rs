//! What `worker` is to learn of the platforms, and whose turn it is to ask: one replica asks, all know.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::App;
use crate::domain::id::{AccountId, InstallationId};
use crate::domain::person::Account;
use crate::store;

/// Takes the turn of a piece of recurring work, over all replicas; false: it isn't due yet.
pub async fn turn(app: &App, name: &str, every: TimeDelta) -> store::Result<bool> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let taken = store::timer::take_turn(&mut tx, name, now - every, now).await?;
    tx.commit().await?;
    Ok(taken)
}

/// The account that a look-up job is for.
pub async fn account(app: &App, id: AccountId) -> store::Result<Account> {
    let mut conn = app.pool.acquire().await?;
    store::account::get(&mut conn, id).await
}

/// Our own account in an installation, where it is known.
pub async fn bot(app: &App, installation: InstallationId) -> store::Result<Option<String>> {
    let mut conn = app.pool.acquire().await?;
    let installation = store::installation::get(&mut conn, installation).await?;
    Ok(installation.bot_account)
}

/// Whether the platform refuses us there: the token is no good, or we were taken out.
pub async fn revoked(app: &App, installation: InstallationId) -> store::Result<bool> {
    let mut conn = app.pool.acquire().await?;
    let installation = store::installation::get(&mut conn, installation).await?;
    Ok(installation.revoked_at.is_some())
}

/// The platform's ids of an installation's active full members, as far as they are known.
pub async fn members(app: &App, installation: InstallationId) -> store::Result<Vec<String>> {
    let mut conn = app.pool.acquire().await?;
    store::account::members(&mut conn, installation).await
}

/// The platform's ids of those who aren't in an installation, as far as is known.
pub async fn gone(app: &App, installation: InstallationId) -> store::Result<Vec<String>> {
    let mut conn = app.pool.acquire().await?;
    store::account::gone(&mut conn, installation).await
}

/// The platform's ids of channels whose members must be known: where requests stand, and where they are to stand.
pub async fn channels(app: &App, installation: InstallationId) -> store::Result<BTreeSet<String>> {
    let mut conn = app.pool.acquire().await?;
    let mut found: BTreeSet<String> = store::thread::open_channels(&mut conn, installation)
        .await?
        .into_iter()
        .collect();
    let catalog = app.library.current();
    let settings = app.settings.current();
    let configured = &settings.channels;
    let names = configured
        .default
        .iter()
        .chain(configured.commands.values())
        .chain(configured.groups.values())
        .chain(catalog.commands().filter_map(|c| c.channel.as_ref()));
    for name in names {
        let name = name.strip_prefix('#').unwrap_or(name);
        let channel = store::channel::named(&mut conn, installation, name).await?;
        found.extend(channel.map(|c| c.external));
    }
    Ok(found)
}
