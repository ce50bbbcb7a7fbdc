//! Tells those who can decide: people in the channel are mentioned there, the others get the card by direct message, or
//! in their group's own channel where they are too many (experience.md §3).

use chrono::{DateTime, Utc};

use super::{App, message, place};
use crate::domain::id::RequestId;
use crate::domain::message::{Placement, Spot, ThreadRole};
use crate::domain::person::PersonName;
use crate::domain::rule::DecidingRule;
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// Gives deciders outside the channel their own copy of the card.
pub(super) async fn deciders(
    app: &App,
    conn: &mut Conn,
    request: RequestId,
    (rule, deciders): (&DecidingRule, &[PersonName]),
    now: DateTime<Utc>,
) -> store::Result<()> {
    let open = store::thread::open_of(conn, request).await?;
    let main = open.iter().find(|t| t.role == ThreadRole::Main);
    let mut outside = outside(conn, main, deciders).await?;
    if outside.len() > message::MOST_COPIES {
        let channels = group_channels(app, conn, main, rule).await?;
        if !channels.is_empty() {
            outside = channels;
        }
        outside.truncate(message::MOST_COPIES);
    }
    for placement in &outside {
        message::copy(conn, request, placement, now).await?;
    }
    Ok(())
}

/// Where deciders who don't read along in the main thread can be told, each once.
async fn outside(
    conn: &mut Conn,
    main: Option<&Thread>,
    deciders: &[PersonName],
) -> store::Result<Vec<Placement>> {
    let inside = inside(conn, main).await?;
    let mut found = Vec::new();
    for decider in deciders {
        if found.len() > message::MOST_COPIES {
            break;
        }
        let Some(account) = reachable(conn, main, decider).await? else {
            continue;
        };
        let here = main.is_some_and(|m| m.installation == account.installation);
        if here && inside.contains(&account.account) {
            continue;
        }
        found.push(Placement {
            installation: account.installation,
            spot: Spot::Direct {
                account: account.account,
            },
        });
    }
    Ok(found)
}

/// The channels that the configuration names for the deciding groups, where the request stands.
async fn group_channels(
    app: &App,
    conn: &mut Conn,
    main: Option<&Thread>,
    rule: &DecidingRule,
) -> store::Result<Vec<Placement>> {
    let Some(main) = main else {
        return Ok(Vec::new());
    };
    let installation = store::installation::get(conn, main.installation).await?;
    let mut found = Vec::new();
    for quorum in &rule.require {
        let name = app.settings.channels.groups.get(&quorum.from.handle);
        let name = name.map(String::as_str);
        if let Some(channel) = place::usable(conn, &installation, name).await? {
            let placement = place::in_channel(&installation, &channel).placement;
            if !found.contains(&placement) {
                found.push(placement);
            }
        }
    }
    Ok(found)
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
