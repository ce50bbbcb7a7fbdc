//! Ties: two persons that are one human. Who stands for whom follows from the open ones and is written with them.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{AccountId, PersonId, RequestId, TieId};
use crate::domain::tie::{Source, Tie};

/// Keeps a tie; false: it is there.
pub async fn insert(conn: &mut Conn, id: TieId, tie: Tie, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into tie (id, one, other, source, since) values ($1, $2, $3, $4, $5)
         on conflict (one, other, source) where until is null do nothing",
        id as _,
        tie.one as _,
        tie.other as _,
        tie.source as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends an open tie; false: there is none. What it said stays known.
pub async fn end(conn: &mut Conn, tie: Tie, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update tie set until = $4 where one = $1 and other = $2 and source = $3 and until is null",
        tie.one as _,
        tie.other as _,
        tie.source as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The open ties of these persons.
pub async fn open_of(conn: &mut Conn, persons: &[PersonId]) -> Result<Vec<Tie>> {
    sqlx::query_as!(
        Tie,
        r#"select one as "one: PersonId", other as "other: PersonId", source as "source: Source"
           from tie where until is null and (one = any($1) or other = any($1)) order by one, other, source"#,
        persons as _,
    )
    .fetch_all(conn)
    .await
}

/// All open ties by the operator's file.
pub async fn by_file(conn: &mut Conn) -> Result<Vec<Tie>> {
    sqlx::query_as!(
        Tie,
        r#"select one as "one: PersonId", other as "other: PersonId", source as "source: Source"
           from tie where until is null and source = 'file' order by one, other"#,
    )
    .fetch_all(conn)
    .await
}

/// All persons of the humans that these are, in the order of their ids.
pub async fn persons_of(conn: &mut Conn, any_of: &[PersonId]) -> Result<Vec<PersonId>> {
    sqlx::query_scalar!(
        r#"select distinct of as "of!: PersonId" from unnest($1::uuid[]) any_of(id), persons_of(any_of.id) of order by 1"#,
        any_of as _,
    )
    .fetch_all(conn)
    .await
}

/// Keeps others from changing who these persons are one human with, and from deciding whose account is whose, until the
/// transaction ends. In one order, so that no two wait for each other.
pub async fn lock(conn: &mut Conn, persons: &[PersonId]) -> Result<()> {
    sqlx::query!(
        "select id from person where id = any($1) order by id for no key update",
        persons as _
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Whose an account is without any tie.
pub async fn own_person(conn: &mut Conn, account: AccountId) -> Result<PersonId> {
    sqlx::query_scalar!(
        r#"select coalesce(own_person_id, person_id) as "own!: PersonId" from account where id = $1"#,
        account as _,
    )
    .fetch_one(conn)
    .await
}

/// Writes who stands for each of these persons from now on: their accounts and unsent drafts go along. Requests, votes and
/// evidence stay as they are.
pub async fn stand_for(conn: &mut Conn, persons: &[(PersonId, PersonId)]) -> Result<()> {
    let (persons, by): (Vec<PersonId>, Vec<PersonId>) = persons.iter().copied().unzip();
    sqlx::query!(
        "update person p set merged_into = nullif(s.by, s.id)
         from unnest($1::uuid[], $2::uuid[]) s(id, by) where p.id = s.id",
        &persons as _,
        &by as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update account a set own_person_id = s.id, person_id = s.by
         from unnest($1::uuid[], $2::uuid[]) s(id, by) where coalesce(a.own_person_id, a.person_id) = s.id",
        &persons as _,
        &by as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update draft d set person_id = a.person_id from account a
         where a.id = d.account_id and a.own_person_id = any($1) and d.person_id <> a.person_id and d.consumed_at is null",
        &persons as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person as far as one request is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub person: PersonId,
    /// The human: the same for all persons that are, or were known to be, the same one.
    pub counts_as: PersonId,
    /// Whether that is the one who asked.
    pub own: bool,
    /// Whether they are known where it was asked for.
    pub there: bool,
}

/// What is known of these persons, who stand for their humans now, as far as a request is concerned. Groups are large and ties
/// few, so only those that have any are followed, and each once: `offset 0` keeps the planner from asking again wherever
/// the answer is used.
pub async fn known(
    conn: &mut Conn,
    request: RequestId,
    persons: &[PersonId],
) -> Result<Vec<Known>> {
    sqlx::query_as!(
        Known,
        r#"select p.id as "person!: PersonId", p.counts_as as "counts_as!: PersonId", p.counts_as = asked.by as "own!",
                  home.platform not in ('slack', 'discord')
                  or exists (select from account a
                             where a.person_id = p.id and a.installation_id = home.id and a.active) as "there!"
           from request r
           join account with_account on with_account.id = r.requester_account_id
           join installation home on home.id = with_account.installation_id
           cross join lateral (select human_at(r.requester_id, r.created_at) as by offset 0) asked
           cross join lateral (
               select id, case when id in (select one from tie union all select other from tie)
                               then human_at(id, r.created_at) else id end as counts_as
               from unnest($2::uuid[]) told(id) offset 0) p
           where r.id = $1"#,
        request as _,
        persons as _,
    )
    .fetch_all(conn)
    .await
}
