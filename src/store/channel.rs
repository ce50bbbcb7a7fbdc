//! Channels, as far as placement and mentions need them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Conn, Result};
use crate::domain::event::PlaceKind;
use crate::domain::id::InstallationId;

/// A channel as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Our id.
    pub id: Uuid,
    /// Its id on the platform.
    pub external: String,
    /// Its name without `#`.
    pub name: Option<String>,
    /// Its kind.
    pub kind: PlaceKind,
    /// Whether the bot can post there, as last seen.
    pub usable: Option<bool>,
}

/// Keeps what was learned of a channel; what is not told stays as it was. Gives its id.
pub async fn upsert(
    conn: &mut Conn,
    installation: InstallationId,
    channel: &Channel,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    sqlx::query_scalar!(
        "insert into channel (id, installation_id, external_id, name, kind, usable, seen_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (installation_id, external_id) do update
         set name = coalesce(excluded.name, channel.name),
             kind = case when excluded.kind = 'unknown' then channel.kind else excluded.kind end,
             usable = coalesce(excluded.usable, channel.usable), seen_at = excluded.seen_at
         returning id",
        channel.id,
        installation as _,
        channel.external,
        channel.name,
        channel.kind as _,
        channel.usable,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Keeps what was learned of many channels, none of them named twice; what is not told stays as it was.
pub async fn upsert_all(
    conn: &mut Conn,
    installation: InstallationId,
    channels: &[Channel],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<Uuid> = channels.iter().map(|channel| channel.id).collect();
    let externals: Vec<&str> = channels.iter().map(|c| c.external.as_str()).collect();
    let names: Vec<Option<&str>> = channels.iter().map(|c| c.name.as_deref()).collect();
    let kinds: Vec<&str> = channels.iter().map(|c| c.kind.as_str()).collect();
    let usable: Vec<Option<bool>> = channels.iter().map(|channel| channel.usable).collect();
    sqlx::query!(
        "insert into channel (id, installation_id, external_id, name, kind, usable, seen_at)
         select id, $1, external_id, name, kind, usable, $7
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bool[])
              as told (id, external_id, name, kind, usable)
         on conflict (installation_id, external_id) do update
         set name = coalesce(excluded.name, channel.name),
             kind = case when excluded.kind = 'unknown' then channel.kind else excluded.kind end,
             usable = coalesce(excluded.usable, channel.usable), seen_at = excluded.seen_at",
        installation as _,
        &ids,
        &externals as _,
        &names as _,
        &kinds as _,
        &usable as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces what is known of a channel's members.
pub async fn set_members(
    conn: &mut Conn,
    channel: Uuid,
    externals: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with gone as (delete from channel_member where channel_id = $1 and not account_external_id = any($2))
         insert into channel_member (channel_id, account_external_id, synced_at)
         select $1, e, $3 from unnest($2::text[]) as e
         on conflict (channel_id, account_external_id) do update set synced_at = excluded.synced_at",
        channel,
        externals,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A channel by its id on the platform.
pub async fn find(
    conn: &mut Conn,
    installation: InstallationId,
    external: &str,
) -> Result<Option<Channel>> {
    sqlx::query_as!(
        Channel,
        r#"select id, external_id as external, name, kind as "kind: PlaceKind", usable
           from channel where installation_id = $1 and external_id = $2"#,
        installation as _,
        external,
    )
    .fetch_optional(conn)
    .await
}

/// A channel by its name without `#`, or by its id: configurations may say either.
pub async fn named(
    conn: &mut Conn,
    installation: InstallationId,
    name: &str,
) -> Result<Option<Channel>> {
    sqlx::query_as!(
        Channel,
        r#"select id, external_id as external, name, kind as "kind: PlaceKind", usable
           from channel where installation_id = $1 and (name = $2 or external_id = $2)
           order by usable desc nulls last, seen_at desc limit 1"#,
        installation as _,
        name,
    )
    .fetch_optional(conn)
    .await
}

/// The ids of a channel's members; empty: they were never read.
pub async fn members(
    conn: &mut Conn,
    installation: InstallationId,
    external: &str,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "select m.account_external_id from channel_member m join channel c on c.id = m.channel_id
         where c.installation_id = $1 and c.external_id = $2",
        installation as _,
        external,
    )
    .fetch_all(conn)
    .await
}
