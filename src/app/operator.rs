//! Requests of operators (`idp request new|list|show`) and the explanation of a decision (`idp policy explain`).
//!
//! An operator has the configuration and the database in hand, so `allow` and the limit of open requests don't bind
//! them; approval does, like everybody.

use serde_json::{Map, Value, json};

use super::actor::{self, Actor};
use super::definition::Definition;
use super::group::{self, Belongs};
use super::open_form::Desk;
use super::submit::{self, Asking};
use super::{App, new_id, place, view};
use crate::cards::answer::{self, MayNotAsk};
use crate::catalog::{Command, form};
use crate::domain::audit::Entry;
use crate::domain::form::FieldError;
use crate::domain::id::{InstallationId, RequestId, RequestNumber};
use crate::domain::message::Placement;
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::refusal::Refusal;
use crate::domain::request::Origin;
use crate::domain::view::RequestView;
use crate::store::installation::Installation;
use crate::store::{self, Conn};

/// The one installation of operators.
const LOCAL: &str = "local";

/// Why an operator's request wasn't made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// There is no such command, or new requests are paused.
    Refused(Refusal),
    /// Values that break the form, by field.
    Wrong(Vec<FieldError>),
}

/// Asks for a command as an operator. `name` is who they are on this machine; `values` are the form's.
pub async fn ask(
    app: &App,
    name: &str,
    command: &str,
    values: &Map<String, Value>,
) -> anyhow::Result<Result<RequestView, NotAsked>> {
    let catalog = app.library.current();
    let Some(command) = catalog.command(command) else {
        let mut refusal = Refusal::new(format!("There is no command `{command}`."));
        refusal.nearest = catalog.nearest_command(command).map(|c| c.name.clone());
        return Ok(Err(NotAsked::Refused(refusal)));
    };
    if let Some(reason) = app.settings.paused.clone() {
        let refusal = answer::may_not_ask(&MayNotAsk::Paused { reason });
        return Ok(Err(NotAsked::Refused(refusal)));
    }
    let mut tx = store::begin(&app.pool).await?;
    let actor = operator(&mut tx, name).await?;
    // An operator may pick any team.
    let belongs = Belongs {
        groups: vec![super::PLATFORM_GROUP.to_owned()],
        ..Belongs::default()
    };
    let desk = Desk::of(app, command, values, &belongs);
    let inputs = match form::check_all(command, desk.template(), values, &desk.facts) {
        Ok(inputs) => inputs,
        Err(errors) => return Ok(Err(NotAsked::Wrong(errors))),
    };
    let asking = Asking {
        inputs: &inputs,
        slash: super::DEFAULT_SLASH,
        origin: Origin::Operator,
        draft: None,
        again_from: None,
        placement: placement(app, &mut tx, command).await?,
    };
    let request = match submit::write(&mut tx, &actor, &desk, asking).await? {
        Ok(request) => request,
        Err(errors) => return Ok(Err(NotAsked::Wrong(errors))),
    };
    let view = view::load(app, &mut tx, request, actor.installation.id).await?;
    tx.commit().await?;
    Ok(Ok(view))
}

/// The operator of this name, written down at the first use.
async fn operator(conn: &mut Conn, name: &str) -> store::Result<Actor> {
    let now = store::now(conn).await?;
    let found = store::installation::find(conn, Platform::Operator, LOCAL).await?;
    let installation = match found {
        Some(known) => known,
        None => local(conn, now).await?,
    };
    let found = store::account::find(conn, installation.id, name).await?;
    let account = if let Some(known) = found {
        known
    } else {
        let fresh = Account {
            id: new_id(),
            person: new_id(),
            installation: installation.id,
            external: name.to_owned(),
            name: name.to_owned(),
            kind: AccountKind::Full,
            active: true,
        };
        actor::write(conn, fresh, now).await?
    };
    Ok(Actor {
        installation,
        account,
        now,
    })
}

async fn local(conn: &mut Conn, now: chrono::DateTime<chrono::Utc>) -> store::Result<Installation> {
    let mut installation = Installation {
        id: new_id(),
        platform: Platform::Operator,
        external: LOCAL.to_owned(),
        app: None,
        bot_account: None,
        name: "Operators".to_owned(),
        revoked_at: None,
    };
    installation.id = store::installation::upsert(conn, &installation, now).await?;
    Ok(installation)
}

/// Where an operator's request stands: the channel of its command, or the default one, in the first chat that has it.
async fn placement(
    app: &App,
    conn: &mut Conn,
    command: &Command,
) -> store::Result<Option<Placement>> {
    let names = [
        place::configured(app, command),
        app.settings.channels.default.as_deref(),
    ];
    for platform in Platform::ALL.iter().filter(|p| p.is_chat()) {
        for installation in store::installation::all(conn, *platform).await? {
            for name in names {
                if let Some(channel) = place::usable(conn, &installation, name).await? {
                    return Ok(Some(place::in_channel(&installation, &channel).placement));
                }
            }
        }
    }
    Ok(None)
}

/// The latest requests of everybody, newest first.
pub async fn list(app: &App, open_only: bool, limit: i64) -> anyhow::Result<Vec<RequestView>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let mut views = Vec::new();
    for listed in store::request::list(&mut tx, None, open_only, limit).await? {
        let reader = reader(&mut tx, listed.id).await?;
        views.push(view::load(app, &mut tx, listed.id, reader).await?);
    }
    Ok(views)
}

/// One request with all its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// As it stands.
    pub view: RequestView,
    /// What was asked with.
    pub inputs: Map<String, Value>,
    /// Every row of its chain.
    pub audit: Vec<Entry>,
    /// The names of the persons that the rows name.
    pub names: Vec<(crate::domain::id::PersonId, String)>,
}

/// Longest chain that is shown at once: requests have some dozens of rows.
const ROWS: i64 = 10_000;

/// Reads one request with all its evidence; `None`: no request has this number.
pub async fn show(app: &App, number: RequestNumber) -> anyhow::Result<Option<Shown>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let Some(request) = store::request::numbered(&mut tx, number).await? else {
        return Ok(None);
    };
    let reader = reader(&mut tx, request.id).await?;
    let view = view::load(app, &mut tx, request.id, reader).await?;
    let chain = super::audit::Chain::Request(request.id).to_string();
    let audit = store::audit::rows(&mut tx, &chain, 1, ROWS).await?;
    let persons = named(&audit);
    let names = store::person::names(&mut tx, &persons, reader).await?;
    Ok(Some(Shown {
        view,
        inputs: request.inputs.0,
        audit,
        names: names.into_iter().map(|n| (n.person, n.name)).collect(),
    }))
}

/// The persons that rows name as `by`.
fn named(rows: &[Entry]) -> Vec<crate::domain::id::PersonId> {
    let bodies = rows.iter().map(Entry::json);
    let mut persons: Vec<_> = bodies
        .filter_map(|body| body.get("by")?.as_str()?.parse().ok())
        .collect();
    persons.sort();
    persons.dedup();
    persons
}

/// Why a rule decides a plan, and who could meet it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The request as it stands, with the current plan's rule, votes and who can decide now.
    pub view: RequestView,
    /// The command's rules in order: name and condition, and whether it is the one that decides. Those before it don't
    /// hold; those after it were not looked at.
    pub rules: Vec<(String, Option<String>, bool)>,
    /// The facts that the rule was decided on, as kept with the plan.
    pub seen: Value,
    /// The groups of the deciding rule as of now: handle, members' names, whether that is fresh enough to decide.
    pub groups: Vec<(String, Vec<String>, bool)>,
}

/// Explains the decision on a request's current plan; `None`: no such request, or no plan yet.
pub async fn explain(app: &App, number: RequestNumber) -> anyhow::Result<Option<Explained>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let Some(request) = store::request::numbered(&mut tx, number).await? else {
        return Ok(None);
    };
    let Some(plan) = request.plan else {
        return Ok(None);
    };
    let Some(plan) = store::plan::get(&mut tx, plan).await? else {
        return Ok(None);
    };
    let now = store::now(&mut tx).await?;
    let reader = reader(&mut tx, request.id).await?;
    let definition = Definition::of(&mut tx, &request).await?;
    let decides = |rule: &str| rule == plan.rule.name;
    let rules = definition.command.rules.iter();
    let rules = rules
        .map(|r| (r.name.clone(), r.when.clone(), decides(&r.name)))
        .collect();
    let handles: Vec<&str> = plan
        .rule
        .require
        .iter()
        .map(|q| q.from.handle.as_str())
        .collect();
    let groups = group::all_facts(app, &mut tx, &handles, reader, now).await?;
    let groups = groups.into_iter().map(|group| {
        let fresh = group.fresh(now);
        let names = group.members.into_iter().map(|m| m.name).collect();
        (group.name.handle, names, fresh)
    });
    Ok(Some(Explained {
        view: view::load(app, &mut tx, request.id, reader).await?,
        rules,
        groups: groups.collect(),
        seen: plan.seen,
    }))
}

impl Shown {
    /// Everything as one JSON document: what `idp request show ID --json` prints.
    pub fn json(&self) -> Value {
        let row =
            |entry: &Entry| json!({ "seq": entry.seq, "hash": entry.hash, "body": entry.json() });
        let names: Map<String, Value> = self
            .names
            .iter()
            .map(|(person, name)| (person.to_string(), name.as_str().into()))
            .collect();
        json!({
            "request": self.view,
            "inputs": self.inputs,
            "audit": self.audit.iter().map(row).collect::<Vec<_>>(),
            "names": names,
        })
    }
}

/// The installation whose names a request is told in: that of the one who asked.
async fn reader(conn: &mut Conn, request: RequestId) -> anyhow::Result<InstallationId> {
    let request = store::request::get(conn, request).await?;
    let account = request.map(|r| r.account);
    match account {
        Some(account) => Ok(store::account::get(conn, account).await?.installation),
        None => anyhow::bail!("the request is gone"),
    }
}
