//! What an operator does without a chat: ask, list, read the whole evidence of one request.
//!
//! An operator is whoever holds the token of `/api/requests` or the database, so `allow` doesn't bind them; approvals
//! do, as for everybody. What they ask for stands in the command's channel where there is one, so that approvers see it.

use serde_json::{Map, Value, json};

use super::actor::{self, Actor};
use super::group::Belongs;
use super::open_form::Desk;
use super::submit::{self, Asking};
use super::{App, DEFAULT_SLASH, PLATFORM_GROUP, new_id, place, view};
use crate::cards::answer::{self, MayNotAsk};
use crate::cards::refusal;
use crate::catalog::Command;
use crate::catalog::form;
use crate::domain::audit::Entry;
use crate::domain::event::Sender;
use crate::domain::form::FieldError;
use crate::domain::id::{RequestId, RequestNumber};
use crate::domain::message::Placement;
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::refusal::Refusal;
use crate::domain::request::Origin;
use crate::store::installation::Installation;
use crate::store::{self, Conn};

/// The installation that operators' accounts belong to.
const OPERATORS: &str = "operators";
/// Audit rows that are read at a time, and the most of one request that are shown.
const ROWS: i64 = 10_000;

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// It is being planned.
    Taken(RequestNumber),
    /// It can't be asked for.
    Refused(Refusal),
    /// These values are wrong.
    Wrong(Vec<FieldError>),
}

/// Asks for a command. `who` names the operator, as their requests and the audit chain will.
pub async fn ask(
    app: &App,
    who: &str,
    command: &str,
    values: Map<String, Value>,
) -> anyhow::Result<Asked> {
    if let Some(reason) = &app.settings.paused {
        let reason = reason.clone();
        let paused = answer::may_not_ask(&MayNotAsk::Paused { reason });
        return Ok(Asked::Refused(paused));
    }
    let catalog = app.library.current();
    let Some(command) = catalog.command(command) else {
        let near = catalog.nearest_command(command).map(|c| c.name.as_str());
        return Ok(Asked::Refused(refusal::unknown_command(command, near)));
    };
    let desk = Desk::of(app, command, &values, &everything(app));
    let inputs = match form::check_all(command, desk.template(), &values, &desk.facts) {
        Ok(inputs) => inputs,
        Err(errors) => return Ok(Asked::Wrong(errors)),
    };
    let mut tx = store::begin(&app.pool).await?;
    let actor = operator(&mut tx, who).await?;
    let asking = Asking {
        inputs: &inputs,
        slash: DEFAULT_SLASH,
        origin: Origin::Operator,
        draft: None,
        again_from: None,
        placement: placement(app, &mut tx, command).await?,
    };
    let request = match submit::write(&mut tx, &actor, &desk, asking).await? {
        Ok(request) => request,
        Err(errors) => return Ok(Asked::Wrong(errors)),
    };
    let number = number(&mut tx, request).await?;
    tx.commit().await?;
    Ok(Asked::Taken(number))
}

/// The latest requests, newest first.
pub async fn list(app: &App, open_only: bool, limit: u16) -> anyhow::Result<Value> {
    let mut conn = app.pool.acquire().await?;
    let listed = store::request::list(&mut conn, None, open_only, limit.into()).await?;
    let requests: Vec<Value> = listed
        .iter()
        .map(|r| {
            json!({ "number": r.number, "id": r.id, "command": r.command, "subject": r.subject, "state": r.state,
                "since": r.since, "run": r.run, "run_since": r.run_since })
        })
        .collect();
    Ok(json!({ "requests": requests }))
}

/// The whole evidence of one request: what its cards show, its inputs and definitions, and its audit chain as kept.
/// `None`: there is no such request.
pub async fn evidence(app: &App, number: RequestNumber) -> anyhow::Result<Option<Value>> {
    let mut tx = store::begin(&app.pool).await?;
    let Some(request) = store::request::numbered(&mut tx, number).await? else {
        return Ok(None);
    };
    let account = store::account::get(&mut tx, request.account).await?;
    let shown = view::load(app, &mut tx, request.id, account.installation).await?;
    let chain = super::audit::Chain::Request(request.id).to_string();
    let rows = store::audit::rows(&mut tx, &chain, 1, ROWS).await?;

    let mut evidence = serde_json::to_value(&shown)?;
    evidence["origin"] = json!(request.origin);
    evidence["inputs"] = json!(request.inputs.0);
    evidence["command_digest"] = json!(request.command_digest);
    evidence["template_digest"] = json!(request.template_digest);
    evidence["audit"] = rows.iter().map(row).collect();
    Ok(Some(evidence))
}

fn row(entry: &Entry) -> Value {
    json!({ "seq": entry.seq, "prev": entry.prev, "hash": entry.hash, "body": body(entry) })
}

/// What a row says. Its bytes are a kind, a NUL and JSON; what isn't (somebody wrote to the table) is shown as it is.
fn body(entry: &Entry) -> Value {
    let json = entry.body.splitn(2, |byte| *byte == 0).nth(1);
    json.and_then(|json| serde_json::from_slice(json).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(&entry.body).into())
}

/// Operators may pick any team.
fn everything(app: &App) -> Belongs {
    Belongs {
        groups: vec![PLATFORM_GROUP.to_owned()],
        stale: Vec::new(),
        teams: app.settings.teams.keys().cloned().collect(),
    }
}

/// The operator's own account; made at the first time.
async fn operator(conn: &mut Conn, who: &str) -> anyhow::Result<Actor> {
    let now = store::now(conn).await?;
    let sender = Sender {
        platform: Platform::Operator,
        installation: OPERATORS.to_owned(),
        app: None,
        account: who.to_owned(),
        name: Some(who.to_owned()),
        home: None,
    };
    let installation = Installation {
        id: new_id(),
        platform: Platform::Operator,
        external: OPERATORS.to_owned(),
        app: None,
        bot_account: None,
        name: "Operators".to_owned(),
        revoked_at: None,
    };
    store::installation::upsert(conn, &installation, now).await?;
    let installation = actor::installation(conn, &sender)
        .await?
        .ok_or_else(|| anyhow::anyhow!("the operators' installation was not kept"))?;
    let known = store::account::find(conn, installation.id, who).await?;
    let account = if let Some(account) = known {
        account
    } else {
        let account = Account {
            id: new_id(),
            person: new_id(),
            installation: installation.id,
            external: who.to_owned(),
            name: who.to_owned(),
            kind: AccountKind::Full,
            active: true,
        };
        actor::write(conn, account, now).await?
    };
    Ok(Actor {
        installation,
        account,
        now,
    })
}

/// Where those who decide can see it: the command's channel, else the default one, where a platform has it.
async fn placement(
    app: &App,
    conn: &mut Conn,
    command: &Command,
) -> store::Result<Option<Placement>> {
    let wanted = [
        place::configured(app, command),
        app.settings.channels.default.as_deref(),
    ];
    for installation in store::installation::all(conn, Platform::Slack).await? {
        for name in wanted {
            if let Some(channel) = place::usable(conn, &installation, name).await? {
                return Ok(Some(place::in_channel(&installation, &channel).placement));
            }
        }
    }
    Ok(None)
}

async fn number(conn: &mut Conn, id: RequestId) -> anyhow::Result<RequestNumber> {
    let request = store::request::get(conn, id).await?;
    request
        .map(|request| request.number)
        .ok_or_else(|| anyhow::anyhow!("request {id} was not kept"))
}
