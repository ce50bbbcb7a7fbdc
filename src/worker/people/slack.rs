//! A Slack workspace's people: user groups, channels and their members, accounts.

use crate::app::App;
use crate::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use crate::clients::slack::{Auth, Channel, Slack, SlackError};
use crate::domain::person::Platform;
use crate::worker::Chat;

/// What the ids of Enterprise organisations begin with: an org-wide installation has to name the workspace that it
/// reads groups and channels of (docs.slack.dev, usergroups.list and conversations.list: "required if org token is
/// used").
const ORGANISATION: char = 'E';

/// Makes the installation known that a token belongs to: who we are, as Slack says.
pub async fn introduce(app: &App, slack: &Slack) -> anyhow::Result<(Chat, Auth)> {
    let auth = slack.auth_test().await?;
    let facts = InstallationFacts {
        platform: Platform::Slack,
        external: auth.installation.clone(),
        name: auth.name.clone(),
        app: auth.app.clone(),
        bot_account: Some(auth.user.clone()),
    };
    let installation = people::record_installation(app, &facts).await?;
    let chat = Chat {
        installation,
        external: auth.installation.clone(),
        way: slack.clone().into(),
    };
    Ok((chat, auth))
}

pub(super) async fn groups(
    slack: &Slack,
    installation: &str,
) -> anyhow::Result<Vec<PlatformGroup>> {
    let mut groups: Vec<PlatformGroup> = Vec::new();
    for team in teams(slack, installation).await? {
        for group in slack.groups(team.as_deref()).await? {
            // Groups of the whole organisation are told in each of its workspaces.
            if groups.iter().all(|known| known.external != group.id) {
                groups.push(PlatformGroup {
                    external: group.id,
                    handle: group.handle,
                    name: group.name,
                    members: Some(group.members),
                });
            }
        }
    }
    Ok(groups)
}

/// The channels of an installation, a list for each workspace.
pub(super) async fn channels(
    slack: &Slack,
    installation: &str,
) -> anyhow::Result<Vec<Vec<ChannelFacts>>> {
    let mut all = Vec::new();
    for team in teams(slack, installation).await? {
        let mut channels = slack.channels(team.as_deref()).await?;
        // Pages of a list that changes meanwhile may name a channel twice.
        channels.sort_by(|one, other| one.id.cmp(&other.id));
        channels.dedup_by(|one, other| one.id == other.id);
        all.push(channels.into_iter().map(|c| facts(c, None)).collect());
    }
    Ok(all)
}

/// One channel with its members. `None`: we may not see it, so its members can't be known; the sender finds out whether
/// it can be posted to.
pub(super) async fn channel(slack: &Slack, id: &str) -> anyhow::Result<Option<ChannelFacts>> {
    let channel = match slack.channel(id).await {
        Ok(channel) => channel,
        Err(SlackError::ChannelGone { .. } | SlackError::NotInChannel { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let members = match slack.members(id).await {
        Ok(members) => Some(members),
        Err(SlackError::ChannelGone { .. } | SlackError::NotInChannel { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Some(facts(channel, members)))
}

pub(super) async fn account(
    slack: &Slack,
    installation: &str,
    external: &str,
) -> anyhow::Result<AccountFacts> {
    match slack.user(external, installation).await {
        Ok(user) => Ok(AccountFacts {
            external: user.id,
            name: user.name,
            kind: user.kind,
            active: user.active,
        }),
        Err(SlackError::UserGone { code }) => {
            tracing::info!(account = external, code, "An account is not known to Slack");
            Ok(AccountFacts::nobody(external))
        }
        Err(error) => Err(error.into()),
    }
}

/// The workspaces to be named: each of an organisation's, or none in an installation that is one itself.
async fn teams(slack: &Slack, installation: &str) -> Result<Vec<Option<String>>, SlackError> {
    if !installation.starts_with(ORGANISATION) {
        return Ok(vec![None]);
    }
    let teams = slack.teams().await?;
    Ok(teams.into_iter().map(Some).collect())
}

fn facts(channel: Channel, members: Option<Vec<String>>) -> ChannelFacts {
    let usable = match (channel.archived, channel.member) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        // Public channels can be posted to without being in them where `chat:write.public` is granted.
        (false, false) => None,
    };
    ChannelFacts {
        external: channel.id,
        name: channel.name,
        kind: channel.kind,
        usable,
        members,
    }
}
