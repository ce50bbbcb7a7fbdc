//! `login`: a one-time link that gives a personal token for the local forge. Only hashes are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::actor::Actor;
use super::ask;
use super::audit::{self, Chain};
use super::{App, Settings};
use crate::cards::answer::{self, NoLogin};
use crate::domain::canonical::Digest;
use crate::domain::id::PersonId;
use crate::domain::reply::Reply;
use crate::store::login::Kind;
use crate::store::{self, Conn};

/// How long a link can be used. It stands in a private answer, to be pressed at once.
const LINK_GOOD_FOR: TimeDelta = TimeDelta::minutes(10);
/// How long a token is good: a working day.
const TOKEN_GOOD_FOR: TimeDelta = TimeDelta::hours(12);

/// A personal token, told once.
#[derive(Debug)]
pub struct Opened {
    /// The token.
    pub token: SecretString,
    /// Until when it is good.
    pub until: DateTime<Utc>,
}

/// Answers with a link, where there is a forge of ours that wants a token and an address to link to.
pub(super) async fn link(app: &App, conn: &mut Conn, actor: &Actor) -> anyhow::Result<Reply> {
    let settings = app.settings.current();
    let base = match with_token(&settings) {
        Ok(base) => base,
        Err(why) => {
            return Ok(Reply::Card {
                card: answer::no_login(&why),
            });
        }
    };
    if let Some(refused) = ask::turned_away(conn, actor, "login").await? {
        return Ok(refused);
    }
    let token = token();
    let until = actor.now + LINK_GOOD_FOR;
    let hash = hash(&token);
    store::login::insert(conn, hash, (Kind::Link, actor.person()), until, actor.now).await?;
    let url = format!("{base}/ui/login/{}", token.expose_secret());
    Ok(Reply::Once {
        card: answer::login(&url),
    })
}

/// The address of the forge, where it wants a token.
fn with_token(settings: &Settings) -> Result<&str, NoLogin> {
    let base = settings.public_url.as_deref();
    if settings.organisation.is_some() {
        return Err(NoLogin::Elsewhere);
    }
    if settings.forge_is_open {
        let pages = base.map(|base| format!("{base}/git"));
        return Err(NoLogin::Open { pages });
    }
    base.ok_or(NoLogin::NoAddress)
}

/// Uses a link up and makes a token; `None`: the link is unknown, used or too old.
pub async fn open(app: &App, link: &SecretString) -> anyhow::Result<Option<Opened>> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let Some(person) = store::login::use_link(&mut tx, hash(link), now).await? else {
        return Ok(None);
    };
    let token = token();
    let until = now + TOKEN_GOOD_FOR;
    store::login::insert(&mut tx, hash(&token), (Kind::Token, person), until, now).await?;
    let what = json!({ "by": person, "until": until });
    audit::append(&mut tx, Chain::System, "login.opened", now, what).await?;
    tx.commit().await?;
    Ok(Some(Opened { token, until }))
}

/// Whose token this is; nobody's once they have no active account.
pub async fn holder(app: &App, token: &SecretString) -> anyhow::Result<Option<PersonId>> {
    let mut conn = app.pool.acquire().await?;
    let now = store::now(&mut conn).await?;
    Ok(store::login::holder(&mut conn, hash(token), now).await?)
}

/// 256 bits, as they stand in an address.
fn token() -> SecretString {
    let bytes: [u8; 32] = rand::rng().random();
    SecretString::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// A token is as long as its hash, so a plain hash is as hard to turn back as the token is to guess.
fn hash(token: &SecretString) -> Digest {
    Digest::of(token.expose_secret().as_bytes())
}
