//! Follows every chain from its first row, holds the heads and the checkpoints against it, and makes checkpoints.
//!
//! What no check inside one database can find is a tail that was cut together with the newest checkpoint: that one has
//! to be kept elsewhere ([`Exported`]).

use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{AT_A_TIME, Exported};
use crate::app::App;
use crate::domain::audit::{self, Head};
use crate::domain::canonical::{self, Digest};
use crate::store::audit::{Checkpoint, Labelled};
use crate::store::{self, Conn};

/// What `idp audit verify` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Chains followed.
    pub chains: usize,
    /// Rows read.
    pub rows: usize,
    /// Checkpoints held against them.
    pub checkpoints: usize,
    /// Whether the checkpoints' MACs could be checked (`IDP_STATE_KEY`).
    pub authenticated: bool,
    /// What is wrong, a sentence each; empty: nothing.
    pub broken: Vec<String>,
}

/// The heads of the chains that grew, as they are authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The digest of the checkpoint before.
    prev: Option<Digest>,
    /// Chain, number and hash of its last row.
    pub(super) heads: Vec<(String, i64, Digest)>,
}

/// Verifies everything as of now, and holds it against a copy that was kept elsewhere.
pub async fn verify(app: &App, copy: Option<&Exported>) -> anyhow::Result<Report> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let mut report = verify_on(app, &mut tx).await?;
    if let Some(copy) = copy {
        report.broken.extend(copy.hold(&mut tx).await?);
    }
    Ok(report)
}

/// Verifies everything that a transaction sees.
pub async fn verify_on(app: &App, conn: &mut Conn) -> anyhow::Result<Report> {
    let mut report = Report {
        authenticated: app.settings.current().state_key.is_some(),
        ..Report::default()
    };
    for chain in store::audit::chains(conn).await? {
        report.chains += 1;
        if let Some(problem) = follow(conn, &chain, &mut report.rows).await? {
            report.broken.push(problem);
        }
    }
    let mut prev = None;
    let mut after = 0;
    loop {
        let checkpoints = store::audit::checkpoints(conn, after, AT_A_TIME).await?;
        let Some(last) = checkpoints.last() else {
            break;
        };
        after = last.id;
        for checkpoint in checkpoints {
            report.checkpoints += 1;
            let problem = hold(app, conn, &checkpoint, prev).await?;
            report.broken.extend(problem);
            prev = Some(Digest::of(&checkpoint.body));
        }
    }
    Ok(report)
}

/// Follows one chain to its head; gives what is wrong first.
async fn follow(conn: &mut Conn, chain: &str, read: &mut usize) -> anyhow::Result<Option<String>> {
    let mut head = Head::EMPTY;
    loop {
        let rows = store::audit::labelled(conn, chain, head.seq + 1, AT_A_TIME).await?;
        if rows.is_empty() {
            break;
        }
        *read += rows.len();
        match audit::verify(head, rows.iter().map(|row| &row.entry)) {
            Ok(further) => head = further,
            Err(broken) => return Ok(Some(broken.to_string())),
        }
        if let Some(row) = rows.iter().find(|row| !labels_hold(row)) {
            let seq = row.entry.seq;
            let what = "its kind or its time isn't what its body says";
            return Ok(Some(format!("{chain}: row {seq} was changed: {what}")));
        }
    }
    let told = store::audit::head(conn, chain)
        .await?
        .unwrap_or(Head::EMPTY);
    Ok((told != head).then(|| {
        let (found, told) = (head.seq, told.seq);
        format!("{chain}: it ends before its head: row {found} is the last, row {told} should be")
    }))
}

/// Whether the columns beside a body say what the hashed body says.
fn labels_hold(row: &Labelled) -> bool {
    let said = row.entry.json();
    said["kind"] == row.kind && said["at"] == super::moment(row.at)
}

/// Holds a checkpoint against the chains.
async fn hold(
    app: &App,
    conn: &mut Conn,
    checkpoint: &Checkpoint,
    prev: Option<Digest>,
) -> anyhow::Result<Vec<String>> {
    let id = checkpoint.id;
    if let Some(key) = &app.settings.current().state_key
        && !audit::mac_holds(key.expose_secret(), &checkpoint.body, &checkpoint.mac)
    {
        return Ok(vec![format!(
            "checkpoint {id}: it was not made with this IDP_STATE_KEY, or was changed"
        )]);
    }
    let json = checkpoint
        .body
        .strip_prefix(PREFIX)
        .unwrap_or(&checkpoint.body);
    let Ok(kept) = serde_json::from_slice::<Kept>(json) else {
        return Ok(vec![format!("checkpoint {id}: it can't be read")]);
    };
    let mut broken = Vec::new();
    if kept.prev != prev {
        broken.push(format!(
            "checkpoint {id}: it does not follow the one before it"
        ));
    }
    for (chain, seq, hash) in kept.heads {
        let found = store::audit::hash_of(conn, &chain, seq).await?;
        if found != Some(hash) {
            broken.push(format!(
                "{chain}: row {seq} is not the one of checkpoint {id}"
            ));
        }
    }
    Ok(broken)
}

/// Where the JSON of a checkpoint begins in its canonical bytes.
pub(super) const PREFIX: &[u8] = b"idp.checkpoint.v1\0";

/// What the mark of a key is over.
const MARKED: &[u8] = b"idp.state-key.v1\0";

/// Whether the state key is the one that this database was begun with; the first one is.
pub async fn key_is_ours(app: &App) -> anyhow::Result<bool> {
    let settings = app.settings.current();
    let Some(key) = &settings.state_key else {
        return Ok(true);
    };
    let mark = audit::mac(key.expose_secret(), MARKED);
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let kept = store::audit::key_mark(&mut tx, &mark, now).await?;
    tx.commit().await?;
    Ok(audit::mac_holds(key.expose_secret(), MARKED, &kept))
}

/// How often the heads of all chains are written down: what was cut off since is found by whoever keeps one.
const CHECKPOINT_EVERY: TimeDelta = TimeDelta::hours(1);

/// Writes a checkpoint if it is time for one. The turn is taken with it: one that fails comes again with the next tick.
pub async fn checkpoint_due(app: &App) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if store::timer::take_turn(&mut tx, "checkpoint", now - CHECKPOINT_EVERY, now).await? {
        checkpoint_on(app, &mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Writes a checkpoint over the chains that grew since the last one. False: none did, or there is no key to
/// authenticate it with.
pub async fn checkpoint(app: &App) -> anyhow::Result<bool> {
    let mut tx = store::begin(&app.pool).await?;
    let written = checkpoint_on(app, &mut tx).await?;
    tx.commit().await?;
    Ok(written)
}

async fn checkpoint_on(app: &App, tx: &mut Conn) -> anyhow::Result<bool> {
    let Some(key) = &app.settings.current().state_key else {
        return Ok(false);
    };
    let last = store::audit::last_checkpoint(tx).await?;
    let grown = store::audit::take_grown(tx).await?;
    if grown.is_empty() {
        return Ok(false);
    }
    let kept = Kept {
        prev: last.map(|c| Digest::of(&c.body)),
        heads: grown
            .into_iter()
            .map(|(chain, head)| (chain, head.seq, head.hash))
            .collect(),
    };
    let body = canonical::bytes("checkpoint", &serde_json::to_value(kept)?);
    let mac = audit::mac(key.expose_secret(), &body);
    let now = store::now(tx).await?;
    store::audit::insert_checkpoint(tx, &body, &mac, now).await?;
    Ok(true)
}
