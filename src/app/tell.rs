//! Tells those whom a request concerns and who don't look at its channel.
//!
//! Of those who can decide, people in the channel are mentioned there, the others get the card by direct message, or
//! in their group's own channel where they are too many. The requester gets the address of the card where it stands
//! elsewhere than it was asked for: the answer to the form is for their eyes alone and gone with the next reload.

use chrono::{DateTime, Utc};

use super::{App, message, place, view};
use crate::domain::event::PlaceKind;
use crate::domain::id::RequestId;
use crate::domain::message::{Placement, Spot, ThreadRole};
use crate::domain::person::PersonName;
use crate::domain::request::RequestState;
use crate::domain::rule::DecidingRule;
use crate::store::request::Request;
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

/// The card of an open request stands in somebody's direct messages now: those who can decide and read along nowhere
/// any more get a copy.
pub(super) async fn deciders_again(
    app: &App,
    conn: &mut Conn,
    main: &Thread,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some(id) = main.request.filter(|_| main.account.is_some()) else {
        return Ok(());
    };
    let request = store::request::get(conn, id).await?;
    let waits = |r: &Request| r.state == RequestState::AwaitingApproval;
    let Some(plan) = request.filter(waits).and_then(|r| r.plan) else {
        return Ok(());
    };
    let Some(kept) = store::plan::get(conn, plan).await? else {
        return Ok(());
    };
    let view = view::load(app, conn, id, main.installation).await?;
    let people = view.plan.map(|plan| plan.deciders).unwrap_or_default();
    deciders(app, conn, id, (&kept.rule.0, &people), now).await?;
    Ok(())
}

/// A request's card stands in a channel now (anew): its requester is told where, if that isn't where they asked.
pub(super) async fn requester(
    conn: &mut Conn,
    main: &Thread,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let (Some(request), Some(channel), None) = (main.request, &main.channel, &main.account) else {
        return Ok(());
    };
    match store::draft::opened_in(conn, request).await? {
        Some(asked_in) if asked_in != *channel => {}
        _ => return Ok(()),
    }
    let Some(found) = store::request::get(conn, request).await? else {
        return Ok(());
    };
    let account = store::account::get(conn, found.account).await?;
    if account.installation != main.installation {
        return Ok(());
    }
    let placement = Placement {
        installation: main.installation,
        spot: Spot::Direct {
            account: account.external,
        },
    };
    message::permalink(conn, request, &placement, now).await
}

/// Where a request stands, for its requester.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whereabouts {
    /// What people call the channel.
    pub label: String,
    /// Channel and root message, where the requester can open them.
    pub points_at: Option<(String, String)>,
}

/// Where a request stands by now; `None`: in direct messages, which their reader sees anyway.
pub(super) async fn whereabouts(
    conn: &mut Conn,
    request: RequestId,
    reader: Option<&str>,
) -> store::Result<Option<Whereabouts>> {
    let open = store::thread::open_of(conn, request).await?;
    let in_channel = |t: &Thread| t.role == ThreadRole::Main && t.account.is_none();
    let Some(main) = open.into_iter().find(in_channel) else {
        return Ok(None);
    };
    let Some(id) = main.channel else {
        return Ok(None);
    };
    let known = store::channel::find(conn, main.installation, &id).await?;
    let members = store::channel::members(conn, main.installation, &id).await?;
    let public = known.as_ref().is_some_and(|c| c.kind == PlaceKind::Public);
    let opens = public || reader.is_some_and(|reader| members.iter().any(|m| m == reader));
    let name = known.and_then(|c| c.name).map(|name| format!("#{name}"));
    Ok(Some(Whereabouts {
        label: name.unwrap_or_else(|| "its channel".to_owned()),
        points_at: main.root_ts.filter(|_| opens).map(|root| (id, root)),
    }))
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
    let settings = app.settings.current();
    let mut found = Vec::new();
    for quorum in &rule.require {
        let name = settings.channels.groups.get(&quorum.from.handle);
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
