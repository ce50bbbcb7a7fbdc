//! Ties between persons: locked, made, ended, and what follows from them for whoever stands for a human.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::tell;
use crate::app::audit::{self, Chain};
use crate::app::{message, new_id};
use crate::domain::id::{AccountId, PersonId};
use crate::domain::message::Subject;
use crate::domain::tie::{self, Source, Tie};
use crate::store::{self, Acquire as _, Conn};

/// Keeps who is one human with these accounts' persons as it is, until the transaction ends. Gives all persons of theirs,
/// the oldest first.
pub(super) async fn lock(conn: &mut Conn, accounts: &[AccountId]) -> store::Result<Vec<PersonId>> {
    let mut own = Vec::new();
    for account in accounts {
        own.push(store::tie::own_person(conn, *account).await?);
    }
    hold(conn, &own).await
}

/// The same for the two of a tie, whatever accounts they have.
pub(super) async fn lock_tied(conn: &mut Conn, tie: Tie) -> store::Result<Vec<PersonId>> {
    hold(conn, &[tie.one, tie.other]).await
}

/// Locks all persons of these humans. Whoever was waited for may have changed who they are: then all are let go and locked
/// anew, in their order, since two who each add to what they hold would wait for each other.
async fn hold(conn: &mut Conn, any_of: &[PersonId]) -> store::Result<Vec<PersonId>> {
    loop {
        let mut held = conn.begin().await?;
        let persons = store::tie::persons_of(&mut held, any_of).await?;
        store::tie::lock(&mut held, &persons).await?;
        if store::tie::persons_of(&mut held, any_of).await? == persons {
            held.commit().await?;
            return Ok(persons);
        }
        held.rollback().await?;
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

/// Ends ties of a human, whose persons are these and locked, and tells all chat accounts that were linked of those that
/// aren't linked with them any more; but for the one whose act it is: that one reads it in the answer.
pub(super) async fn unlink(
    conn: &mut Conn,
    persons: &[PersonId],
    ties: &[Tie],
    by: Option<AccountId>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    // The oldest stands for all.
    let linked = match persons.first() {
        Some(stands) => store::account::of_person(conn, *stands).await?,
        None => Vec::new(),
    };
    let mut ended = Vec::new();
    for tie in ties {
        if store::tie::end(conn, *tie, now).await? {
            ended.push(*tie);
        }
    }
    settle(conn, persons).await?;
    let mut own = Vec::new();
    for account in linked {
        own.push(store::account::get(conn, account.id).await?);
    }
    for account in own.iter().filter(|account| by != Some(account.id)) {
        for other in own.iter().filter(|other| other.person != account.person) {
            let from = other.id;
            tell(conn, account.id, Subject::Unlinked { from }, now).await?;
        }
    }
    // Late, since whoever writes into this chain waits for us from here on.
    for tie in ended {
        let what = json!({ "account": by, "persons": [tie.one, tie.other], "by": tie.source });
        audit::append(conn, Chain::System, "accounts.unlinked", now, what).await?;
    }
    Ok(())
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
