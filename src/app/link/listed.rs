//! `[[people]]`: chat accounts that the operator says are one human's. What the file says is made so, and what it says no
//! longer is taken back; ties that people made themselves stay.
//!
//! Done at the start and when the file changes. What couldn't be made so yet is tried again from time to time: an account
//! that nobody has seen is looked up first. Nothing is taken back then, so that replicas that read different files for a
//! while don't undo what each other did. What is wrong with an entry is told once, with its place, and the other entries hold.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use super::human;
use crate::app::{App, Listed, Settings, actor, ask, new_id};
use crate::catalog::problem::nearest;
use crate::domain::id::AccountId;
use crate::domain::person::{Account, AccountKind};
use crate::domain::tie::{Source, Tie};
use crate::store;

/// How often what isn't so yet is tried again.
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// How often a change is tried that fell to another one: nothing of it was kept.
const TRIES: u32 = 3;

/// What this process said about entries of the file, each thing once, and how far it follows it.
#[derive(Debug, Default)]
pub struct Told {
    said: Mutex<HashSet<String>>,
    followed: Mutex<Option<Followed>>,
}

#[derive(Debug)]
struct Followed {
    settings: Arc<Settings>,
    /// The entries that couldn't be made so yet.
    left: Vec<usize>,
}

impl Told {
    /// The entries that aren't so yet; `None`: these settings were never followed to their end.
    fn left(&self, settings: &Arc<Settings>) -> Option<Vec<usize>> {
        let followed = locked(&self.followed);
        let these = |followed: &&Followed| Arc::ptr_eq(&followed.settings, settings);
        followed.as_ref().filter(these).map(|f| f.left.clone())
    }

    fn followed(&self, settings: Arc<Settings>, left: Vec<usize>) {
        *locked(&self.followed) = Some(Followed { settings, left });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tries again what isn't so yet, if there is something and it is time.
pub(in crate::app) async fn follow(app: &App) -> anyhow::Result<()> {
    let settings = app.settings.current();
    let left = app.listed.left(&settings);
    if left.as_ref().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    if !store::timer::take_turn(&mut conn, "people", now - EVERY, now).await? {
        return Ok(());
    }
    drop(conn);
    let Some(left) = left else {
        return apply(app).await;
    };
    let made = make(app, &settings, &left).await?;
    app.listed.followed(settings, made.left);
    Ok(())
}

/// Makes people one as the file says, and takes back what it says no longer.
pub async fn apply(app: &App) -> anyhow::Result<()> {
    let settings = app.settings.current();
    let all: Vec<usize> = (0..settings.people.len()).collect();
    let Made { ties: wanted, left } = make(app, &settings, &all).await?;
    let mut conn = app.pool.acquire().await?;
    let there = store::tie::by_file(&mut conn).await?;
    drop(conn);
    for tie in there.into_iter().filter(|tie| !wanted.contains(tie)) {
        change(app, Change::Unlink(tie)).await?;
    }
    app.listed.followed(settings, left);
    Ok(())
}

/// What there is of some entries.
#[derive(Debug, Default)]
struct Made {
    /// The ties that stand now.
    ties: BTreeSet<Tie>,
    /// Those of the entries that couldn't be made so yet, or only in part.
    left: Vec<usize>,
}

/// Makes people one as these entries say, as far as that can be.
async fn make(app: &App, settings: &Settings, entries: &[usize]) -> anyhow::Result<Made> {
    let mut made = Made::default();
    for at in entries {
        let Some(entry) = settings.people.get(*at) else {
            continue;
        };
        let mut found: Vec<(Account, &Listed)> = Vec::new();
        for listed in entry {
            found.extend(find(app, listed).await?.map(|account| (account, listed)));
        }
        let mut whole = found.len() == entry.len();
        for (at, one) in found.iter().enumerate() {
            for other in found.iter().skip(at + 1) {
                let tie = link(app, one, other).await?;
                whole &= tie.is_some();
                made.ties.extend(tie);
            }
        }
        if !whole {
            made.left.push(*at);
        }
    }
    Ok(made)
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
            let persons = human::lock_tied(&mut tx, tie).await?;
            human::unlink(&mut tx, &persons, &[tie], None, now).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Ties two accounts together that aren't yet; gives the tie that there is, `None` while there can't be one.
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
    let account = if let Some(account) = known {
        account
    } else {
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
    if locked(&app.listed.said).insert(format!("{} {what}", listed.at)) {
        let hint = nearest.map(|word| format!("did you mean `{word}`?"));
        tracing::error!(at = listed.at, hint, "{what}");
    }
}
