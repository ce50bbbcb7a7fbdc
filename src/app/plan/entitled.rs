//! The right to ask, looked at once more just before the run: people leave groups while a request waits.

use chrono::{DateTime, Utc};

use super::super::definition::Definition;
use super::super::{App, ask, group};
use crate::cards::answer::{self, MayNotAsk};
use crate::cards::refusal;
use crate::domain::refusal::Refusal;
use crate::domain::request::Origin;
use crate::store::request::Request;
use crate::store::{self, Conn};

/// Whether the one who asked may still have what they asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Right {
    /// Yes.
    Holds,
    /// Not any more, and why.
    Lost(Refusal),
    /// The facts are too old to decide anything: it has to wait for newer ones. Why, as a sentence.
    Unknown(String),
}

/// Whether the one who asked is still active at all.
pub(super) async fn active(conn: &mut Conn, request: &Request) -> store::Result<bool> {
    let accounts = store::account::of_person(conn, request.requester).await?;
    Ok(accounts.iter().any(|account| account.active))
}

/// Judges by the definition that was asked for, on the groups as of now.
pub(super) async fn right(
    app: &App,
    conn: &mut Conn,
    request: &Request,
    now: DateTime<Utc>,
) -> anyhow::Result<Right> {
    let accounts = store::account::of_person(conn, request.requester).await?;
    let active: Vec<_> = accounts.iter().filter(|account| account.active).collect();
    if active.is_empty() {
        return Ok(Right::Lost(refusal::requester_gone()));
    }
    if request.origin != Origin::Chat {
        // An operator has the configuration in hand: `allow` doesn't bind them.
        return Ok(Right::Holds);
    }
    let mut kinds = active.iter().map(|account| ask::is_member(account));
    if let Some(Err(why)) = kinds.clone().next()
        && kinds.all(|kind| kind.is_err())
    {
        let home = store::installation::get(conn, request.home).await?;
        return Ok(Right::Lost(answer::may_not_ask(&why, home.platform)));
    }
    let command = Definition::of(conn, request).await?.command;
    let belongs = group::of_person(app, conn, request.requester, now).await?;
    let judged = ask::allowed(app, conn, &command, &belongs, (request.home, now)).await?;
    Ok(match judged {
        Ok(()) => Right::Holds,
        Err(MayNotAsk::Stale { group }) => Right::Unknown(refusal::members_unreadable(&group)),
        Err(_) => {
            let name = store::account::get(conn, request.account).await?.name;
            let lost = refusal::right_lost(&request.command, &command.allow, &name);
            Right::Lost(lost)
        }
    })
}
