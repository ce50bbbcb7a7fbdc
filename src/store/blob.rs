//! Bytes by their digest, each once: definitions, template packages, trees.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::canonical::Digest;

/// Keeps these bytes; gives their digest.
pub async fn put(conn: &mut Conn, bytes: &[u8], now: DateTime<Utc>) -> Result<Digest> {
    let digest = Digest::of(bytes);
    sqlx::query!(
        "insert into blob (sha256, bytes, created_at) values ($1, $2, $3) on conflict (sha256) do nothing",
        digest as _,
        bytes,
        now,
    )
    .execute(conn)
    .await?;
    Ok(digest)
}

/// The bytes behind a digest.
pub async fn get(conn: &mut Conn, digest: Digest) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select bytes from blob where sha256 = $1", digest as _)
        .fetch_optional(conn)
        .await
}
