//! `link` and `link CODE`: a code goes from one chat account to another, and the first confirms.
//!
//! Each platform proves who acts there. The code ties the two acts together, good once and for ten minutes; whoever
//! typed it is shown to the one who asked for it, so that a code that was seen by somebody else links nobody.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use serde_json::{Value, json};

use super::{human, side, tell};
use crate::app::actor::Actor;
use crate::app::audit::{self, Chain};
use crate::app::{App, ask, message, new_id};
use crate::cards::answer;
use crate::cards::link::chat as cards;
use crate::domain::canonical::{self, Digest};
use crate::domain::id::{AccountId, LinkId};
use crate::domain::link::chat::{CodeState, CodeView, CodeWord, Side};
use crate::domain::message::Subject;
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::refusal::Refusal;
use crate::domain::reply::Reply;
use crate::domain::slash::{self, Slash};
use crate::domain::tie::Source;
use crate::store::installation::Installation;
use crate::store::link::chat::Code;
use crate::store::{self, Conn};

/// How long a code can be typed, and after that be confirmed.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// So many wrong codes an account may type within the time that a code is good: of 2^40, each is as hopeless as the last.
const GUESSES: i32 = 5;

/// Codes whose time is over that are ended at once; the next look takes the rest.
const BATCH: i64 = 50;

/// `link`: a code for the other chats, and with whom the account is linked already.
pub(super) async fn ask(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    slash: &Slash,
) -> anyhow::Result<Reply> {
    if let Some(refused) = ask::turned_away(conn, actor, "link").await? {
        return Ok(refused);
    }
    human::lock(conn, &[actor.account.id]).await?;
    let own = store::account::of_person(conn, actor.person()).await?;
    let linked = linked(conn, actor, &own).await?;
    let places = elsewhere(conn, &own).await?;
    if places.is_empty() {
        let github = app.settings.current().links;
        let card = match &linked {
            Some(linked) => cards::standing(linked),
            None => answer::refused(&cards::nowhere_else(slash, github)),
        };
        return Ok(Reply::Card { card });
    }
    if let Some(open) = store::link::chat::open_of(conn, actor.account.id).await?
        && let Some(mut open) = store::link::chat::lock(conn, open).await?
    {
        finish(conn, &mut open, CodeState::Replaced, actor.now).await?;
    }
    let word = CodeWord::of(rand::rng().random());
    let code = Code {
        id: new_id(),
        account: actor.account.id,
        state: CodeState::Open,
        slash: slash.name().to_owned(),
        other: None,
        expires_at: actor.now + GOOD_FOR,
        ended_at: None,
    };
    store::link::chat::insert(conn, &code, hash(&word), actor.now).await?;
    let places: Vec<_> = places.into_iter().map(|p| (p.platform, p.name)).collect();
    let card = cards::code(&word, &places, (slash, code.expires_at), linked.as_ref());
    Ok(Reply::Once { card })
}

/// `link CODE`: the account that typed it says that it is the same human as the one who asked for it.
pub(super) async fn typed(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (typed, slash): (&str, &Slash),
) -> anyhow::Result<Reply> {
    if let Some(refused) = ask::turned_away(conn, actor, "link").await? {
        return Ok(refused);
    }
    let Some(word) = CodeWord::read(typed) else {
        let github = app.settings.current().links;
        return Ok(no(&cards::no_code(typed, slash, github)));
    };
    let since = actor.now - GOOD_FOR;
    if store::link::chat::guesses(conn, actor.account.id, since).await? >= GUESSES {
        return Ok(no(&cards::too_many_guesses()));
    }
    let code = store::link::chat::lock_hashed(conn, hash(&word)).await?;
    let good = |code: &Code| code.state == CodeState::Open && actor.now < code.expires_at;
    let Some(mut code) = code.filter(good) else {
        store::link::chat::guessed(conn, actor.account.id, since, actor.now).await?;
        let what = json!({ "account": actor.account.id, "why": "no_such_code" });
        audit::append(conn, Chain::System, "link.refused", actor.now, what).await?;
        return Ok(no(&cards::not_good(slash)));
    };
    if let Some(why) = unfit(conn, (code.account, actor.account.id)).await? {
        return Ok(no(&why));
    }
    code.state = CodeState::Claimed;
    code.other = Some(actor.account.id);
    code.expires_at = actor.now + GOOD_FOR;
    store::link::chat::save(conn, &code).await?;
    tell(
        conn,
        code.account,
        Subject::LinkAsked { link: code.id },
        actor.now,
    )
    .await?;
    let asked = side(conn, code.account).await?;
    let card = cards::claimed(&asked, code.expires_at);
    Ok(Reply::Card { card })
}

/// Confirm, pressed by the one who asked for the code: both accounts are one person from now on.
pub(in crate::app) async fn confirmed(
    conn: &mut Conn,
    actor: &Actor,
    id: LinkId,
) -> anyhow::Result<Reply> {
    // The accounts of a code stay the same once it was typed, so they can be locked before it.
    let Some((asked, other)) = store::link::chat::ends(conn, id).await? else {
        return Ok(no(&cards::not_yours()));
    };
    human::lock(conn, &[asked, other]).await?;
    let Some(mut code) = own(conn, actor, id).await? else {
        return Ok(no(&cards::not_yours()));
    };
    if let Err(why) = ask::is_member(&actor.account) {
        return Ok(ask::refuse(conn, actor, "link", &why).await?);
    }
    if code.state != CodeState::Claimed {
        return Ok(no(&cards::settled(code.state)));
    }
    if actor.now >= code.expires_at {
        finish(conn, &mut code, CodeState::Expired, actor.now).await?;
        return Ok(no(&cards::settled(CodeState::Expired)));
    }
    if let Some(why) = unfit(conn, (asked, other)).await? {
        finish(conn, &mut code, CodeState::Replaced, actor.now).await?;
        return Ok(no(&why));
    }
    finish(conn, &mut code, CodeState::Linked, actor.now).await?;
    human::link(conn, (asked, other), Source::Code, actor.now).await?;
    let card = cards::confirmed(&side(conn, other).await?);
    Ok(Reply::Card { card })
}

/// Not me, pressed by the one who asked for the code: it is over.
pub(in crate::app) async fn refused(
    conn: &mut Conn,
    actor: &Actor,
    id: LinkId,
) -> anyhow::Result<Reply> {
    let Some(mut code) = own(conn, actor, id).await? else {
        return Ok(no(&cards::not_yours()));
    };
    if code.state != CodeState::Claimed {
        return Ok(no(&cards::settled(code.state)));
    }
    finish(conn, &mut code, CodeState::Refused, actor.now).await?;
    let what = json!({ "account": code.account, "other": code.other, "why": "not_me" });
    audit::append(conn, Chain::System, "link.refused", actor.now, what).await?;
    let card = cards::refused(&actor.slash(slash::NAME));
    Ok(Reply::Card { card })
}

/// Unlink, pressed by an account on its own answer: it is a person of its own again.
pub(in crate::app) async fn unlinked(
    conn: &mut Conn,
    actor: &Actor,
    account: AccountId,
) -> anyhow::Result<Reply> {
    if account != actor.account.id {
        return Ok(no(&cards::not_yours()));
    }
    let persons = human::lock(conn, &[account]).await?;
    let own = store::tie::own_person(conn, account).await?;
    let mut ties = store::tie::open_of(conn, &[own]).await?;
    let by_file = ties.iter().any(|tie| tie.source == Source::File);
    ties.retain(|tie| tie.source == Source::Code);
    if ties.is_empty() {
        return Ok(no(&cards::nothing_to_unlink(by_file)));
    }
    human::unlink(conn, &persons, &ties, Some(account), actor.now).await?;
    let card = cards::parted(by_file);
    Ok(Reply::Card { card })
}

/// Ends the codes whose time is over.
pub(in crate::app) async fn expire(app: &App) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    for id in store::link::chat::overdue(&mut tx, now, BATCH).await? {
        let found = store::link::chat::lock(&mut tx, id).await?;
        if let Some(mut code) =
            found.filter(|code| code.ended_at.is_none() && code.expires_at <= now)
        {
            finish(&mut tx, &mut code, CodeState::Expired, now).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// A code as its cards show it: read without a lock, since whoever sends holds the message, which [`finish`] locks last.
pub(super) async fn view(conn: &mut Conn, id: LinkId) -> anyhow::Result<Option<CodeView>> {
    let Some(code) = store::link::chat::get(conn, id).await? else {
        return Ok(None);
    };
    let other = match code.other {
        Some(other) => Some(side(conn, other).await?),
        None => None,
    };
    let asked = side(conn, code.account).await?;
    Ok(Some(CodeView {
        id,
        state: code.state,
        slash: Slash::of(&code.slash, asked.platform),
        asked,
        other,
        expires_at: code.expires_at,
    }))
}

/// The code that somebody asked for, locked; none of anybody else's. In direct messages a platform may not say in which of
/// its places somebody acts, but always who.
async fn own(conn: &mut Conn, actor: &Actor, id: LinkId) -> store::Result<Option<Code>> {
    let Some(code) = store::link::chat::lock(conn, id).await? else {
        return Ok(None);
    };
    let asked = store::account::get(conn, code.account).await?;
    let place = store::installation::get(conn, asked.installation).await?;
    let own = (place.platform, &*asked.external)
        == (actor.installation.platform, &*actor.account.external);
    Ok(own.then_some(code))
}

/// Ends a locked code: its card says so, and whoever typed it in vain is told.
async fn finish(
    conn: &mut Conn,
    code: &mut Code,
    state: CodeState,
    now: DateTime<Utc>,
) -> store::Result<()> {
    code.state = state;
    code.ended_at = Some(now);
    store::link::chat::save(conn, code).await?;
    message::raise_about(conn, Subject::LinkAsked { link: code.id }).await?;
    if let Some(other) = code.other.filter(|_| state != CodeState::Linked) {
        tell(conn, other, Subject::LinkOver { link: code.id }, now).await?;
    }
    Ok(())
}

/// Why two accounts can't be linked by a code. The first one asked for it, the second typed it.
async fn unfit(
    conn: &mut Conn,
    (asked, typed): (AccountId, AccountId),
) -> store::Result<Option<Refusal>> {
    let asked = store::account::get(conn, asked).await?;
    let typed = store::account::get(conn, typed).await?;
    if asked.installation == typed.installation {
        return Ok(Some(cards::typed_where_it_came_from()));
    }
    if asked.person == typed.person {
        return Ok(Some(cards::one_already()));
    }
    let member = |a: &Account| ask::is_member(a).is_ok() && a.kind != AccountKind::Unknown;
    if !member(&asked) || !member(&typed) {
        return Ok(Some(cards::no_member_any_more()));
    }
    let theirs = store::account::of_person(conn, asked.person).await?;
    let ours = store::account::of_person(conn, typed.person).await?;
    let meet = |a: &&Account| ours.iter().any(|o| o.installation == a.installation);
    let Some(twice) = theirs.iter().find(meet) else {
        return Ok(None);
    };
    let place = store::installation::get(conn, twice.installation).await?;
    Ok(Some(cards::two_in_one_place(place.platform, &place.name)))
}

/// With whom an account is linked.
async fn linked(
    conn: &mut Conn,
    actor: &Actor,
    own: &[Account],
) -> store::Result<Option<cards::Linked>> {
    let mut with: Vec<Side> = Vec::new();
    for account in own.iter().filter(|a| a.id != actor.account.id) {
        with.push(side(conn, account.id).await?);
    }
    if with.is_empty() {
        return Ok(None);
    }
    let person = store::tie::own_person(conn, actor.account.id).await?;
    let ties = store::tie::open_of(conn, &[person]).await?;
    let own = ties.iter().any(|tie| tie.source == Source::Code);
    Ok(Some(cards::Linked {
        account: actor.account.id,
        with,
        own,
    }))
}

/// Whether there are several chats, so that there is something to link.
pub(in crate::app) async fn several(conn: &mut Conn) -> store::Result<bool> {
    Ok(chats(conn).await?.len() > 1)
}

/// The chats that none of these accounts is in.
async fn elsewhere(conn: &mut Conn, own: &[Account]) -> store::Result<Vec<Installation>> {
    let mut chats = chats(conn).await?;
    chats.retain(|chat| own.iter().all(|account| account.installation != chat.id));
    Ok(chats)
}

async fn chats(conn: &mut Conn) -> store::Result<Vec<Installation>> {
    let mut chats = Vec::new();
    for platform in Platform::ALL.iter().filter(|p| p.is_chat()) {
        chats.extend(store::installation::served(conn, *platform).await?);
    }
    Ok(chats)
}

fn no(refusal: &Refusal) -> Reply {
    Reply::Card {
        card: answer::refused(refusal),
    }
}

/// Codes are short, and their hashes can be tried: what counts is that they are good for minutes, and confirmed.
fn hash(word: &CodeWord) -> Digest {
    canonical::digest(
        "link-code",
        &Value::String(String::from_utf8_lossy(word.bytes()).into_owned()),
    )
}
