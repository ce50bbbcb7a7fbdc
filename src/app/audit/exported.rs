//! The copy of the evidence that is kept elsewhere: written a JSON object a line, and read back to be held against the
//! database.
//!
//! Whoever can write to the database can cut the newest rows of a chain together with every checkpoint over them. Only
//! what they can't reach still knows of those rows.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::verify::{Kept, PREFIX};
use super::{AT_A_TIME, Chain};
use crate::app::App;
use crate::domain::audit::{self, Entry, Head};
use crate::domain::canonical::{self, Digest};
use crate::store::audit::Checkpoint;
use crate::store::{self, Conn};

/// A line of a copy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Row {
        chain: String,
        seq: i64,
        prev: Digest,
        hash: Digest,
        body: Value,
    },
    Checkpoint {
        checkpoint: i64,
        /// The JSON that the MAC is over, in its canonical form.
        body: Value,
        mac: String,
    },
}

/// Hands out every row in order, of one chain or of all; with all chains also the checkpoints, after the rows. A line
/// each, without its end.
pub async fn export(
    app: &App,
    chain: Option<Chain>,
    mut each: impl FnMut(&str) -> std::io::Result<()> + Send,
) -> anyhow::Result<()> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let chains = match chain {
        Some(chain) => vec![chain.to_string()],
        None => store::audit::chains(&mut tx).await?,
    };
    for chain in chains {
        let mut from = 1;
        loop {
            let rows = store::audit::rows(&mut tx, &chain, from, AT_A_TIME).await?;
            let Some(last) = rows.last() else {
                break;
            };
            from = last.seq + 1;
            for row in rows {
                each(&serde_json::to_string(&Line::from(row))?)?;
            }
        }
    }
    let mut after = (chain.is_none()).then_some(0);
    while let Some(id) = after {
        let checkpoints = store::audit::checkpoints(&mut tx, id, AT_A_TIME).await?;
        after = checkpoints.last().map(|last| last.id);
        for checkpoint in checkpoints {
            each(&serde_json::to_string(&Line::from(checkpoint))?)?;
        }
    }
    Ok(())
}

impl From<Entry> for Line {
    fn from(row: Entry) -> Self {
        let body = row.json();
        Self::Row {
            chain: row.chain,
            seq: row.seq,
            prev: row.prev,
            hash: row.hash,
            body,
        }
    }
}

impl From<Checkpoint> for Line {
    fn from(checkpoint: Checkpoint) -> Self {
        let json = checkpoint.body.strip_prefix(PREFIX);
        let body = serde_json::from_slice(json.unwrap_or(&checkpoint.body));
        Self::Checkpoint {
            checkpoint: checkpoint.id,
            body: body.unwrap_or_default(),
            mac: hex::encode(checkpoint.mac),
        }
    }
}

/// What a copy knows: how far each chain went, and the row that stood there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    heads: BTreeMap<String, Head>,
}

impl Exported {
    /// Reads what [`export`] wrote. With a key, checkpoints that it didn't seal are refused.
    pub fn read(lines: impl BufRead, key: Option<&SecretSlice<u8>>) -> anyhow::Result<Self> {
        let mut copy = Self::default();
        for (at, line) in lines.lines().enumerate() {
            let number = at + 1;
            let line = line.context("it can't be read")?;
            let line = serde_json::from_str(&line)
                .with_context(|| format!("line {number} is not of `idp audit export`"))?;
            copy.take(line, key)
                .with_context(|| format!("line {number}"))?;
        }
        anyhow::ensure!(!copy.heads.is_empty(), "there is no row in it");
        Ok(copy)
    }

    fn take(&mut self, line: Line, key: Option<&SecretSlice<u8>>) -> anyhow::Result<()> {
        match line {
            Line::Row {
                chain, seq, hash, ..
            } => self.reaches(chain, Head { seq, hash }),
            Line::Checkpoint { body, mac, .. } => {
                let bytes = canonical::bytes("checkpoint", &body);
                let mac = hex::decode(mac)?;
                let sealed = key.is_none_or(|k| audit::mac_holds(k.expose_secret(), &bytes, &mac));
                anyhow::ensure!(sealed, "the checkpoint was not sealed with this state key");
                let kept: Kept = serde_json::from_value(body)?;
                for (chain, seq, hash) in kept.heads {
                    self.reaches(chain, Head { seq, hash });
                }
            }
        }
        Ok(())
    }

    fn reaches(&mut self, chain: String, head: Head) {
        let known = self.heads.entry(chain).or_insert(head);
        if head.seq > known.seq {
            *known = head;
        }
    }

    /// What the database lacks or has otherwise, a sentence each. The rows before a head follow from it.
    pub(super) async fn hold(&self, conn: &mut Conn) -> store::Result<Vec<String>> {
        let mut broken = Vec::new();
        for (chain, head) in &self.heads {
            let seq = head.seq;
            match store::audit::hash_of(conn, chain, seq).await? {
                Some(hash) if hash == head.hash => {}
                Some(_) => broken.push(format!("{chain}: row {seq} is not the one of the copy")),
                None => broken.push(format!("{chain}: row {seq} is missing, which the copy has")),
            }
        }
        Ok(broken)
    }
}
