//! The right to ask: checked when a command is typed, when its form is sent, and once more before the run.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::App;
use super::actor::Actor;
use super::audit::{self, Chain};
use super::group::{self, Belongs};
use crate::cards::answer::{self, MayNotAsk};
use crate::catalog::Command;
use crate::domain::id::InstallationId;
use crate::domain::person::{Account, AccountKind};
use crate::domain::reply::Reply;
use crate::domain::slash::Slash;
use crate::store::{self, Conn};

/// Whether somebody may ask for a command now. `Ok` gives what they belong to.
pub(super) async fn may(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    slash: &Slash,
) -> store::Result<Result<Belongs, MayNotAsk>> {
    if let Some(reason) = &app.settings.current().paused {
        return Ok(Err(MayNotAsk::Paused {
            reason: reason.clone(),
        }));
    }
    if let Err(why) = is_member(&actor.account) {
        return Ok(Err(why));
    }
    let belongs = group::of_person(app, conn, actor.person(), actor.now).await?;
    let reader = (actor.installation.id, actor.now);
    if let Err(why) = allowed(app, conn, command, &belongs, reader).await? {
        return Ok(Err(why));
    }
    // Only under the lock of a draft, which is its person's too, does the count stay what it is.
    let max = app.settings.current().limits.open_requests;
    if store::request::count_open(conn, actor.person()).await? >= i64::from(max) {
        return Ok(Err(MayNotAsk::TooMany {
            max,
            slash: slash.clone(),
        }));
    }
    Ok(Ok(belongs))
}

/// Full members may; an account that nobody looked up yet may as far as the form.
pub(super) fn is_member(account: &Account) -> Result<(), MayNotAsk> {
    if !account.active {
        return Err(MayNotAsk::Inactive);
    }
    match account.kind {
        AccountKind::Full | AccountKind::Unknown => Ok(()),
        AccountKind::Guest => Err(MayNotAsk::Guest),
        AccountKind::Outsider => Err(MayNotAsk::Outsider),
        AccountKind::Bot => Err(MayNotAsk::Bot),
    }
}

/// Turns away whoever isn't a looked-up member of ours, from what only those may: `None` lets them in.
pub(super) async fn turned_away(
    conn: &mut Conn,
    actor: &Actor,
    from: &str,
) -> store::Result<Option<Reply>> {
    if let Err(why) = is_member(&actor.account) {
        return refuse(conn, actor, from, &why).await.map(Some);
    }
    let unknown = actor.account.kind == AccountKind::Unknown;
    Ok(unknown.then(|| Reply::Card {
        card: answer::not_looked_up(),
    }))
}

/// Whether somebody is in one of the groups that a command allows, as of `now`.
pub(super) async fn allowed(
    app: &App,
    conn: &mut Conn,
    command: &Command,
    belongs: &Belongs,
    (reader, now): (InstallationId, DateTime<Utc>),
) -> store::Result<Result<(), MayNotAsk>> {
    if allows(command, belongs) {
        return Ok(Ok(()));
    }
    let allow = &command.allow;
    for handle in allow {
        let facts = group::facts(app, conn, handle, reader, now).await?;
        if facts.is_some_and(|f| !f.fresh(now)) {
            return Ok(Err(MayNotAsk::Stale {
                group: handle.clone(),
            }));
        }
    }
    Ok(Err(MayNotAsk::NotAllowed {
        command: command.name.clone(),
        allow: allow.clone(),
    }))
}

fn allows(command: &Command, belongs: &Belongs) -> bool {
    let allow = &command.allow;
    allow.is_empty() || allow.iter().any(|g| belongs.groups.contains(g))
}

/// Whether there is no doubt that a full member may ask, who has so many open requests: [`may`] finds the reason if not.
pub(super) fn surely(app: &App, command: &Command, belongs: &Belongs, open: i64) -> bool {
    let settings = app.settings.current();
    settings.paused.is_none()
        && allows(command, belongs)
        && open < i64::from(settings.limits.open_requests)
}

/// Says no, and keeps that it was said.
pub(super) async fn refuse(
    conn: &mut Conn,
    actor: &Actor,
    command: &str,
    why: &MayNotAsk,
) -> store::Result<Reply> {
    let refusal = answer::may_not_ask(why, actor.installation.platform);
    let what = json!({
        "person": actor.person(), "account": actor.account.id, "command": command,
        "why": refusal.what.to_string(),
    });
    audit::append(conn, Chain::System, "ask.refused", actor.now, what).await?;
    Ok(Reply::Card {
        card: answer::refused(&refusal),
    })
}
