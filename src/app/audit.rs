//! Evidence: one row for each thing that happened, chained so that no edit goes unseen.

mod exported;
mod verify;

pub use exported::{Exported, export};
pub use verify::{Report, checkpoint, checkpoint_due, key_is_ours, verify, verify_on};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

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
    append_all(conn, chain, now, [(kind, what)]).await
}

/// Adds a row for each thing that happened, in this order.
pub(super) async fn append_all<const N: usize>(
    conn: &mut Conn,
    chain: Chain,
    now: DateTime<Utc>,
    happened: [(&str, Value); N],
) -> store::Result<()> {
    let chain = chain.to_string();
    let mut head = store::audit::lock_head(conn, &chain).await?;
    let rows = happened.map(|(kind, what)| {
        let entry = audit::append(&chain, head, &body(kind, now, what));
        head = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        (entry, kind)
    });
    store::audit::insert(conn, &chain, &rows, now).await
}

/// Begins the chain of a request that is made in this transaction.
pub async fn begin(
    conn: &mut Conn,
    request: RequestId,
    kind: &str,
    now: DateTime<Utc>,
    what: Value,
) -> store::Result<()> {
    store::audit::begin(conn, &first(request, kind, now, what), kind, now).await
}

/// The row that begins the chain of a request.
pub(super) fn first(request: RequestId, kind: &str, now: DateTime<Utc>, what: Value) -> Entry {
    let body = body(kind, now, what);
    audit::append(&Chain::Request(request).to_string(), Head::EMPTY, &body)
}

fn body(kind: &str, now: DateTime<Utc>, what: Value) -> Value {
    let mut body = match what {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        other => Map::from_iter([("what".to_owned(), other)]),
    };
    body.insert("kind".to_owned(), kind.into());
    body.insert("at".to_owned(), moment(now).into());
    Value::Object(body)
}

/// A moment as bodies say it.
fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
