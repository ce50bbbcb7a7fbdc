//! Installations: the workspaces that deliver to us.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::InstallationId;
use crate::domain::person::Platform;

/// One installation as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Our id.
    pub id: InstallationId,
    /// Its platform.
    pub platform: Platform,
    /// Its id there.
    pub external: String,
    /// The app that we are there, where it is known: deliveries for another one are refused.
    pub app: Option<String>,
    /// Our own account there.
    pub bot_account: Option<String>,
    /// Its name.
    pub name: String,
    /// Since when the platform refuses our token.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An installation whose platform refuses us: nothing is sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusing {
    /// Its platform.
    pub platform: Platform,
    /// Its id there.
    pub external: String,
    /// Its name.
    pub name: String,
}

/// The installation that an account was seen in last, where a delivery names none: direct messages on Discord are in no
/// guild.
pub async fn of_account(
    conn: &mut Conn,
    platform: Platform,
    account: &str,
) -> Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select i.external_id from account a join installation i on i.id = a.installation_id
           where i.platform = $1 and a.external_id = $2 and i.revoked_at is null
             and (a.active or not exists (
                 select from account o join installation r on r.id = o.installation_id
                 where r.platform = $1 and o.external_id = $2 and o.active))
           order by a.active desc, (a.kind = 'full') desc, a.id desc limit 1"#,
        platform as _,
        account,
    )
    .fetch_optional(conn)
    .await
}

/// The name of the installation that refuses us and that an account is active in, where there is such a one.
pub async fn refusing(
    conn: &mut Conn,
    platform: Platform,
    account: &str,
) -> Result<Option<String>> {
    sqlx::query_scalar!(
        "select i.name from account a join installation i on i.id = a.installation_id
         where i.platform = $1 and a.external_id = $2 and i.revoked_at is not null and a.active
         order by (a.kind = 'full') desc, a.id desc limit 1",
        platform as _,
        account,
    )
    .fetch_optional(conn)
    .await
}

/// The installation that a delivery comes from.
pub async fn find(
    conn: &mut Conn,
    platform: Platform,
    external: &str,
) -> Result<Option<Installation>> {
    sqlx::query_as!(
        Installation,
        r#"select id as "id: InstallationId", platform as "platform: Platform", external_id as external,
                  app_id as app, bot_account, name, revoked_at
           from installation where platform = $1 and external_id = $2"#,
        platform as _,
        external,
    )
    .fetch_optional(conn)
    .await
}

/// An installation by our id.
pub async fn get(conn: &mut Conn, id: InstallationId) -> Result<Installation> {
    sqlx::query_as!(
        Installation,
        r#"select id as "id: InstallationId", platform as "platform: Platform", external_id as external,
                  app_id as app, bot_account, name, revoked_at
           from installation where id = $1"#,
        id as _,
    )
    .fetch_one(conn)
    .await
}

/// The installations of a platform that are served, oldest first.
pub async fn served(conn: &mut Conn, platform: Platform) -> Result<Vec<Installation>> {
    sqlx::query_as!(
        Installation,
        r#"select id as "id!: InstallationId", platform as "platform!: Platform", external_id as "external!",
                  app_id as app, bot_account, name as "name!", revoked_at
           from served_installation where platform = $1 order by created_at, id"#,
        platform as _,
    )
    .fetch_all(conn)
    .await
}

/// The served installations whose platform refuses us: the token is no good, or we were taken out.
pub async fn revoked(conn: &mut Conn) -> Result<Vec<Refusing>> {
    sqlx::query_as!(
        Refusing,
        r#"select platform as "platform!: Platform", external_id as "external!", name as "name!"
           from served_installation where revoked_at is not null order by name"#
    )
    .fetch_all(conn)
    .await
}

/// Makes an installation known or renews what is known of it; gives the id under which it is kept.
pub async fn upsert(
    conn: &mut Conn,
    installation: &Installation,
    now: DateTime<Utc>,
) -> Result<InstallationId> {
    sqlx::query_scalar!(
        r#"insert into installation (id, platform, external_id, app_id, bot_account, name, created_at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (platform, external_id) do update
           set app_id = coalesce(excluded.app_id, installation.app_id), name = excluded.name,
               bot_account = coalesce(excluded.bot_account, installation.bot_account), revoked_at = null
           returning id as "id: InstallationId""#,
        installation.id as _,
        installation.platform as _,
        installation.external,
        installation.app,
        installation.bot_account,
        installation.name,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Keeps since when the token is refused; `None`: it is good. Gives whether that is news.
pub async fn set_revoked(
    conn: &mut Conn,
    id: InstallationId,
    since: Option<DateTime<Utc>>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update installation set revoked_at = $2
         where id = $1 and (revoked_at is null) <> ($2::timestamptz is null)",
        id as _,
        since,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the groups of the chat installation that lags most were last read as a whole; one that never was counts from
/// its beginning. `None`: there is no such installation.
pub async fn oldest_chat_sync(conn: &mut Conn) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(coalesce(synced_at, timestamptz '1970-01-01Z')) from served_installation
         where platform in ('slack', 'discord')"
    )
    .fetch_one(conn)
    .await
}

/// Keeps when the groups were last read as a whole.
pub async fn set_synced(conn: &mut Conn, id: InstallationId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update installation set synced_at = $2 where id = $1",
        id as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}
