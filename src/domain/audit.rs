//! The audit chain: each row's hash is over the row before it, so that no edit, removal or reorder goes unseen.
//!
//! A chain is a request's, or `system` for what belongs to none. Bodies hold ids of persons, never names.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::canonical::{self, Digest};

/// One row, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `system`, or `request:UUID`.
    pub chain: String,
    /// From 1, without gaps.
    pub seq: i64,
    /// The hash of the row before; all zero for the first.
    pub prev: Digest,
    /// The hash of this row.
    pub hash: Digest,
    /// What happened: the canonical bytes that the hash is over.
    pub body: Vec<u8>,
}

/// Where a chain's head stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last row's number; 0 for an empty chain.
    pub seq: i64,
    /// The last row's hash; all zero for an empty chain.
    pub hash: Digest,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A row is missing, or rows stand in another order.
    #[error("{chain}: row {expected} is missing (found {found})")]
    Gap {
        /// The chain.
        chain: String,
        /// The number that should stand here.
        expected: i64,
        /// The number that does.
        found: i64,
    },
    /// A row doesn't follow from the one before.
    #[error("{chain}: row {seq} does not follow the row before it")]
    Link {
        /// The chain.
        chain: String,
        /// The row.
        seq: i64,
    },
    /// A row's content isn't what was hashed.
    #[error("{chain}: row {seq} was changed")]
    Changed {
        /// The chain.
        chain: String,
        /// The row.
        seq: i64,
    },
}

/// The hash before the first row.
pub const NOTHING: Digest = Digest([0; 32]);

impl Head {
    /// An empty chain's.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: NOTHING,
    };
}

impl Entry {
    /// What happened, read back.
    pub fn json(&self) -> Value {
        json(&self.body)
    }
}

/// What happened, read back from a row's canonical bytes; `null` for bytes that are none.
pub fn json(body: &[u8]) -> Value {
    let json = body.strip_prefix(b"idp.audit.v1\0").unwrap_or(body);
    serde_json::from_slice(json).unwrap_or_default()
}

/// The next row of a chain: `body` is what happened, in members the kind's own documentation names.
pub fn append(chain: &str, head: Head, body: &Value) -> Entry {
    let body = canonical::bytes("audit", body);
    let seq = head.seq + 1;
    Entry {
        chain: chain.to_owned(),
        seq,
        prev: head.hash,
        hash: hash(chain, seq, head.hash, &body),
        body,
    }
}

/// Follows a chain from an earlier head over these rows; gives the new head.
pub fn verify<'a>(
    mut head: Head,
    rows: impl IntoIterator<Item = &'a Entry>,
) -> Result<Head, Broken> {
    for row in rows {
        let chain = || row.chain.clone();
        if row.seq != head.seq + 1 {
            return Err(Broken::Gap {
                chain: chain(),
                expected: head.seq + 1,
                found: row.seq,
            });
        }
        if row.prev != head.hash {
            return Err(Broken::Link {
                chain: chain(),
                seq: row.seq,
            });
        }
        if row.hash != hash(&row.chain, row.seq, row.prev, &row.body) {
            return Err(Broken::Changed {
                chain: chain(),
                seq: row.seq,
            });
        }
        head = Head {
            seq: row.seq,
            hash: row.hash,
        };
    }
    Ok(head)
}

/// Authenticates a checkpoint's bytes: whoever holds the key can tell ours from one made up later.
pub fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    authenticator(key)
        .chain_update(bytes)
        .finalize()
        .into_bytes()
        .to_vec()
}

/// Whether these bytes were authenticated with the key; compared in constant time.
pub fn mac_holds(key: &[u8], bytes: &[u8], mac: &[u8]) -> bool {
    authenticator(key)
        .chain_update(bytes)
        .verify_slice(mac)
        .is_ok()
}

fn authenticator(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length; a longer one is hashed first (RFC 2104 §2), so this never fails.
    Hmac::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}

fn hash(chain: &str, seq: i64, prev: Digest, body: &[u8]) -> Digest {
    canonical::digest(
        "audit-row",
        &json!({ "chain": chain, "seq": seq, "prev": prev.to_string(), "body": Digest::of(body).to_string() }),
    )
}
