//! Accounts: who acts, as each platform knows them.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{AccountId, InstallationId, PersonId};
use crate::domain::person::{Account, AccountKind, GitHubAccount};

/// The account behind a platform's id.
pub async fn find(
    conn: &mut Conn,
    installation: InstallationId,
    external: &str,
) -> Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", person_id as "person: PersonId",
                  installation_id as "installation: InstallationId", external_id as external, name,
                  kind as "kind: AccountKind", active
           from account where installation_id = $1 and external_id = $2"#,
        installation as _,
        external,
    )
    .fetch_optional(conn)
    .await
}

/// An account by our id.
pub async fn get(conn: &mut Conn, id: AccountId) -> Result<Account> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", person_id as "person: PersonId",
                  installation_id as "installation: InstallationId", external_id as external, name,
                  kind as "kind: AccountKind", active
           from account where id = $1"#,
        id as _,
    )
    .fetch_one(conn)
    .await
}

/// Writes a new account; false when another transaction was first.
pub async fn insert(conn: &mut Conn, account: &Account, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into account (id, installation_id, external_id, person_id, name, kind, active, looked_up_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, case when $6 <> 'unknown' then $8::timestamptz end, $8)
         on conflict (installation_id, external_id) do nothing",
        account.id as _,
        account.installation as _,
        account.external,
        account.person as _,
        account.name,
        account.kind as _,
        account.active,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the accounts that nobody has written yet, each with a person of its own, to be looked up some time.
/// `ids` are as many new ones, in pairs of account and person.
///
/// In one statement and in one order, so that a reading of a whole workspace neither takes a call for each member nor
/// meets another one the wrong way round.
pub async fn insert_unknown(
    conn: &mut Conn,
    installation: InstallationId,
    externals: &[String],
    ids: &[(AccountId, PersonId)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (accounts, persons): (Vec<AccountId>, Vec<PersonId>) = ids.iter().copied().unzip();
    sqlx::query!(
        "with fresh as (
             select n.external, n.account, n.person
             from unnest($2::text[], $3::uuid[], $4::uuid[]) as n(external, account, person)
             where not exists (select 1 from account a where a.installation_id = $1 and a.external_id = n.external)),
         people as (insert into person (id, created_at) select person, $5 from fresh)
         insert into account (id, installation_id, external_id, person_id, name, kind, active, looked_up_at, created_at)
         select account, $1, external, person, external, 'unknown', true, null, $5 from fresh order by external
         on conflict (installation_id, external_id) do nothing",
        installation as _,
        externals,
        &accounts as _,
        &persons as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account behind a platform's id, locked until the transaction ends.
pub async fn lock(
    conn: &mut Conn,
    installation: InstallationId,
    external: &str,
) -> Result<Account> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", person_id as "person: PersonId",
                  installation_id as "installation: InstallationId", external_id as external, name,
                  kind as "kind: AccountKind", active
           from account where installation_id = $1 and external_id = $2 for update"#,
        installation as _,
        external,
    )
    .fetch_one(conn)
    .await
}

/// The accounts of a person in one installation, oldest first.
pub async fn of_person_in(
    conn: &mut Conn,
    person: PersonId,
    installation: InstallationId,
) -> Result<Vec<AccountId>> {
    sqlx::query_scalar!(
        r#"select id as "id: AccountId" from account where person_id = $1 and installation_id = $2
           order by created_at, id for update"#,
        person as _,
        installation as _,
    )
    .fetch_all(conn)
    .await
}

/// The account on GitHub that a person had linked at this moment.
pub async fn on_github(
    conn: &mut Conn,
    person: PersonId,
    at: DateTime<Utc>,
) -> Result<Option<GitHubAccount>> {
    sqlx::query_as!(
        GitHubAccount,
        r#"select a.external_id as id, a.name as login
           from account a join installation i on i.id = a.installation_id and i.platform = 'github'
           where a.person_id = $1 and a.linked_at <= $2
           order by a.linked_at desc, a.id limit 1"#,
        person as _,
        at,
    )
    .fetch_optional(conn)
    .await
}

/// Makes an account a person's, since then known to be theirs through one of their accounts in chat, with which it goes
/// where these part; `None`: it is not known whose it is.
pub async fn give(
    conn: &mut Conn,
    (id, person): (AccountId, PersonId),
    (through, since): (Option<AccountId>, Option<DateTime<Utc>>),
) -> Result<()> {
    sqlx::query!(
        "update account set person_id = $2, linked_at = $3,
                            own_person_id = (select coalesce(own_person_id, person_id) from account where id = $4)
         where id = $1",
        id as _,
        person as _,
        since,
        through as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps people as a whole list tells them, ids and names side by side: those that nobody has written yet, each with a
/// person of its own, and new names of the others. `ids` are as many new ones, in pairs of account and person.
pub async fn keep_all(
    conn: &mut Conn,
    installation: InstallationId,
    (externals, names): (&[String], &[String]),
    ids: &[(AccountId, PersonId)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (accounts, persons): (Vec<AccountId>, Vec<PersonId>) = ids.iter().copied().unzip();
    sqlx::query!(
        "with told as (
             select t.external, t.name, t.account, t.person
             from unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[]) as t(external, name, account, person)),
         fresh as (
             select t.* from told t
             where not exists (select 1 from account a where a.installation_id = $1 and a.external_id = t.external)),
         people as (insert into person (id, created_at) select person, $6 from fresh),
         renamed as (
             update account a set name = t.name, looked_up_at = $6 from told t
             where a.installation_id = $1 and a.external_id = t.external and a.name <> t.name)
         insert into account (id, installation_id, external_id, person_id, name, kind, active, looked_up_at, created_at)
         select account, $1, external, person, name, 'full', true, $6, $6 from fresh order by external
         on conflict (installation_id, external_id) do nothing",
        installation as _,
        externals,
        names,
        &accounts as _,
        &persons as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what a look-up told.
pub async fn update(conn: &mut Conn, account: &Account, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update account set name = $2, kind = $3, active = $4, looked_up_at = $5 where id = $1",
        account.id as _,
        account.name,
        account.kind as _,
        account.active,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The active accounts behind these ids of any installation: lists of the configuration name people so.
pub async fn named(conn: &mut Conn, externals: &[String]) -> Result<Vec<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", person_id as "person: PersonId",
                  installation_id as "installation: InstallationId", external_id as external, name,
                  kind as "kind: AccountKind", active
           from account where external_id = any($1) and active and kind not in ('bot', 'outsider')
             and installation_id not in (select id from installation where platform = 'github')
           order by created_at, id"#,
        externals,
    )
    .fetch_all(conn)
    .await
}

/// The ids of an installation's active full members.
pub async fn members(conn: &mut Conn, installation: InstallationId) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "select external_id from account where installation_id = $1 and active and kind = 'full' order by external_id",
        installation as _,
    )
    .fetch_all(conn)
    .await
}

/// The ids of an installation's people who aren't in it, as far as is known: they left, or were named before they came.
pub async fn gone(conn: &mut Conn, installation: InstallationId) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "select external_id from account where installation_id = $1 and not active and kind <> 'bot'
         order by external_id",
        installation as _,
    )
    .fetch_all(conn)
    .await
}

/// The accounts of a person that they act with. Those on GitHub only tell who they are there: nobody asks or presses
/// anything with them.
pub async fn of_person(conn: &mut Conn, person: PersonId) -> Result<Vec<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", person_id as "person: PersonId",
                  installation_id as "installation: InstallationId", external_id as external, name,
                  kind as "kind: AccountKind", active
           from account where person_id = $1
             and installation_id not in (select id from installation where platform = 'github')
           order by created_at, id"#,
        person as _,
    )
    .fetch_all(conn)
    .await
}

/// The ids of an installation's accounts that nobody has looked up yet, of those named here or seen in deliveries.
pub async fn unknown(
    conn: &mut Conn,
    installation: InstallationId,
    named: &[String],
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select external_id as "external!" from account where installation_id = $1 and looked_up_at is null
           union
           select n.external from unnest($2::text[]) as n(external)
           where not exists (select 1 from account a where a.installation_id = $1 and a.external_id = n.external)
           order by 1"#,
        installation as _,
        named,
    )
    .fetch_all(conn)
    .await
}
