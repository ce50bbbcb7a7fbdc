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

/// Begins a chain with its first row. Only for a chain that nobody else can know yet.
pub async fn begin(conn: &mut Conn, entry: &Entry, kind: &str, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "with head as (insert into audit_chain (chain, seq, hash) values ($1, $2, $4))
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

/// Adds the rows that follow the locked head, in their order, each with its kind.
pub async fn insert(
    conn: &mut Conn,
    chain: &str,
    rows: &[(Entry, &str)],
    at: DateTime<Utc>,
) -> Result<()> {
    let seqs: Vec<i64> = rows.iter().map(|(entry, _)| entry.seq).collect();
    let prevs: Vec<&[u8]> = rows.iter().map(|(entry, _)| &entry.prev.0[..]).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|(entry, _)| &entry.hash.0[..]).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|(entry, _)| &entry.body[..]).collect();
    let kinds: Vec<&str> = rows.iter().map(|(_, kind)| *kind).collect();
    sqlx::query!(
        "with added as (
             select seq, prev, hash, body, kind
             from unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[])
                  as a(seq, prev, hash, body, kind)),
         head as (
             update audit_chain c set seq = a.seq, hash = a.hash
             from (select seq, hash from added order by seq desc limit 1) a where c.chain = $1)
         insert into audit (chain, seq, prev, hash, body, kind, at)
         select $1, seq, prev, hash, body, kind, $7 from added",
        chain,
        &seqs,
        &prevs as _,
        &hashes as _,
        &bodies as _,
        &kinds as _,
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

/// A row with what stands beside its body for queries only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The row.
    pub entry: Entry,
    /// What happened, in a word.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The same rows as [`rows`], with what stands beside their bodies.
pub async fn labelled(
    conn: &mut Conn,
    chain: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<Labelled>> {
    let rows = sqlx::query!(
        r#"select seq, prev as "prev: Digest", hash as "hash: Digest", body, kind, at
           from audit where chain = $1 and seq >= $2 order by seq limit $3"#,
        chain,
        from,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let labelled = rows.into_iter().map(|row| Labelled {
        entry: Entry {
            chain: chain.to_owned(),
            seq: row.seq,
            prev: row.prev,
            hash: row.hash,
            body: row.body,
        },
        kind: row.kind,
        at: row.at,
    });
    Ok(labelled.collect())
}

/// A chain's head as it is told, for comparison with its rows. `None`: the chain is unknown.
pub async fn head(conn: &mut Conn, chain: &str) -> Result<Option<Head>> {
    sqlx::query_as!(
        Head,
        r#"select seq, hash as "hash: Digest" from audit_chain where chain = $1"#,
        chain,
    )
    .fetch_optional(conn)
    .await
}

/// The heads of the chains that grew since this was asked last, by chain; from here on they count as kept. Chains are
/// locked in the order of their names.
pub async fn take_grown(conn: &mut Conn) -> Result<Vec<(String, Head)>> {
    let rows = sqlx::query!(
        r#"with grown as (
               select chain from audit_chain where seq > kept_seq order by chain for no key update)
           update audit_chain a set kept_seq = a.seq from grown where a.chain = grown.chain
           returning a.chain, a.seq, a.hash as "hash: Digest""#
    )
    .fetch_all(conn)
    .await?;
    let head = |seq, hash| Head { seq, hash };
    let mut heads: Vec<_> = rows
        .into_iter()
        .map(|row| (row.chain, head(row.seq, row.hash)))
        .collect();
    heads.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(heads)
}

/// The hash of one row; `None`: there is none.
pub async fn hash_of(conn: &mut Conn, chain: &str, seq: i64) -> Result<Option<Digest>> {
    sqlx::query_scalar!(
        r#"select hash as "hash: Digest" from audit where chain = $1 and seq = $2"#,
        chain,
        seq,
    )
    .fetch_optional(conn)
    .await
}

/// Chains that have rows, whether or not their head is known: what `verify` goes through.
pub async fn chains(conn: &mut Conn) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select chain as "chain!" from audit_chain union select distinct chain from audit order by 1"#
    )
    .fetch_all(conn)
    .await
}

/// The last row of these kinds in a chain.
pub async fn last_of_kinds(
    conn: &mut Conn,
    chain: &str,
    kinds: &[&str],
) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select body from audit where chain = $1 and kind = any($2) order by seq desc limit 1",
        chain,
        kinds as _,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps the mark of the key that seals checkpoints, unless there is one; gives the one that is kept.
pub async fn key_mark(conn: &mut Conn, mark: &[u8], now: DateTime<Utc>) -> Result<Vec<u8>> {
    sqlx::query_scalar!(
        "insert into state_key (mark, created_at) values ($1, $2)
         on conflict (only_row) do update set mark = state_key.mark returning mark",
        mark,
        now,
    )
    .fetch_one(conn)
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

/// The checkpoints after one, at most so many, oldest first.
pub async fn checkpoints(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "select id, body, mac, at from checkpoint where id > $1 order by id limit $2",
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The newest checkpoint; whoever asks keeps others from writing one until the transaction ends.
pub async fn last_checkpoint(conn: &mut Conn) -> Result<Option<Checkpoint>> {
    sqlx::query!("lock table checkpoint in share row exclusive mode")
        .execute(&mut *conn)
        .await?;
    sqlx::query_as!(
        Checkpoint,
        "select id, body, mac, at from checkpoint order by id desc limit 1"
    )
    .fetch_optional(conn)
    .await
}
