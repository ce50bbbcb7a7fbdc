//! Whose accounts are whose: an account on GitHub becomes a person's ([`github`]), and two chat accounts become one
//! person, by a code ([`chat`]) or by the operator's file ([`listed`]).
//!
//! # One human, several persons
//!
//! Each chat account begins as a person of its own. Requests, votes and evidence name persons, and never change. So
//! linking writes a *tie* between the two persons, and the older one stands for both from then on: `account.person_id`
//! names it, and what is read of requests and votes names it too. Whatever is asked, pressed, listed or counted meets one
//! person; unlinking ends the tie, and each account goes back to the person that it was.
//!
//! What has to stay true while people link, unlink and press at once:
//!
//! - **Own requests.** A ballot counts humans, not persons. Two persons count as one if a tie holds them together, or ever
//!   did: what people confirmed about themselves is known for good. What the operator wrote counts while it stands, and
//!   for whatever was asked for before it was taken back, so that a slip in the file can be put right.
//! - **Rights.** Those of the person who acts, with the groups of all accounts that are theirs now: whoever parted brings
//!   nothing of the other's along.
//! - **Votes before the link.** One that turns out to be the requester's own counts no more, nor does a second one of the
//!   same human. A request that was approved stays approved. Unlinking voids no vote.
//! - **Order.** Whoever changes ties locks all persons of both humans, in the order of their ids; a vote locks its own
//!   and the requester's by a trigger, which sends it back to be judged again if it was judged by what was so before.

pub mod chat;
pub mod github;
mod human;
pub mod listed;

use chrono::{DateTime, Utc};

use super::actor::Actor;
use super::{App, message};
use crate::cards::link as cards;
use crate::domain::card::Card;
use crate::domain::id::AccountId;
use crate::domain::link::chat::Side;
use crate::domain::message::{Placement, Spot, Subject};
use crate::domain::reply::Reply;
use crate::domain::slash::Slash;
use crate::store::{self, Conn};

/// `link [CODE|github]`.
pub(super) async fn asked(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (words, slash): (&str, &Slash),
) -> anyhow::Result<Reply> {
    match words {
        "" => chat::ask(app, conn, actor, slash).await,
        word if word.eq_ignore_ascii_case("github") => github::ask(app, conn, actor, slash).await,
        code => chat::typed(app, conn, actor, (code, slash)).await,
    }
}

/// What a message about linking says now; `None`: there is nothing to say any more.
pub(super) async fn card(conn: &mut Conn, subject: Subject) -> anyhow::Result<Option<Card>> {
    Ok(match subject {
        Subject::LinkCode { link } => github::view(conn, link)
            .await?
            .as_ref()
            .map(cards::github::code),
        Subject::LinkEnd { link } => github::view(conn, link)
            .await?
            .as_ref()
            .map(cards::github::ended),
        Subject::LinkAsked { link } => chat::view(conn, link)
            .await?
            .as_ref()
            .map(cards::chat::asked),
        Subject::LinkOver { link } => chat::view(conn, link)
            .await?
            .as_ref()
            .map(cards::chat::over),
        Subject::Linked { with } => Some(cards::chat::linked(&side(conn, with).await?)),
        Subject::Unlinked { from } => Some(cards::chat::unlinked(&side(conn, from).await?)),
        Subject::Root
        | Subject::Milestone { .. }
        | Subject::Notice { .. }
        | Subject::Continuation { .. } => None,
    })
}

/// Tells an account by direct message.
async fn tell(
    conn: &mut Conn,
    account: AccountId,
    subject: Subject,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let account = store::account::get(conn, account).await?;
    let placement = Placement {
        installation: account.installation,
        spot: Spot::Direct {
            account: account.external,
        },
    };
    message::direct(conn, &placement, subject, now).await
}

/// An account as somebody of another chat reads of it.
async fn side(conn: &mut Conn, account: AccountId) -> store::Result<Side> {
    let account = store::account::get(conn, account).await?;
    let installation = store::installation::get(conn, account.installation).await?;
    Ok(Side {
        name: account.name,
        platform: installation.platform,
        place: installation.name,
    })
}
