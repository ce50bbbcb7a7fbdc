//! The chained rows of evidence and their checkpoints. Rows are only ever added: a trigger refuses the rest.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::audit::{Entry, Head, NOTHING};
use crate::domain::canonical::Digest;

/// A kept checkpoint: the canonical bytes over all heads, and their MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// In the order of their making.
    pub id: i64,
    /// The canonical bytes.
    pub body: Vec<u8>,
    /// Their MAC.
    pub mac: Vec<u8>,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// Locks the chain against other writers until the transaction ends, and gives its head.
pub async fn lock_head(conn: &mut Conn, chain: &str) -> Result<Head> {
    let row = sqlx::query!(
        r#"insert into audit_chain (chain, seq, hash) values ($1, 0, $2)
           on conflict (chain) do update set chain = excluded.chain
           returning seq, hash as "hash: Digest""#,
        chain,
        NOTHING as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(Head {
        seq: row.seq,
        hash: row.hash,
    })
}

/// Adds the row that follows the locked head.
pub async fn insert(conn: &mut Conn, entry: &Entry, kind: &str, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "with head as (update audit_chain set seq = $2, hash = $4 where chain = $1)
         insert into audit (chain, seq, prev, hash, body, kind, at) values ($1, $2, $3, $4, $5, $6, $7)",
        entry.chain,
        entry.seq,
        entry.prev as _,
        entry.hash as _,
        entry.body,
        kind,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The rows of a chain from a number on, at most so many, in order.
pub async fn rows(conn: &mut Conn, chain: &str, from: i64, limit: i64) -> Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        r#"select chain, seq, prev as "prev: Digest", hash as "hash: Digest", body
           from audit where chain = $1 and seq >= $2 order by seq limit $3"#,
        chain,
        from,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// All heads, by chain: what a checkpoint is made over.
pub async fn heads(conn: &mut Conn) -> Result<Vec<(String, Head)>> {
    let rows = sqlx::query!(
        r#"select chain, seq, hash as "hash: Digest" from audit_chain order by chain"#
    )
    .fetch_all(conn)
    .await?;
    let head = |seq, hash| Head { seq, hash };
    Ok(rows
        .into_iter()
        .map(|row| (row.chain, head(row.seq, row.hash)))
        .collect())
}

/// Chains that have rows, whether or not their head is known: what `verify` goes through.
pub async fn chains(conn: &mut Conn) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select chain as "chain!" from audit_chain union select distinct chain from audit order by 1"#
    )
    .fetch_all(conn)
    .await
}

/// The last row of a kind in a chain.
pub async fn last_of_kind(conn: &mut Conn, chain: &str, kind: &str) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select body from audit where chain = $1 and kind = $2 order by seq desc limit 1",
        chain,
        kind,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps a checkpoint.
pub async fn insert_checkpoint(
    conn: &mut Conn,
    body: &[u8],
    mac: &[u8],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into checkpoint (body, mac, at) values ($1, $2, $3)",
        body,
        mac,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The checkpoints, oldest first.
pub async fn checkpoints(conn: &mut Conn) -> Result<Vec<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "select id, body, mac, at from checkpoint order by id"
    )
    .fetch_all(conn)
    .await
}
