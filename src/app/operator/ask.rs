//! Asking as an operator: no form, no draft, no limit of open requests; the same checks of every value.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::app::actor::{self, Actor};
use crate::app::group::Belongs;
use crate::app::open_form::Desk;
use crate::app::submit::{self, Asking};
use crate::app::{App, PLATFORM_GROUP, new_id, place, view};
use crate::cards::answer::{self, MayNotAsk};
use crate::cards::refusal;
use crate::catalog::{Command, form};
use crate::domain::form::FieldError;
use crate::domain::message::Placement;
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::refusal::Refusal;
use crate::domain::request::Origin;
use crate::domain::slash;
use crate::domain::view::RequestView;
use crate::store::installation::Installation;
use crate::store::{self, Conn};

/// The one installation of operators.
const OPERATORS: &str = "operators";

/// Longest name of an operator, in characters.
const LONGEST_NAME: usize = 80;

/// Why an operator's request wasn't made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// There is no such command, or new requests are paused.
    Refused(Refusal),
    /// Values that break the form, by field.
    Wrong(Vec<FieldError>),
}

/// Asks for a command as an operator. `name` is who they say they are, as the request and the
/// audit chain will; `values` are the form's.
pub async fn ask(
    app: &App,
    name: &str,
    command: &str,
    values: &Map<String, Value>,
) -> anyhow::Result<Result<RequestView, NotAsked>> {
    if let Err(message) = check_name(name) {
        let field = "by".to_owned();
        let wrong = FieldError {
            label: field.clone(),
            field,
            message,
        };
        return Ok(Err(NotAsked::Wrong(vec![wrong])));
    }
    let catalog = app.library.current();
    let Some(command) = catalog.command(command) else {
        let near = catalog.nearest_command(command).map(|c| c.name.as_str());
        let refusal = refusal::unknown_command(command, near);
        return Ok(Err(NotAsked::Refused(refusal)));
    };
    if let Some(reason) = app.settings.current().paused.clone() {
        let refusal = answer::may_not_ask(&MayNotAsk::Paused { reason }, Platform::Operator);
        return Ok(Err(NotAsked::Refused(refusal)));
    }
    let mut tx = store::begin(&app.pool).await?;
    let actor = operator(&mut tx, name).await?;
    // An operator may pick any team.
    let belongs = Belongs {
        groups: vec![PLATFORM_GROUP.to_owned()],
        ..Belongs::default()
    };
    let desk = Desk::of(app, command, values, &belongs);
    let inputs = match form::check_all(command, desk.template(), values, &desk.facts) {
        Ok(inputs) => inputs,
        Err(errors) => return Ok(Err(NotAsked::Wrong(errors))),
    };
    let asking = Asking {
        inputs: &inputs,
        slash: slash::NAME,
        origin: Origin::Operator,
        draft: None,
        again_from: None,
        placement: placement(app, &mut tx, command).await?,
    };
    let request = match submit::write(&mut tx, &actor, &desk, asking).await? {
        Ok((request, _)) => request,
        Err(errors) => return Ok(Err(NotAsked::Wrong(errors))),
    };
    let view = view::load(app, &mut tx, request, actor.installation.id).await?;
    tx.commit().await?;
    Ok(Ok(view))
}

/// A name is what cards and rows of evidence say: one short line.
fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("Say who asks.".to_owned());
    }
    if name.chars().any(char::is_control) || name.chars().count() > LONGEST_NAME {
        return Err(format!("One line of at most {LONGEST_NAME} characters."));
    }
    Ok(())
}

/// The operator of this name, written down at the first use.
async fn operator(conn: &mut Conn, name: &str) -> store::Result<Actor> {
    let now = store::now(conn).await?;
    let found = store::installation::find(conn, Platform::Operator, OPERATORS).await?;
    let installation = match found {
        Some(known) => known,
        None => operators(conn, now).await?,
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

async fn operators(conn: &mut Conn, now: DateTime<Utc>) -> store::Result<Installation> {
    let mut installation = Installation {
        id: new_id(),
        platform: Platform::Operator,
        external: OPERATORS.to_owned(),
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
    let settings = app.settings.current();
    let names = [
        place::configured(&settings, command),
        settings.channels.default.as_deref(),
    ];
    for platform in Platform::ALL.iter().filter(|p| p.is_chat()) {
        for installation in store::installation::served(conn, *platform).await? {
            for name in names {
                if let Some(channel) = place::usable(conn, &installation, name).await? {
                    return Ok(Some(place::in_channel(&installation, &channel).placement));
                }
            }
        }
    }
    Ok(None)
}
