//! `[[people]]`: chat accounts that the operator says are one human's. What the file says is made so, and what it says no
//! longer is taken back; ties that people made themselves stay.
//!
//! Done at the start, when the file changes, and again from time to time: an account that nobody has seen is looked up
//! first. What is wrong with an entry is told once, with its place, and the other entries hold.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use super::{human, tell};
use crate::app::{App, Listed, actor, ask, new_id};
use crate::catalog::problem::nearest;
use crate::domain::id::AccountId;
use crate::domain::message::Subject;
use crate::domain::person::{Account, AccountKind};
use crate::domain::tie::{Source, Tie};
use crate::store;

/// How often the file is compared with what is so.
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// How often a change is tried that fell to another one: nothing of it was kept.
const TRIES: u32 = 3;

/// What was said about entries of the file by this process: each thing once.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashSet<String>>);

/// Compares the file with what is so, if it is time.
pub(in crate::app) async fn follow(app: &App) -> anyhow::Result<()> {
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    if !store::timer::take_turn(&mut conn, "people", now - EVERY, now).await? {
        return Ok(());
    }
    drop(conn);
    apply(app).await
}

/// Makes people one as the file says, and takes back what it says no longer.
pub async fn apply(app: &App) -> anyhow::Result<()> {
    let settings = app.settings.current();
    let mut wanted: BTreeSet<Tie> = BTreeSet::new();
    for entry in &settings.people {
        let mut found: Vec<(Account, &Listed)> = Vec::new();
        for listed in entry {
            found.extend(find(app, listed).await?.map(|account| (account, listed)));
        }
        for (at, one) in found.iter().enumerate() {
            for other in found.iter().skip(at + 1) {
                wanted.extend(link(app, one, other).await?);
            }
        }
    }
    let mut conn = app.pool.acquire().await?;
    let there = store::tie::by_file(&mut conn).await?;
    drop(conn);
    for tie in there.into_iter().filter(|tie| !wanted.contains(tie)) {
        change(app, Change::Unlink(tie)).await?;
    }
    Ok(())
}

/// What there is to change.
#[derive(Debug, Clone, Copy)]
enum Change {
    Link(AccountId, AccountId),
    Unlink(Tie),
}

/// Changes something; once more where the transaction fell to another one.
async fn change(app: &App, what: Change) -> anyhow::Result<()> {
    let mut tried = 1;
    loop {
        match change_once(app, what).await {
            Err(cause) if tried < TRIES && store::fell(&cause) => tried += 1,
            done => return done,
        }
    }
}

async fn change_once(app: &App, what: Change) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    match what {
        Change::Link(a, b) => {
            human::link(&mut tx, (a, b), Source::File, now).await?;
        }
        Change::Unlink(tie) => {
            let own = store::tie::own_accounts(&mut tx, &[tie.one, tie.other]).await?;
            human::lock(&mut tx, &own).await?;
            if let Some(account) = own.last() {
                let account = store::account::get(&mut tx, *account).await?;
                for from in human::unlink(&mut tx, &account, &[tie], now).await? {
                    tell(&mut tx, account.id, Subject::Unlinked { from }, now).await?;
                }
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Ties two accounts together that aren't yet; gives the tie that there is to be.
async fn link(
    app: &App,
    (a, by_a): &(Account, &Listed),
    (b, by_b): &(Account, &Listed),
) -> anyhow::Result<Option<Tie>> {
    let both = (a.id, b.id);
    let mut conn = app.pool.acquire().await?;
    let Some(tie) = human::between(&mut conn, both, Source::File).await? else {
        return Ok(None);
    };
    if store::tie::by_file(&mut conn).await?.contains(&tie) {
        return Ok(Some(tie));
    }
    drop(conn);
    for (account, listed) in [(a, by_a), (b, by_b)] {
        if ask::is_member(account).is_err() {
            no_member(app, account, listed).await?;
            return Ok(None);
        }
    }
    // Nobody knows yet who they are.
    if [a, b].iter().any(|one| one.kind == AccountKind::Unknown) {
        return Ok(None);
    }
    change(app, Change::Link(a.id, b.id)).await?;
    Ok(Some(tie))
}

/// The account that an entry names. One that nobody has seen is written down, to be looked up.
async fn find(app: &App, listed: &Listed) -> anyhow::Result<Option<Account>> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let (platform, place) = (listed.platform, &listed.installation);
    let Some(installation) = store::installation::find(&mut tx, platform, place).await? else {
        let known = store::installation::served(&mut tx, platform).await?;
        // Before the platform said who we are there, nobody can say that it is another one.
        if !known.is_empty() {
            let what = format!("`{listed}` is in a place that idp doesn't serve");
            let right = known.iter().map(|i| i.external.as_str());
            wrong(app, listed, &what, nearest(place, right));
        }
        return Ok(None);
    };
    let known = store::account::find(&mut tx, installation.id, &listed.account).await?;
    let account = match known {
        Some(account) => account,
        None => {
            let fresh = Account {
                id: new_id(),
                person: new_id(),
                installation: installation.id,
                external: listed.account.clone(),
                name: listed.account.clone(),
                kind: AccountKind::Unknown,
                active: true,
            };
            actor::write(&mut tx, fresh, now).await?
        }
    };
    tx.commit().await?;
    Ok(Some(account))
}

/// Says of an entry that its account can't be linked, and which id was probably meant where it is nobody's.
async fn no_member(app: &App, account: &Account, listed: &Listed) -> anyhow::Result<()> {
    if account.kind != AccountKind::Outsider || account.active {
        let what = format!("`{listed}` is no active full member there, so it can't be linked");
        wrong(app, listed, &what, None);
        return Ok(());
    }
    let mut conn = app.pool.acquire().await?;
    let right = store::account::members(&mut conn, account.installation).await?;
    let nearest = nearest(&account.external, right.iter().map(String::as_str));
    wrong(app, listed, &format!("`{listed}` is nobody there"), nearest);
    Ok(())
}

/// Says once what is wrong with an entry.
fn wrong(app: &App, listed: &Listed, what: &str, nearest: Option<&str>) {
    let mut told = app.listed.0.lock().unwrap_or_else(PoisonError::into_inner);
    if told.insert(format!("{} {what}", listed.at)) {
        let hint = nearest.map(|word| format!("did you mean `{word}`?"));
        tracing::error!(at = listed.at, hint, "{what}");
    }
}
