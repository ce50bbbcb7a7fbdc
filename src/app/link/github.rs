//! `link github`: a code that is typed on GitHub makes an account there a person's.
//!
//! The person began in chat, where the platform proves who they are, and goes on at GitHub, which proves it again; in
//! between stands a code that only they are shown, good once and for ten minutes. `worker` asks GitHub for the code and
//! looks whether it was used; what follows from that is decided here.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::json;

use super::{human, side, tell};
use crate::app::actor::Actor;
use crate::app::audit::{self, Chain};
use crate::app::teams::Member;
use crate::app::{App, ask, message, new_id, seal};
use crate::cards::answer;
use crate::cards::link::github as cards;
use crate::domain::id::{AccountId, InstallationId, LinkId, PersonId};
use crate::domain::link::github::{LinkState, LinkView};
use crate::domain::message::Subject;
use crate::domain::person::{Account, AccountKind};
use crate::domain::reply::Reply;
use crate::domain::slash::Slash;
use crate::store::link::github::Link;
use crate::store::{self, Conn, queue};

/// How long a code can be used; GitHub's own are good for fifteen minutes.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// Within this time after one code no other one is asked for: GitHub gives an App only so many an hour.
const ENOUGH_FOR: TimeDelta = TimeDelta::minutes(1);

/// Begins: GitHub is asked for a code, which comes by direct message.
pub(in crate::app) async fn ask(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    slash: &Slash,
) -> anyhow::Result<Reply> {
    if let Err(why) = ask::is_member(&actor.account) {
        return Ok(ask::refuse(conn, actor, "link", &why).await?);
    }
    let settings = app.settings.current();
    if !settings.links {
        let refusal = cards::not_set_up(settings.organisation.is_some());
        let card = answer::refused(&refusal);
        return Ok(Reply::Card { card });
    }
    store::person::lock(conn, actor.person()).await?;
    if let Some(open) = store::link::github::open_of(conn, actor.account.id).await?
        && let Some(mut open) = store::link::github::lock(conn, open).await?
    {
        if actor.now < open.created_at + ENOUGH_FOR {
            let card = cards::on_its_way();
            return Ok(Reply::Card { card });
        }
        finish(conn, &mut open, LinkState::Replaced, actor.now).await?;
    }
    let link = Link {
        id: new_id(),
        account: actor.account.id,
        state: LinkState::Asked,
        slash: slash.name().to_owned(),
        installation: None,
        user_code: None,
        address: None,
        device_code: None,
        interval_s: None,
        github: None,
        expires_at: actor.now + GOOD_FOR,
        created_at: actor.now,
        ended_at: None,
    };
    store::link::github::insert(conn, &link).await?;
    queue::enqueue_link(conn, link.id, None).await?;
    let card = cards::on_its_way();
    Ok(Reply::Card { card })
}

/// What is to be done next about a code.
#[derive(Debug)]
pub enum Next {
    /// Nothing any more.
    Nothing,
    /// GitHub is to be asked for it.
    Begin,
    /// GitHub is to be asked whether it was used.
    Look {
        /// What GitHub knows us by.
        device_code: SecretString,
        /// Where the account on GitHub is to be.
        installation: InstallationId,
    },
}

/// Looks what is to be done next about a code; one whose time is over ends here.
pub async fn next(app: &App, id: LinkId) -> anyhow::Result<Next> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let Some(mut link) = open(&mut tx, id).await? else {
        return Ok(Next::Nothing);
    };
    if now >= link.expires_at {
        finish(&mut tx, &mut link, LinkState::Expired, now).await?;
        tx.commit().await?;
        return Ok(Next::Nothing);
    }
    Ok(match (&link.device_code, link.installation) {
        (Some(sealed), Some(installation)) => Next::Look {
            device_code: seal::open(app, sealed)?,
            installation,
        },
        _ => Next::Begin,
    })
}

/// A code as GitHub gave it.
#[derive(Debug)]
pub struct Code {
    /// What GitHub knows us by.
    pub device_code: SecretString,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub address: String,
    /// How long GitHub takes it.
    pub good_for: TimeDelta,
    /// The least time between two looks.
    pub interval: TimeDelta,
}

/// Gives the person the code that GitHub gave.
pub async fn coded(
    app: &App,
    id: LinkId,
    installation: InstallationId,
    code: Code,
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let Some(mut link) = open(&mut tx, id).await? else {
        return Ok(());
    };
    link.state = LinkState::Coded;
    link.installation = Some(installation);
    link.device_code = Some(seal::seal(app, &code.device_code)?);
    link.user_code = Some(code.user_code);
    link.address = Some(code.address);
    link.interval_s = Some(seconds(code.interval));
    link.expires_at = link.expires_at.min(now + code.good_for);
    store::link::github::save(&mut tx, &link).await?;
    tell(&mut tx, link.account, Subject::LinkCode { link: id }, now).await?;
    queue::enqueue_link(&mut tx, id, Some(now + code.interval)).await?;
    tx.commit().await?;
    Ok(())
}

/// How long until the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// As always.
    Usual,
    /// So long from now on, or by five seconds longer where GitHub doesn't say (RFC 8628, section 3.5).
    Longer(Option<TimeDelta>),
    /// So long this once.
    Once(TimeDelta),
}

/// Looks again later, or ends with the code's time.
pub async fn later(app: &App, id: LinkId, pause: Pause) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let Some(mut link) = open(&mut tx, id).await? else {
        return Ok(());
    };
    let usual = TimeDelta::seconds(link.interval_s.map_or(DEFAULT_INTERVAL_S, i64::from));
    let wait = match pause {
        Pause::Usual => usual,
        Pause::Once(wait) => wait,
        Pause::Longer(told) => {
            let longer = told.unwrap_or(usual + TimeDelta::seconds(DEFAULT_INTERVAL_S));
            link.interval_s = Some(seconds(longer));
            store::link::github::save(&mut tx, &link).await?;
            longer
        }
    };
    let again = (now + wait).min(link.expires_at.max(now));
    queue::enqueue_link(&mut tx, id, Some(again)).await?;
    tx.commit().await?;
    Ok(())
}

/// Seconds between two looks where GitHub doesn't say: RFC 8628, section 3.2.
const DEFAULT_INTERVAL_S: i64 = 5;

fn seconds(interval: TimeDelta) -> i32 {
    i32::try_from(interval.num_seconds().max(1)).unwrap_or(i32::MAX)
}

/// It came to nothing, and the person is told why.
pub async fn failed(app: &App, id: LinkId, why: LinkState) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if let Some(mut link) = open(&mut tx, id).await? {
        finish(&mut tx, &mut link, why, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The code was used by this account on GitHub: it is the person's from now on, unless it is somebody else's.
pub async fn used(app: &App, id: LinkId, by: &Member) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let Some(seen) = store::link::github::get(&mut tx, id).await? else {
        return Ok(());
    };
    human::lock(&mut tx, &[seen.account]).await?;
    let Some(mut link) = open(&mut tx, id).await? else {
        return Ok(());
    };
    let there = link.installation.context("a code of no organisation")?;
    let person = store::account::get(&mut tx, link.account).await?.person;
    let theirs = keep(&mut tx, (there, person), by, now).await?;
    link.github = Some(theirs.id);
    let taken = theirs.person != person
        && !store::account::of_person(&mut tx, theirs.person)
            .await?
            .is_empty();
    let what = json!({ "person": person, "account": link.account, "github": theirs.id });
    if taken {
        finish(&mut tx, &mut link, LinkState::Taken, now).await?;
        audit::append(&mut tx, Chain::System, "link.refused", now, what).await?;
    } else {
        let replaced = free_others(&mut tx, (there, person), theirs.id, now).await?;
        store::account::give(
            &mut tx,
            (theirs.id, person),
            (Some(link.account), Some(now)),
        )
        .await?;
        let mut what = what;
        what["replaced"] = json!(replaced);
        finish(&mut tx, &mut link, LinkState::Linked, now).await?;
        audit::append(&mut tx, Chain::System, "link.made", now, what).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The account on GitHub, locked: as known, or written now for the person who linked it.
async fn keep(
    conn: &mut Conn,
    (there, person): (InstallationId, PersonId),
    member: &Member,
    now: DateTime<Utc>,
) -> anyhow::Result<Account> {
    let fresh = Account {
        id: new_id(),
        person,
        installation: there,
        external: member.id.clone(),
        name: member.login.clone(),
        kind: AccountKind::Full,
        active: true,
    };
    if store::account::insert(conn, &fresh, now).await? {
        return Ok(fresh);
    }
    let known = store::account::lock(conn, there, &member.id).await?;
    let known = Account {
        name: member.login.clone(),
        ..known
    };
    store::account::update(conn, &known, now).await?;
    Ok(known)
}

/// Takes a person's other accounts on GitHub from them: the new one stands in their place. Gives those.
async fn free_others(
    conn: &mut Conn,
    (there, person): (InstallationId, PersonId),
    but: AccountId,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<AccountId>> {
    let mut freed = Vec::new();
    for account in store::account::of_person_in(conn, person, there).await? {
        if account == but {
            continue;
        }
        let nobody: PersonId = new_id();
        store::person::insert(conn, nobody, now).await?;
        store::account::give(conn, (account, nobody), (None, None)).await?;
        freed.push(account);
    }
    Ok(freed)
}

async fn open(conn: &mut Conn, id: LinkId) -> store::Result<Option<Link>> {
    let link = store::link::github::lock(conn, id).await?;
    Ok(link.filter(|link| link.state.open()))
}

/// Ends a locked one: its code is taken off the message that shows it, and the person is told how it ended.
async fn finish(
    conn: &mut Conn,
    link: &mut Link,
    state: LinkState,
    now: DateTime<Utc>,
) -> store::Result<()> {
    link.state = state;
    link.device_code = None;
    link.ended_at = Some(now);
    store::link::github::save(conn, link).await?;
    message::raise_about(conn, Subject::LinkCode { link: link.id }).await?;
    if state == LinkState::Replaced {
        return Ok(()); // the newer code says enough
    }
    tell(conn, link.account, Subject::LinkEnd { link: link.id }, now).await
}

/// A code as its cards show it: read without a lock, since whoever sends holds the message, which [`finish`] locks last.
pub(super) async fn view(conn: &mut Conn, id: LinkId) -> anyhow::Result<Option<LinkView>> {
    let Some(link) = store::link::github::get(conn, id).await? else {
        return Ok(None);
    };
    let login = match link.github {
        Some(github) => Some(store::account::get(conn, github).await?.name),
        None => None,
    };
    let platform = side(conn, link.account).await?.platform;
    Ok(Some(LinkView {
        state: link.state,
        code: link.user_code.zip(link.address),
        expires_at: link.expires_at,
        login,
        slash: Slash::of(&link.slash, platform),
    }))
}
