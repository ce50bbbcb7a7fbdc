//! One-time links and the tokens they give: only hashes are kept.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::canonical::Digest;
use crate::domain::id::PersonId;

/// Keeps a one-time link or a token.
pub async fn insert(
    conn: &mut Conn,
    hash: Digest,
    (kind, person): (Kind, PersonId),
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into login (hash, kind, person_id, expires_at, created_at) values ($1, $2, $3, $4, $5)",
        hash as _,
        kind.as_str(),
        person as _,
        expires_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a kept hash is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A link that gives a token once.
    Link,
    /// A personal token.
    Token,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Token => "token",
        }
    }
}

/// Uses a link up; gives whose it was. `None`: unknown, used or too old.
pub async fn use_link(
    conn: &mut Conn,
    hash: Digest,
    now: DateTime<Utc>,
) -> Result<Option<PersonId>> {
    sqlx::query_scalar!(
        r#"update login set used_at = $2 where hash = $1 and kind = 'link' and used_at is null and expires_at > $2
           returning human(person_id) as "person!: PersonId""#,
        hash as _,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Whose token this is, of those who have an active account.
pub async fn holder(conn: &mut Conn, hash: Digest, now: DateTime<Utc>) -> Result<Option<PersonId>> {
    sqlx::query_scalar!(
        r#"select human(l.person_id) as "person!: PersonId" from login l
           where hash = $1 and kind = 'token' and expires_at > $2
             and exists (select from account a where a.person_id = human(l.person_id) and a.active)"#,
        hash as _,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Removes what is too old to be used; gives how many.
pub async fn forget(conn: &mut Conn, now: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("delete from login where expires_at < $1", now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
