//! Codes that link accounts on GitHub to persons.

use chrono::{DateTime, Utc};

use crate::domain::id::{AccountId, InstallationId, LinkId};
use crate::domain::link::github::LinkState;
use crate::store::{Conn, Result};

/// A code as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Our id.
    pub id: LinkId,
    /// The account in chat that asked.
    pub account: AccountId,
    /// Where it stands.
    pub state: LinkState,
    /// How the command was called.
    pub slash: String,
    /// The organisation on GitHub.
    pub installation: Option<InstallationId>,
    /// What the person types.
    pub user_code: Option<String>,
    /// Where they type it.
    pub address: Option<String>,
    /// What GitHub knows us by, sealed.
    pub device_code: Option<Vec<u8>>,
    /// Seconds between two looks.
    pub interval_s: Option<i32>,
    /// The account on GitHub that it came to.
    pub github: Option<AccountId>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Writes a new one. The database refuses a second open one of an account.
pub async fn insert(conn: &mut Conn, link: &Link) -> Result<()> {
    sqlx::query!(
        "insert into link (id, account_id, state, slash, expires_at, created_at) values ($1, $2, $3, $4, $5, $6)",
        link.id as _,
        link.account as _,
        link.state as _,
        link.slash,
        link.expires_at,
        link.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The columns of [`Link`], with a condition: checked queries want their text whole.
macro_rules! select_link {
    ($rest:literal, $arg:expr) => {
        sqlx::query_as!(
            Link,
            r#"select id as "id: LinkId", account_id as "account: AccountId", state as "state: LinkState", slash,
                      installation_id as "installation: InstallationId", user_code, address, device_code, interval_s,
                      github_id as "github: AccountId", expires_at, created_at, ended_at
               from link "# + $rest,
            $arg
        )
    };
}

/// Reads one.
pub async fn get(conn: &mut Conn, id: LinkId) -> Result<Option<Link>> {
    select_link!("where id = $1", id as _)
        .fetch_optional(conn)
        .await
}

/// One, locked until the transaction ends. Whoever also locks messages about it does that afterwards.
pub async fn lock(conn: &mut Conn, id: LinkId) -> Result<Option<Link>> {
    select_link!("where id = $1 for update", id as _)
        .fetch_optional(conn)
        .await
}

/// The open one of an account.
pub async fn open_of(conn: &mut Conn, account: AccountId) -> Result<Option<LinkId>> {
    sqlx::query_scalar!(
        r#"select id as "id: LinkId" from link where account_id = $1 and ended_at is null"#,
        account as _,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps where a locked one stands.
pub async fn save(conn: &mut Conn, link: &Link) -> Result<()> {
    sqlx::query!(
        "update link set state = $2, installation_id = $3, user_code = $4, address = $5, device_code = $6,
                         interval_s = $7, github_id = $8, expires_at = $9, ended_at = $10
         where id = $1",
        link.id as _,
        link.state as _,
        link.installation as _,
        link.user_code,
        link.address,
        link.device_code,
        link.interval_s,
        link.github as _,
        link.expires_at,
        link.ended_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes codes that were over before this, at most so many; gives how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from link where id in (
             select id from link where ended_at < $1 limit $2 for update skip locked)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
