//! Who acts: the installation that a delivery is of, and the account and person behind it.

use chrono::{DateTime, Utc};

use super::new_id;
use crate::domain::event::Sender;
use crate::domain::id::PersonId;
use crate::domain::person::{Account, AccountKind};
use crate::domain::slash::Slash;
use crate::store::installation::Installation;
use crate::store::{self, Conn, queue};

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Actor {
    /// Where they act.
    pub installation: Installation,
    /// With which account.
    pub account: Account,
    /// The transaction's moment.
    pub now: DateTime<Utc>,
}

impl Actor {
    /// The human.
    pub(super) fn person(&self) -> PersonId {
        self.account.person
    }

    /// The slash command of this name, as they type it.
    pub(super) fn slash(&self, name: &str) -> Slash {
        Slash::of(name, self.installation.platform)
    }
}

/// The account that acts; one that was never seen is written down, and looked up soon.
pub(super) async fn account(
    conn: &mut Conn,
    installation: &Installation,
    sender: &Sender,
    known: Option<Account>,
    now: DateTime<Utc>,
) -> store::Result<Account> {
    let outsider = sender
        .home
        .as_ref()
        .is_some_and(|home| *home != installation.external);
    if let Some(mut known) = known {
        if outsider {
            // The delivery itself says so, whatever an earlier look-up told.
            known.kind = AccountKind::Outsider;
        }
        if !outsider && is_in_doubt(&known) {
            queue::enqueue_lookup(conn, known.id).await?;
        }
        return Ok(known);
    }
    let account = Account {
        id: new_id(),
        person: new_id(),
        installation: installation.id,
        external: sender.account.clone(),
        name: sender
            .name
            .clone()
            .unwrap_or_else(|| sender.account.clone()),
        kind: if outsider {
            AccountKind::Outsider
        } else {
            AccountKind::Unknown
        },
        active: true,
    };
    write(conn, account, now).await
}

/// Whether somebody who acts is to be looked up. Those who are known from a group only, so that their form finds them known.
/// And those who are refused for what was known of them last: whoever left may be back, and whoever was a guest may be a full
/// member by now, where no platform tells.
const fn is_in_doubt(known: &Account) -> bool {
    let may_change = matches!(known.kind, AccountKind::Unknown | AccountKind::Guest);
    may_change || !known.active
}

/// Writes a new account with a person of its own. Whoever was first wins.
pub(super) async fn write(
    conn: &mut Conn,
    account: Account,
    now: DateTime<Utc>,
) -> store::Result<Account> {
    store::person::insert(conn, account.person, now).await?;
    if store::account::insert(conn, &account, now).await? {
        if account.kind == AccountKind::Unknown {
            queue::enqueue_lookup(conn, account.id).await?;
        }
        return Ok(account);
    }
    // Another transaction wrote it meanwhile; the person made here stays without an account and harms nobody.
    match store::account::find(conn, account.installation, &account.external).await? {
        Some(known) => Ok(known),
        None => Err(store::Error::RowNotFound),
    }
}
