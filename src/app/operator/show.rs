//! The whole evidence of one request.

use serde_json::{Map, Value, json};

use super::reader;
use crate::app::audit::Chain;
use crate::app::{App, view};
use crate::domain::audit::Entry;
use crate::domain::id::{PersonId, RequestNumber};
use crate::domain::view::RequestView;
use crate::store;
use crate::store::request::Request;
use crate::store::step::Attempt;

/// Longest chain that is shown at once: requests have some dozens of rows.
const ROWS: i64 = 10_000;

/// One request with all its evidence.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As it stands.
    pub view: RequestView,
    /// What was asked, with which definitions.
    pub request: Request,
    /// Every row of its chain.
    pub audit: Vec<Entry>,
    /// Every attempt at any of its steps.
    pub attempts: Vec<Attempt>,
    /// The names of the persons that the rows name.
    pub names: Vec<(PersonId, String)>,
}

/// Reads one request with all its evidence; `None`: no request has this number.
pub async fn show(app: &App, number: RequestNumber) -> anyhow::Result<Option<Shown>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let Some(request) = store::request::numbered(&mut tx, number).await? else {
        return Ok(None);
    };
    let reader = reader(&mut tx, request.id).await?;
    let view = view::load(app, &mut tx, request.id, reader).await?;
    let chain = Chain::Request(request.id).to_string();
    let audit = store::audit::rows(&mut tx, &chain, 1, ROWS).await?;
    let attempts = store::step::attempts_of(&mut tx, request.id).await?;
    let names = store::person::names(&mut tx, &named(&audit), reader).await?;
    Ok(Some(Shown {
        view,
        request,
        audit,
        attempts,
        names: names.into_iter().map(|n| (n.person, n.name)).collect(),
    }))
}

/// The persons that rows name as `by`.
fn named(rows: &[Entry]) -> Vec<PersonId> {
    let bodies = rows.iter().map(Entry::json);
    let mut persons: Vec<_> = bodies
        .filter_map(|body| body.get("by")?.as_str()?.parse().ok())
        .collect();
    persons.sort();
    persons.dedup();
    persons
}

impl Shown {
    /// Everything as one JSON document, the same for `idp request show ID --json` and `/api/requests/ID`: the members
    /// of the view (`state`, `plan.digest`, …) with `inputs`, the definitions' digests, every attempt at a step, the audit
    /// rows as kept, and the
    /// names behind the ids in them.
    pub fn json(&self) -> serde_json::Result<Value> {
        let mut document = serde_json::to_value(&self.view)?;
        let names: Map<String, Value> = self
            .names
            .iter()
            .map(|(person, name)| (person.to_string(), name.as_str().into()))
            .collect();
        document["origin"] = json!(self.request.origin);
        document["inputs"] = json!(self.request.inputs.0);
        document["command_digest"] = json!(self.request.command_digest);
        document["template_digest"] = json!(self.request.template_digest);
        document["attempts"] = json!(self.attempts);
        document["audit"] = self.audit.iter().map(row).collect();
        document["names"] = names.into();
        Ok(document)
    }
}

fn row(entry: &Entry) -> Value {
    // Bytes that are no JSON (somebody wrote to the table) are shown as they are.
    let body = match entry.json() {
        Value::Null => String::from_utf8_lossy(&entry.body).into(),
        said => said,
    };
    json!({ "seq": entry.seq, "prev": entry.prev, "hash": entry.hash, "body": body })
}
