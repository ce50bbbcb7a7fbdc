//! Tells those who can decide: people in the channel are mentioned there, the others get the card by direct message
//! (experience.md §3).

use chrono::{DateTime, Utc};

use super::message;
use crate::domain::id::RequestId;
use crate::domain::message::{Placement, Spot, ThreadRole};
use crate::domain::person::PersonName;
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// Gives deciders outside the channel their own copy of the card, up to [`message::MOST_COPIES`].
pub(super) async fn deciders(
    conn: &mut Conn,
    request: RequestId,
    deciders: &[PersonName],
    now: DateTime<Utc>,
) -> store::Result<()> {
    let open = store::thread::open_of(conn, request).await?;
    let main = open.iter().find(|t| t.role == ThreadRole::Main);
    let inside = inside(conn, main).await?;
    let mut copies = 0;
    for decider in deciders {
        if copies == message::MOST_COPIES {
            break;
        }
        let Some(account) = reachable(conn, main, decider).await? else {
            continue;
        };
        let here = main.is_some_and(|m| m.installation == account.installation);
        if here && inside.contains(&account.account) {
            continue;
        }
        let placement = Placement {
            installation: account.installation,
            spot: Spot::Direct {
                account: account.account,
            },
        };
        message::copy(conn, request, &placement, now).await?;
        copies += 1;
    }
    Ok(())
}

/// Who reads along in the main thread, as far as is known.
async fn inside(conn: &mut Conn, main: Option<&Thread>) -> store::Result<Vec<String>> {
    match main.and_then(|m| Some((m.installation, m.channel.as_deref()?))) {
        Some((installation, channel)) => store::channel::members(conn, installation, channel).await,
        None => Ok(Vec::new()),
    }
}

struct Reachable {
    installation: crate::domain::id::InstallationId,
    account: String,
}

/// The account to write to: the one where the request stands, else any on a chat.
async fn reachable(
    conn: &mut Conn,
    main: Option<&Thread>,
    decider: &PersonName,
) -> store::Result<Option<Reachable>> {
    let accounts = store::account::of_person(conn, decider.person).await?;
    let mut usable: Vec<_> = accounts.into_iter().filter(|a| a.active).collect();
    usable.sort_by_key(|a| main.is_none_or(|m| m.installation != a.installation));
    for account in usable {
        let installation = store::installation::get(conn, account.installation).await?;
        if installation.platform.is_chat() && installation.revoked_at.is_none() {
            return Ok(Some(Reachable {
                installation: installation.id,
                account: account.external,
            }));
        }
    }
    Ok(None)
}
