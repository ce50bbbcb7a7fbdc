//! What syncs and look-ups tell about installations, accounts, groups and channels.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Chain};
use super::end::{self, End};
use super::{App, actor, awaited, group, message, new_id, repository};
use crate::cards::refusal;
use crate::domain::event::{Event, PlaceKind, Sender};
use crate::domain::id::{InstallationId, PersonId, RequestId};
use crate::domain::message::Milestone;
use crate::domain::person::{Account, AccountKind, Platform};
use crate::domain::request::{RequestMove, RequestState};
use crate::store::channel::Channel;
use crate::store::group::Group;
use crate::store::installation::Installation;
use crate::store::service::News;
use crate::store::{self, Conn, queue};

/// An installation as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationFacts {
    /// The platform.
    pub platform: Platform,
    /// Its id there (`T…`).
    pub external: String,
    /// Its name.
    pub name: String,
    /// The app that we are there (`A…`), where it is known.
    pub app: Option<String>,
    /// Our own account there (`U…`).
    pub bot_account: Option<String>,
}

/// An account as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its id there.
    pub external: String,
    /// The name people read.
    pub name: String,
    /// Full, guest, outsider or bot.
    pub kind: AccountKind,
    /// False once deactivated.
    pub active: bool,
}

impl AccountFacts {
    /// An account that the platform doesn't know, or doesn't show us: nobody who may ask.
    pub fn nobody(external: &str) -> Self {
        Self {
            external: external.to_owned(),
            name: external.to_owned(),
            kind: AccountKind::Outsider,
            active: false,
        }
    }
}

/// A user group as the platform tells it, with all its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformGroup {
    /// Its id there.
    pub external: String,
    /// Its handle, without `@`.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// The platform's ids of its members; none: it doesn't show them.
    pub members: Option<Vec<String>>,
}

/// A channel as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFacts {
    /// Its id there.
    pub external: String,
    /// Its name without `#`, where it has one.
    pub name: Option<String>,
    /// Its kind.
    pub kind: PlaceKind,
    /// Whether the bot can post there, where it is known.
    pub usable: Option<bool>,
    /// The platform's ids of its members, where they were read.
    pub members: Option<Vec<String>>,
}

/// Makes an installation known, or brings what is known of it up to date. At start, once the platform told who we are.
pub async fn record_installation(
    app: &App,
    facts: &InstallationFacts,
) -> anyhow::Result<InstallationId> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let installation = Installation {
        id: new_id(),
        platform: facts.platform,
        external: facts.external.clone(),
        app: facts.app.clone(),
        bot_account: facts.bot_account.clone(),
        name: facts.name.clone(),
        revoked_at: None,
    };
    let id = store::installation::upsert(&mut tx, &installation, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Marks an installation's token as refused by the platform, or good again.
pub async fn record_token(
    app: &App,
    installation: InstallationId,
    good: bool,
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    token(&mut tx, installation, good, now).await?;
    tx.commit().await?;
    Ok(())
}

async fn token(
    conn: &mut Conn,
    installation: InstallationId,
    good: bool,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let since = (!good).then_some(now);
    if !store::installation::set_revoked(conn, installation, since).await? {
        return Ok(());
    }
    let kind = if good { "token.good" } else { "token.refused" };
    let what = json!({ "installation": installation });
    audit::append(conn, Chain::System, kind, now, what).await?;
    if good {
        // Its sender looks only now and then whether it is let in again.
        store::message::wake(conn, installation).await?;
    }
    Ok(())
}

/// Replaces all groups of an installation by what one reading of the whole list told.
pub async fn record_groups(
    app: &App,
    installation: InstallationId,
    groups: &[PlatformGroup],
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let members: BTreeSet<&String> = groups.iter().flat_map(|g| &g.members).flatten().collect();
    let members: Vec<String> = members.into_iter().cloned().collect();
    let ids: Vec<_> = members.iter().map(|_| (new_id(), new_id())).collect();
    store::account::insert_unknown(&mut tx, installation, &members, &ids, now).await?;
    for group in groups {
        let kept = Group {
            external: &group.external,
            handle: &group.handle,
            name: &group.name,
            whole: group.members.is_some(),
        };
        let id = store::group::upsert(&mut tx, installation, new_id(), kept, now).await?;
        match &group.members {
            Some(all) => store::group::set_members(&mut tx, id, installation, all, now).await?,
            None => store::group::forget_listed(&mut tx, id).await?,
        }
    }
    store::group::retire_others(&mut tx, installation, now).await?;
    store::installation::set_synced(&mut tx, installation, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps what a look-up told of an account. One that was deactivated loses its open requests, and is named no more on the
/// cards of others.
pub async fn record_account(
    app: &App,
    installation: InstallationId,
    facts: &AccountFacts,
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let found = store::account::find(&mut tx, installation, &facts.external).await?;
    let was_active = found.as_ref().is_some_and(|known| known.active);
    // Whoever is gone is told without a name, and stays known by the last one.
    let nameless = !facts.active && facts.name == facts.external;
    let name = match &found {
        Some(known) if nameless => known.name.clone(),
        _ => facts.name.clone(),
    };
    let account = Account {
        name,
        kind: facts.kind,
        active: facts.active,
        ..if let Some(known) = found {
            known
        } else {
            let fresh = Account {
                id: new_id(),
                person: new_id(),
                installation,
                external: facts.external.clone(),
                name: facts.name.clone(),
                kind: facts.kind,
                active: facts.active,
            };
            actor::write(&mut tx, fresh, now).await?
        }
    };
    let named = if was_active && !account.active {
        naming(app, &mut tx, &account, now).await?
    } else {
        BTreeSet::new()
    };
    store::account::update(&mut tx, &account, now).await?;
    let own = if account.active {
        BTreeSet::new()
    } else {
        left_behind(&mut tx, account.person).await?
    };
    // In one order, and a request that moves is locked before its cards: so nobody who waits for this is waited for, whoever
    // else leaves, or moves one of these requests, meanwhile.
    for request in named.union(&own).copied() {
        if own.contains(&request) {
            withdraw(&mut tx, request, now).await?;
        } else {
            message::raise(&mut tx, request).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Waiting requests that are looked through for somebody who leaves, at most; the cards of others become true with their
/// next change.
const NAMING: i64 = 500;

/// The requests whose cards may name the person of an active account among those who can decide: those that wait for their
/// word, and those that have it.
async fn naming(
    app: &App,
    conn: &mut Conn,
    account: &Account,
    now: DateTime<Utc>,
) -> store::Result<BTreeSet<RequestId>> {
    let (person, reader) = (account.person, account.installation);
    let most = (NAMING, usize::MAX);
    let waiting = awaited::of_person(app, conn, person, (reader, now), most).await?;
    let voted = store::request::awaiting_with(conn, &[person]).await?;
    Ok(waiting.into_iter().chain(voted).collect())
}

/// Keeps which groups an account is in, by their ids there, as a delivery tells. Whoever is said to be in none any more may
/// have left: the cards that name them are shown anew at once, since no later look-up finds these by their groups.
pub(super) async fn told_groups(
    app: &App,
    conn: &mut Conn,
    account: &Account,
    (groups, event): (&[String], &Event),
    now: DateTime<Utc>,
) -> store::Result<()> {
    let leaves = matches!(event, Event::AccountChanged) && account.active && groups.is_empty();
    let named = if leaves {
        naming(app, conn, account, now).await?
    } else {
        BTreeSet::new()
    };
    store::group::set_of_account(conn, account.id, account.installation, groups, now).await?;
    for request in named {
        message::raise(conn, request).await?;
    }
    Ok(())
}

/// Keeps which groups an account is in, by their ids there, as a look-up of it told, where nobody reads their lists.
pub async fn record_groups_of(
    app: &App,
    installation: InstallationId,
    (external, groups): (&str, &[String]),
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    if let Some(known) = store::account::find(&mut tx, installation, external).await?
        && store::group::any_unlisted(&mut tx, installation).await?
    {
        store::group::set_of_account(&mut tx, known.id, installation, groups, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What somebody asked for and nobody began, once none of their accounts is active.
async fn left_behind(conn: &mut Conn, person: PersonId) -> store::Result<BTreeSet<RequestId>> {
    let accounts = store::account::of_person(conn, person).await?;
    if accounts.iter().any(|account| account.active) {
        return Ok(BTreeSet::new());
    }
    let open = store::request::not_begun(conn, person).await?;
    Ok(open.into_iter().collect())
}

/// Takes a request back whose requester is gone, unless it was begun or ended meanwhile.
async fn withdraw(conn: &mut Conn, id: RequestId, now: DateTime<Utc>) -> anyhow::Result<()> {
    let Some(mut request) = store::request::lock(conn, id).await? else {
        return Ok(());
    };
    if !matches!(
        request.state,
        RequestState::Planning | RequestState::AwaitingApproval
    ) {
        return Ok(());
    }
    let end = End {
        reason: Some(refusal::requester_gone().to_string()),
        ..End::default()
    };
    end::request(conn, &mut request, RequestMove::Cancel, end, now).await?;
    message::milestone(conn, id, Milestone::Ended, now).await?;
    Ok(())
}

/// Channels that are kept in one statement.
const CHANNELS_AT_ONCE: usize = 1_000;

/// Keeps what a list of channels tells, all at once: workspaces have thousands of them.
pub async fn record_channels(
    app: &App,
    installation: InstallationId,
    facts: &[ChannelFacts],
) -> anyhow::Result<()> {
    let channels: Vec<Channel> = facts.iter().map(channel).collect();
    let mut conn = app.pool.acquire().await?;
    for some in channels.chunks(CHANNELS_AT_ONCE) {
        let now = store::now(&mut conn).await?;
        store::channel::upsert_all(&mut conn, installation, some, now).await?;
    }
    Ok(())
}

fn channel(facts: &ChannelFacts) -> Channel {
    Channel {
        id: Uuid::now_v7(),
        external: facts.external.clone(),
        name: facts.name.clone(),
        kind: facts.kind,
        usable: facts.usable,
    }
}

/// Keeps what was learned of a channel and of who is in it.
pub async fn record_channel(
    app: &App,
    installation: InstallationId,
    facts: &ChannelFacts,
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let id = store::channel::upsert(&mut tx, installation, &channel(facts), now).await?;
    if let Some(members) = &facts.members {
        store::channel::set_members(&mut tx, id, members, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The platform's ids of accounts that are worth looking up: named by the configuration or by a delivery, not yet known.
pub async fn unknown_accounts(
    app: &App,
    installation: InstallationId,
) -> anyhow::Result<Vec<String>> {
    let settings = app.settings.current();
    let teams = settings.teams.values();
    let in_teams = teams
        .flat_map(|t| [&t.members, &t.leads])
        .flat_map(|s| group::accounts(s));
    let in_groups = settings.groups.values().flat_map(|s| group::accounts(s));
    let named: BTreeSet<String> = in_groups.chain(in_teams).collect();
    let named: Vec<String> = named.into_iter().collect();
    let mut conn = app.pool.acquire().await?;
    Ok(store::account::unknown(&mut conn, installation, &named).await?)
}

/// What a delivery tells that nobody asks for: kept, or enqueued to be looked up.
pub(super) async fn learn(
    conn: &mut Conn,
    installation: &Installation,
    sender: &Sender,
    event: &Event,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    match event {
        Event::AccountChanged => {
            if let Some(account) =
                store::account::find(conn, installation.id, &sender.account).await?
            {
                queue::enqueue_lookup(conn, account.id).await?;
            }
        }
        Event::ChannelChanged { channel, lost } => {
            let known = Channel {
                id: Uuid::now_v7(),
                external: channel.clone(),
                name: None,
                kind: PlaceKind::Unknown,
                usable: Some(lost.is_none()),
            };
            store::channel::upsert(conn, installation.id, &known, now).await?;
            if let Some(why) = *lost {
                message::channel_lost(conn, installation.id, channel, why, now).await?;
            }
        }
        Event::MessageDeleted { channel, message } => {
            message::deleted(conn, installation.id, channel, message).await?;
        }
        Event::ThreadDeleted { channel, message } => {
            message::thread_deleted(conn, installation.id, channel, message).await?;
        }
        Event::Uninstalled => token(conn, installation.id, false, now).await?,
        Event::Installed => token(conn, installation.id, true, now).await?,
        Event::RepositoryChanged {
            repository,
            page,
            former,
            fate,
            as_of,
        } => {
            let news = News {
                repository,
                page,
                former: former.as_deref(),
                fate: *fate,
                as_of: *as_of,
            };
            repository::follow(conn, &news, now).await?;
        }
        // They are read as a whole, and soon: whose turn it is next finds it due.
        Event::GroupsChanged => {
            store::timer::end_turn(conn, &format!("groups:{}", installation.id)).await?;
        }
        Event::Asked { .. }
        | Event::Mentioned { .. }
        | Event::PageFilled { .. }
        | Event::Pressed { .. }
        | Event::DenyReasoned { .. }
        | Event::Searched { .. }
        | Event::Other { .. } => {}
    }
    Ok(())
}
