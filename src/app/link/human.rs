//! Ties between persons: locked, made, ended, and what follows from them for whoever stands for a human.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::tell;
use crate::app::audit::{self, Chain};
use crate::app::{message, new_id};
use crate::domain::id::{AccountId, PersonId};
use crate::domain::message::Subject;
use crate::domain::person::Account;
use crate::domain::tie::{self, Source, Tie};
use crate::store::{self, Conn};

/// Keeps who is one human with these accounts' persons as it is, until the transaction ends. Gives all persons of theirs.
pub(super) async fn lock(conn: &mut Conn, accounts: &[AccountId]) -> store::Result<Vec<PersonId>> {
    let mut locked = Vec::new();
    loop {
        let mut persons = Vec::new();
        for account in accounts {
            persons.push(store::account::get(conn, *account).await?.person);
        }
        let persons = store::tie::persons_of(conn, &persons).await?;
        // Whoever was waited for may have changed who they are.
        if persons == locked {
            return Ok(locked);
        }
        store::tie::lock(conn, &persons).await?;
        locked = persons;
    }
}

/// The tie that there is, or would be, between two accounts.
pub(super) async fn between(
    conn: &mut Conn,
    (a, b): (AccountId, AccountId),
    source: Source,
) -> store::Result<Option<Tie>> {
    let a = store::tie::own_person(conn, a).await?;
    let b = store::tie::own_person(conn, b).await?;
    Ok(Tie::between(a, b, source))
}

/// Ties the persons of two locked accounts together, and tells both. False: they are tied so already.
pub(super) async fn link(
    conn: &mut Conn,
    (a, b): (AccountId, AccountId),
    source: Source,
    now: DateTime<Utc>,
) -> anyhow::Result<bool> {
    let persons = lock(conn, &[a, b]).await?;
    let Some(tie) = between(conn, (a, b), source).await? else {
        return Ok(false);
    };
    let apart =
        store::account::get(conn, a).await?.person != store::account::get(conn, b).await?.person;
    if !store::tie::insert(conn, new_id(), tie, now).await? {
        return Ok(false);
    }
    settle(conn, &persons).await?;
    let what = json!({ "accounts": [a, b], "persons": [tie.one, tie.other], "by": source });
    if apart {
        tell(conn, a, Subject::Linked { with: b }, now).await?;
        tell(conn, b, Subject::Linked { with: a }, now).await?;
    }
    audit::append(conn, Chain::System, "accounts.linked", now, what).await?;
    Ok(true)
}

/// Ends ties of an account, whose human is locked, and tells everybody who was linked with it and isn't any more. Gives those.
pub(super) async fn unlink(
    conn: &mut Conn,
    account: &Account,
    ties: &[Tie],
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<AccountId>> {
    let persons = store::tie::persons_of(conn, &[account.person]).await?;
    let before = store::account::of_person(conn, account.person).await?;
    for tie in ties {
        if store::tie::end(conn, *tie, now).await? {
            let what = json!({
                "account": account.id, "persons": [tie.one, tie.other], "by": tie.source,
            });
            audit::append(conn, Chain::System, "accounts.unlinked", now, what).await?;
        }
    }
    settle(conn, &persons).await?;
    let here = store::account::get(conn, account.id).await?;
    let mut apart = Vec::new();
    for other in before {
        let theirs = store::account::get(conn, other.id).await?;
        if theirs.person != here.person {
            let from = account.id;
            tell(conn, other.id, Subject::Unlinked { from }, now).await?;
            apart.push(other.id);
        }
    }
    Ok(apart)
}

/// Writes who stands for whom among all persons of locked humans, and shows the cards anew that tell of it.
async fn settle(conn: &mut Conn, persons: &[PersonId]) -> store::Result<()> {
    let ties = store::tie::open_of(conn, persons).await?;
    store::tie::stand_for(conn, &tie::stand_for(persons, &ties)).await?;
    for request in store::request::awaiting_with(conn, persons).await? {
        message::raise(conn, request).await?;
    }
    Ok(())
}
