//! Deliveries: one row each, so that a repeated one gets the same reply and has no second effect. Kept seven days.

use chrono::{DateTime, Utc};

use super::installation::Installation;
use super::{Conn, Json, Result};
use crate::domain::event::{Delivery, Sender};
use crate::domain::id::{AccountId, InstallationId, PersonId};
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::reply::Reply;

/// What makes a delivery the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Where it comes from.
    pub installation: InstallationId,
    /// Unique within it.
    pub key: &'a str,
}

/// A delivery of one of our installations, let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// Where it comes from.
    pub installation: Installation,
    /// Who acts, if we know the account.
    pub account: Option<Account>,
    /// The transaction's moment; `None`: this delivery was seen before, and [`seen`] tells what was answered.
    pub now: Option<DateTime<Utc>>,
}

/// Writes the delivery's row before anything else happens. Another transaction with the same one is waited for.
/// `None`: it is of no installation of ours, or meant for another app there.
///
/// Every delivery begins with this, so who acts is read by the same statement: one round trip instead of three.
pub async fn open(conn: &mut Conn, delivery: &Delivery, kind: &str) -> Result<Option<Opened>> {
    let sender = &delivery.sender;
    let row = sqlx::query!(
        r#"with here as (
               select * from installation
               where platform = $1 and external_id = $2 and coalesce(app_id = $4, true)),
           opened as (
               insert into inbox (installation_id, key, kind, received_at)
               select id, $5, $6, idp_now() from here
               on conflict (installation_id, key) do nothing returning received_at)
           select here.id as "id: InstallationId", here.platform as "platform: Platform", here.external_id,
                  here.app_id, here.bot_account, here.name, here.revoked_at,
                  a.id as "account?: AccountId", a.person_id as "person?: PersonId",
                  a.external_id as "account_external?", a.name as "account_name?",
                  a.kind as "account_kind?: AccountKind", a.active as "active?",
                  opened.received_at as "now?"
           from here
           left join account a on a.installation_id = here.id and a.external_id = $3
           left join opened on true"#,
        sender.platform as _,
        sender.installation,
        sender.account,
        sender.app,
        delivery.key,
        kind,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Opened {
        account: (|| {
            Some(Account {
                id: row.account?,
                person: row.person?,
                installation: row.id,
                external: row.account_external?,
                name: row.account_name?,
                kind: row.account_kind?,
                active: row.active?,
            })
        })(),
        installation: Installation {
            id: row.id,
            platform: row.platform,
            external: row.external_id,
            app: row.app_id,
            bot_account: row.bot_account,
            name: row.name,
            revoked_at: row.revoked_at,
        },
        now: row.now,
    }))
}

/// What a delivery that was seen before was answered.
pub async fn seen(conn: &mut Conn, key: Key<'_>) -> Result<Reply> {
    let reply = sqlx::query_scalar!(
        r#"select reply as "reply: Json<Reply>" from inbox where installation_id = $1 and key = $2"#,
        key.installation as _,
        key.key,
    )
    .fetch_optional(conn)
    .await?;
    // A committed row always has its reply; the only other way here is a row forgotten since.
    Ok(reply.flatten().map_or(Reply::Done, |reply| reply.0))
}

/// Keeps what was answered, and to whom.
pub async fn close(
    conn: &mut Conn,
    key: Key<'_>,
    account: Option<AccountId>,
    reply: &Reply,
) -> Result<()> {
    sqlx::query!(
        "update inbox set reply = $3, account_id = $4 where installation_id = $1 and key = $2",
        key.installation as _,
        key.key,
        Json(reply) as _,
        account as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A delivery that has no effect but its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Unique within its installation.
    pub key: String,
    /// Who acted, and where.
    pub sender: Sender,
    /// The event's word.
    pub kind: &'static str,
    /// What they are told.
    pub reply: Reply,
}

/// Writes deliveries with their answers, all at once; tells for each whether it was written. One that was not is a
/// repeated one, or of an account or app that isn't known here.
pub async fn answer(conn: &mut Conn, all: &[Answered]) -> Result<Vec<bool>> {
    let column = |of: fn(&Answered) -> &str| -> Vec<String> {
        all.iter().map(|a| of(a).to_owned()).collect()
    };
    let apps: Vec<Option<String>> = all.iter().map(|a| a.sender.app.clone()).collect();
    let replies: Vec<Json<&Reply>> = all.iter().map(|a| Json(&a.reply)).collect();
    // In one order, so that two replicas with the same deliveries wait for each other and nothing worse.
    let written = sqlx::query_scalar!(
        r#"with moment as materialized (select idp_now() as now),
           given as (
               select d.*, i.id as installation_id, a.id as account_id
               from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
                        with ordinality as d(platform, installation, account, app, key, kind, reply, at)
               join installation i on i.platform = d.platform and i.external_id = d.installation
                                  and coalesce(i.app_id = d.app, true)
               join account a on a.installation_id = i.id and a.external_id = d.account),
           written as (
               insert into inbox (installation_id, key, kind, account_id, reply, received_at)
               select installation_id, key, kind, account_id, reply, now from given, moment
               order by installation_id, key, at
               on conflict (installation_id, key) do nothing
               returning installation_id, key)
           select min(given.at) as "at!" from written join given using (installation_id, key)
           group by installation_id, key"#,
        &column(|a| a.sender.platform.as_str()),
        &column(|a| &a.sender.installation),
        &column(|a| &a.sender.account),
        &apps as _,
        &column(|a| &a.key),
        &column(|a| a.kind),
        &replies as _,
    )
    .fetch_all(conn)
    .await?;
    let mut told = vec![false; all.len()];
    for at in written {
        // Ordinality counts from 1.
        if let Some(told) = usize::try_from(at - 1).ok().and_then(|at| told.get_mut(at)) {
            *told = true;
        }
    }
    Ok(told)
}

/// Removes deliveries older than this, at most so many; gives how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from inbox where (installation_id, key) in
            (select installation_id, key from inbox where received_at < $1 limit $2)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
