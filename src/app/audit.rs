//! Evidence: one row for each thing that happened, chained so that no edit goes unseen.

mod verify;

pub use verify::{Report, checkpoint, verify, verify_on};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::App;
use crate::domain::audit::{self, Entry, Head};
use crate::domain::id::RequestId;
use crate::store::{self, Conn};

/// Rows that are read at a time: a chain may be longer than memory should hold.
const AT_A_TIME: i64 = 1000;

/// Which chain a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// What belongs to no request.
    System,
    /// What happened to this request.
    Request(RequestId),
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Request(request) => write!(f, "request:{request}"),
        }
    }
}

/// Adds a row. `what` is a map of the kind's own members: ids of persons, never their names. Writers of one chain wait
/// for one another from here to the end of the transaction, so append late.
pub async fn append(
    conn: &mut Conn,
    chain: Chain,
    kind: &str,
    now: DateTime<Utc>,
    what: Value,
) -> store::Result<()> {
    let chain = chain.to_string();
    let head = store::audit::lock_head(conn, &chain).await?;
    let body = body(kind, now, what);
    let entry = audit::append(&chain, head, &body);
    store::audit::insert(conn, &entry, kind, now).await
}

/// Begins the chain of a request that is made in this transaction.
pub async fn begin(
    conn: &mut Conn,
    request: RequestId,
    kind: &str,
    now: DateTime<Utc>,
    what: Value,
) -> store::Result<()> {
    let body = body(kind, now, what);
    let entry = audit::append(&Chain::Request(request).to_string(), Head::EMPTY, &body);
    store::audit::begin(conn, &entry, kind, now).await
}

/// Hands out every row of a chain in order, or of all chains: what `idp audit export` writes, a line each.
pub async fn export(
    app: &App,
    chain: Option<Chain>,
    mut each: impl FnMut(&Entry) -> std::io::Result<()> + Send,
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
            rows.iter().try_for_each(&mut each)?;
        }
    }
    Ok(())
}

fn body(kind: &str, now: DateTime<Utc>, what: Value) -> Value {
    let mut body = match what {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        other => Map::from_iter([("what".to_owned(), other)]),
    };
    body.insert("kind".to_owned(), kind.into());
    let at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    body.insert("at".to_owned(), at.into());
    Value::Object(body)
}
