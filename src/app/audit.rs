//! Evidence: one row for each thing that happened, chained so that no edit goes unseen.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::domain::audit;
use crate::domain::id::RequestId;
use crate::store::{self, Conn};

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
