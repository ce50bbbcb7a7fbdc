//! User groups of the platforms and who is in them, as of the last reading of the whole list.
//!
//! Lists of the configuration are not here: they are read from it at the moment they count.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{AccountId, GroupId, InstallationId, PersonId};
use crate::domain::person::{GroupFacts, GroupName, PersonName};

/// A group to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// Its id there.
    pub external: &'a str,
    /// Its handle, without `@`.
    pub handle: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether the whole list of its members is read with it.
    pub whole: bool,
}

/// Keeps a group as read now; gives its id.
pub async fn upsert(
    conn: &mut Conn,
    installation: InstallationId,
    id: GroupId,
    group: Group<'_>,
    now: DateTime<Utc>,
) -> Result<GroupId> {
    sqlx::query_scalar!(
        r#"insert into idp_group (id, installation_id, external_id, handle, name, synced_at, whole)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (installation_id, external_id) do update
           set handle = excluded.handle, name = excluded.name, active = true, synced_at = excluded.synced_at,
               whole = excluded.whole
           returning id as "id: GroupId""#,
        id as _,
        installation as _,
        group.external,
        group.handle,
        group.name,
        now,
        group.whole,
    )
    .fetch_one(conn)
    .await
}

/// Forgets whom a list put into a group that isn't shown any more: who acts tells it anew.
pub async fn forget_listed(conn: &mut Conn, group: GroupId) -> Result<()> {
    sqlx::query!(
        "delete from membership where group_id = $1 and source = 'platform'",
        group as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps which groups of an installation an account is in, as its own act told, or a look-up of it: no others. When the
/// groups were read whole stays as it was; when this was told is kept, within the minute.
pub async fn set_of_account(
    conn: &mut Conn,
    account: AccountId,
    installation: InstallationId,
    externals: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with gone as (
             delete from membership m using idp_group g
             where m.account_id = $1 and g.id = m.group_id and g.installation_id = $2
               and not g.external_id = any($3))
         insert into membership (group_id, account_id, source, synced_at)
         select g.id, $1, 'interaction', $4 from idp_group g
         where g.installation_id = $2 and g.external_id = any($3) and g.active
         on conflict (group_id, account_id) do update set synced_at = excluded.synced_at
         where membership.source = 'interaction' and membership.synced_at < excluded.synced_at - interval '1 minute'",
        account as _,
        installation as _,
        externals,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether an installation has groups whose whole list of members isn't read.
pub async fn any_unlisted(conn: &mut Conn, installation: InstallationId) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from idp_group where installation_id = $1 and active and not whole) as "is!""#,
        installation as _,
    )
    .fetch_one(conn)
    .await
}

/// Replaces a group's members by these accounts, which must be known.
pub async fn set_members(
    conn: &mut Conn,
    group: GroupId,
    installation: InstallationId,
    externals: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with gone as (
             delete from membership m using account a
             where m.group_id = $1 and a.id = m.account_id and not a.external_id = any($3))
         insert into membership (group_id, account_id, source, synced_at)
         select $1, a.id, 'platform', $4 from account a where a.installation_id = $2 and a.external_id = any($3)
         on conflict (group_id, account_id) do update set synced_at = excluded.synced_at",
        group as _,
        installation as _,
        externals,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps that there is no group of this handle, as read now: that is known then, and not merely unread.
pub async fn absent(
    conn: &mut Conn,
    installation: InstallationId,
    id: GroupId,
    group: Group<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into idp_group (id, installation_id, external_id, handle, name, active, synced_at)
         values ($1, $2, $3, $4, $5, false, $6)
         on conflict (installation_id, external_id) do update
         set handle = excluded.handle, name = excluded.name, active = false, synced_at = excluded.synced_at",
        id as _,
        installation as _,
        group.external,
        group.handle,
        group.name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the groups of an installation that aren't among these.
pub async fn forget_others(
    conn: &mut Conn,
    installation: InstallationId,
    handles: &[String],
) -> Result<()> {
    sqlx::query!(
        "delete from idp_group where installation_id = $1 and handle <> all($2)",
        installation as _,
        handles,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The groups of an installation that were ever read, found or not.
pub async fn read_handles(conn: &mut Conn, installation: InstallationId) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "select handle from idp_group where installation_id = $1",
        installation as _,
    )
    .fetch_all(conn)
    .await
}

/// When it was last read that there is no group of this handle; `None`: that never was.
pub async fn absent_since(conn: &mut Conn, handle: &str) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"select min(synced_at) from idp_group where handle = $1 and not active"#,
        handle,
    )
    .fetch_one(conn)
    .await
}

/// Marks the groups of an installation that this reading didn't find as gone.
pub async fn retire_others(
    conn: &mut Conn,
    installation: InstallationId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update idp_group set active = false, handle = handle || '#' || id
         where installation_id = $1 and active and synced_at < $2",
        installation as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The handle that a group of a platform has today, by its id there: of the reader's own installation, else of any.
pub async fn handle_of(
    conn: &mut Conn,
    reader: InstallationId,
    external: &str,
) -> Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select handle as "handle!" from served_group where external_id = $2
           order by installation_id = $1 desc, id limit 1"#,
        reader as _,
        external,
    )
    .fetch_optional(conn)
    .await
}

/// What is known of the groups with this handle, over all installations; `None`: there is none.
///
/// Members count by an account on a chat platform, their own in the group or one of the same person: whoever has none
/// there could press nothing. Where the whole list isn't read, it is told when each of them last said so themselves.
pub async fn facts(
    conn: &mut Conn,
    handle: &str,
    reader: InstallationId,
) -> Result<Option<GroupFacts>> {
    let groups = sqlx::query!(
        r#"select min(synced_at) as "synced_at?: DateTime<Utc>",
                  max(external_id) filter (where installation_id = $2) as external,
                  coalesce(bool_and(whole), true) as "whole!"
           from served_group where handle = $1"#,
        handle,
        reader as _,
    )
    .fetch_one(&mut *conn)
    .await?;
    let Some(synced_at) = groups.synced_at else {
        return Ok(None);
    };
    let members = sqlx::query_as!(
        PersonName,
        r#"select distinct on (a.person_id) a.person_id as "person: PersonId", a.name,
                  case when a.installation_id = $2 then a.external_id end as external
           from served_group g
           join membership m on m.group_id = g.id
           join account held on held.id = m.account_id and held.active
           join account a on a.person_id = held.person_id and a.active
           join installation i on i.id = a.installation_id and i.platform in ('slack', 'discord')
           where g.handle = $1
           order by a.person_id, a.installation_id = $2 desc, a.created_at"#,
        handle,
        reader as _,
    )
    .fetch_all(&mut *conn)
    .await?;
    let told = if groups.whole {
        BTreeMap::new()
    } else {
        told(conn, handle).await?
    };
    let unlinked = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from served_group g
           join membership m on m.group_id = g.id
           join account held on held.id = m.account_id and held.active
           where g.handle = $1
             and not exists (select 1 from account a
                             join installation i on i.id = a.installation_id and i.platform in ('slack', 'discord')
                             where a.person_id = held.person_id)"#,
        handle,
    )
    .fetch_one(conn)
    .await?;
    Ok(Some(GroupFacts {
        name: GroupName {
            handle: handle.to_owned(),
            external: groups.external,
        },
        members,
        unlinked: u32::try_from(unlinked).unwrap_or(u32::MAX),
        whole: groups.whole,
        synced_at,
        told,
    }))
}

/// Who is in groups with this handle by their own word alone, and when they last gave it.
async fn told(conn: &mut Conn, handle: &str) -> Result<BTreeMap<PersonId, DateTime<Utc>>> {
    let rows = sqlx::query!(
        r#"select held.person_id as "person: PersonId", max(m.synced_at) as "at!: DateTime<Utc>"
           from served_group g
           join membership m on m.group_id = g.id
           join account held on held.id = m.account_id and held.active
           where g.handle = $1
           group by held.person_id having not bool_or(g.whole)"#,
        handle,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.person, row.at)).collect())
}

/// A group that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its handle.
    pub handle: String,
    /// When its members were last read.
    pub synced_at: DateTime<Utc>,
}

/// The ids of a person's active accounts on their platforms, and the groups that they are in through any of these.
pub async fn of_person(conn: &mut Conn, person: PersonId) -> Result<(Vec<String>, Vec<Held>)> {
    let rows = sqlx::query!(
        r#"select a.external_id as external, g.handle as "handle?", g.synced_at as "synced_at?"
           from account a
           left join membership m on m.account_id = a.id
           left join served_group g on g.id = m.group_id
           where a.person_id = $1 and a.active
           order by a.created_at, a.id, g.handle"#,
        person as _,
    )
    .fetch_all(conn)
    .await?;
    let mut accounts: Vec<String> = Vec::new();
    let mut groups: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for row in rows {
        if accounts.last() != Some(&row.external) {
            accounts.push(row.external);
        }
        if let (Some(handle), Some(synced_at)) = (row.handle, row.synced_at) {
            let oldest = groups.entry(handle).or_insert(synced_at);
            *oldest = synced_at.min(*oldest);
        }
    }
    let held = |(handle, synced_at)| Held { handle, synced_at };
    Ok((accounts, groups.into_iter().map(held).collect()))
}

/// The handles of the groups that have members.
pub async fn handles(conn: &mut Conn) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select distinct g.handle as "handle!" from served_group g join membership m on m.group_id = g.id order by 1"#
    )
    .fetch_all(conn)
    .await
}
