//! Codes that make two chat accounts one person: only their hashes, and what came of them.

use chrono::{DateTime, Utc};

use crate::domain::canonical::Digest;
use crate::domain::id::{AccountId, LinkId};
use crate::domain::link::chat::CodeState;
use crate::store::{Conn, Result};

/// A code as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Our id.
    pub id: LinkId,
    /// The account that asked for it, and confirms.
    pub account: AccountId,
    /// Where it stands.
    pub state: CodeState,
    /// How the command was called.
    pub slash: String,
    /// The account that typed it.
    pub other: Option<AccountId>,
    /// Until when it can be typed, or confirmed.
    pub expires_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Writes a new one. The database refuses a second open one of an account.
pub async fn insert(conn: &mut Conn, code: &Code, hash: Digest, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into chat_link (id, account_id, hash, state, slash, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        code.id as _,
        code.account as _,
        hash as _,
        code.state as _,
        code.slash,
        code.expires_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The columns of [`Code`], with a condition: checked queries want their text whole.
macro_rules! select_code {
    ($rest:literal, $arg:expr) => {
        sqlx::query_as!(
            Code,
            r#"select id as "id: LinkId", account_id as "account: AccountId", state as "state: CodeState", slash,
                      other_id as "other: AccountId", expires_at, ended_at
               from chat_link "# + $rest,
            $arg
        )
    };
}

/// Reads one.
pub async fn get(conn: &mut Conn, id: LinkId) -> Result<Option<Code>> {
    select_code!("where id = $1", id as _)
        .fetch_optional(conn)
        .await
}

/// The code behind a hash, locked until the transaction ends.
pub async fn lock_hashed(conn: &mut Conn, hash: Digest) -> Result<Option<Code>> {
    select_code!("where hash = $1 for update", hash as _)
        .fetch_optional(conn)
        .await
}

/// One, locked until the transaction ends. Whoever also locks messages about it does that afterwards.
pub async fn lock(conn: &mut Conn, id: LinkId) -> Result<Option<Code>> {
    select_code!("where id = $1 for update", id as _)
        .fetch_optional(conn)
        .await
}

/// Who asked for a code and who typed it, seen without a lock; `None`: nobody typed it.
pub async fn ends(conn: &mut Conn, id: LinkId) -> Result<Option<(AccountId, AccountId)>> {
    let found = sqlx::query!(
        r#"select account_id as "asked: AccountId", other_id as "typed!: AccountId" from chat_link
           where id = $1 and other_id is not null"#,
        id as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|row| (row.asked, row.typed)))
}

/// The open one of an account.
pub async fn open_of(conn: &mut Conn, account: AccountId) -> Result<Option<LinkId>> {
    sqlx::query_scalar!(
        r#"select id as "id: LinkId" from chat_link where account_id = $1 and ended_at is null"#,
        account as _,
    )
    .fetch_optional(conn)
    .await
}

/// Open ones whose time is over, at most so many.
pub async fn overdue(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> Result<Vec<LinkId>> {
    sqlx::query_scalar!(
        r#"select id as "id: LinkId" from chat_link where ended_at is null and expires_at <= $1
           order by expires_at limit $2"#,
        now,
        most,
    )
    .fetch_all(conn)
    .await
}

/// Keeps where a locked one stands.
pub async fn save(conn: &mut Conn, code: &Code) -> Result<()> {
    sqlx::query!(
        "update chat_link set state = $2, other_id = $3, expires_at = $4, ended_at = $5 where id = $1",
        code.id as _,
        code.state as _,
        code.other as _,
        code.expires_at,
        code.ended_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many wrong codes an account typed since then.
pub async fn guesses(conn: &mut Conn, account: AccountId, since: DateTime<Utc>) -> Result<i32> {
    let tries = sqlx::query_scalar!(
        "select tries from link_guess where account_id = $1 and since > $2",
        account as _,
        since,
    )
    .fetch_optional(conn)
    .await?;
    Ok(tries.unwrap_or(0))
}

/// Counts one more wrong code of an account; those before `since` are forgotten.
pub async fn guessed(
    conn: &mut Conn,
    account: AccountId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into link_guess (account_id, tries, since) values ($1, 1, $3)
         on conflict (account_id) do update
         set tries = case when link_guess.since > $2 then link_guess.tries + 1 else 1 end,
             since = case when link_guess.since > $2 then link_guess.since else $3 end",
        account as _,
        since,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes codes that were over before this, at most so many, and what was counted of wrong ones; gives how many codes.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    sqlx::query!("delete from link_guess where since < $1", before)
        .execute(&mut *conn)
        .await?;
    let done = sqlx::query!(
        "delete from chat_link where id in (
             select id from chat_link where ended_at < $1 limit $2 for update skip locked)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
