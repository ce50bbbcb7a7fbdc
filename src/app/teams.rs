//! Teams on GitHub as groups: which of them are named anywhere, and who is in them as of the last reading.
//!
//! Only named teams are read, each whole. A team that GitHub doesn't know is kept as such, so that nobody has to guess
//! whether it was merely not read yet. Its people are accounts of the organisation's installation; who of them is whom
//! in chat is known only once they linked their account.

use std::collections::BTreeSet;

use super::{App, group, new_id};
use crate::domain::id::InstallationId;
use crate::domain::team::GitHubTeam;
use crate::store;
use crate::store::group::Group;

const GROUP: &str = "group:";
const LEADS: &str = "leads:";

/// The teams to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// All that are named by a definition, the configuration or an open plan.
    pub teams: BTreeSet<GitHubTeam>,
    /// Whether one among them was never read.
    pub unread: bool,
}

/// Somebody in a team, as GitHub tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// GitHub's id, which stays whatever the login becomes.
    pub id: String,
    /// The login.
    pub login: String,
}

/// One team as it was read; `None`: there is none.
pub type Reading = (GitHubTeam, Option<Vec<Member>>);

/// The teams of our organisation that are named anywhere.
pub async fn named(app: &App, installation: InstallationId) -> anyhow::Result<Named> {
    let settings = app.settings.current();
    let catalog = app.library.current();
    let mut handles: BTreeSet<String> = BTreeSet::new();
    for command in catalog.commands() {
        handles.extend(command.allow.iter().cloned());
        let required = command.rules.iter().flat_map(|rule| &rule.require);
        handles.extend(required.filter_map(|require| {
            let from = &require.from;
            let name = from.strip_prefix(GROUP).or(from.strip_prefix(LEADS))?;
            Some(name.to_owned())
        }));
    }
    let lists = settings.groups.values();
    let teams = settings.teams.values().flat_map(|t| [&t.members, &t.leads]);
    for list in lists.chain(teams) {
        handles.extend(group::groups(list).map(ToOwned::to_owned));
    }
    let mut conn = app.pool.acquire().await?;
    handles.extend(store::plan::asked_handles(&mut conn).await?);
    let read = store::group::read_handles(&mut conn, installation).await?;
    let teams: BTreeSet<GitHubTeam> = handles
        .iter()
        .filter_map(|handle| GitHubTeam::parse(handle))
        .filter(|team| settings.reads(team))
        .collect();
    let unread = teams.iter().any(|team| !read.contains(&team.handle()));
    Ok(Named { teams, unread })
}

/// Keeps what was read of the named teams. What a reading is missing for stays as it was, and grows old.
pub async fn record(
    app: &App,
    installation: InstallationId,
    named: &Named,
    readings: &[Reading],
) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let members = readings.iter().flat_map(|(_, members)| members).flatten();
    let people: std::collections::BTreeMap<&str, &str> =
        members.map(|m| (m.id.as_str(), m.login.as_str())).collect();
    let (externals, names): (Vec<String>, Vec<String>) = people
        .into_iter()
        .map(|(id, login)| (id.to_owned(), login.to_owned()))
        .unzip();
    let ids: Vec<_> = externals.iter().map(|_| (new_id(), new_id())).collect();
    let people = (externals.as_slice(), names.as_slice());
    store::account::keep_all(&mut tx, installation, people, &ids, now).await?;
    for (team, members) in readings {
        let (handle, name) = (team.handle(), team.to_string());
        let kept = Group {
            external: &team.slug,
            handle: &handle,
            name: &name,
            whole: true,
        };
        let Some(members) = members else {
            store::group::absent(&mut tx, installation, new_id(), kept, now).await?;
            continue;
        };
        let id = store::group::upsert(&mut tx, installation, new_id(), kept, now).await?;
        let externals: Vec<String> = members.iter().map(|m| m.id.clone()).collect();
        store::group::set_members(&mut tx, id, installation, &externals, now).await?;
    }
    let handles: Vec<String> = named.teams.iter().map(GitHubTeam::handle).collect();
    store::group::forget_others(&mut tx, installation, &handles).await?;
    store::installation::set_synced(&mut tx, installation, now).await?;
    tx.commit().await?;
    Ok(())
}
