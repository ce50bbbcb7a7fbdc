//! Who is who on the platform: groups, accounts and channels, read into the store so that rules decide without a call.
//!
//! User groups are read whole once a minute in one call; facts older than five minutes decide nothing. Accounts are
//! looked up when they are first named or seen. One replica reads at a time, by its turn.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::Chat;
use crate::app::job::LookupJob;
use crate::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use crate::app::{App, watched};
use crate::clients::slack::{Auth, Channel, Slack, SlackError};
use crate::domain::person::{AccountKind, Platform};

/// How often the groups are read (`usergroups.list` is tier 2: 20 a minute; docs.slack.dev, rate limits).
const GROUPS: TimeDelta = TimeDelta::seconds(60);

/// How often the list of channels is read (`conversations.list` is tier 2, and a large workspace has many pages).
const CHANNELS: TimeDelta = TimeDelta::minutes(10);

/// How often the members of the channels that matter are read.
const MEMBERS: TimeDelta = TimeDelta::seconds(60);

/// What the ids of Enterprise organisations begin with: an org-wide installation has to name the workspace that it
/// reads groups and channels of (docs.slack.dev, usergroups.list and conversations.list: "required if org token is
/// used").
const ORGANISATION: char = 'E';

/// How often anything is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Look-ups at each look, and at once where none were needed before: `users.info` is tier 4, 100 a minute, which
/// look-up jobs share.
const LOOK_UPS: usize = 6;
const LOOK_UPS_BURST: usize = 25;

/// Makes the installation known that a token belongs to: who we are, as the platform says.
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
        slack: slack.clone(),
    };
    Ok((chat, auth))
}

/// Keeps an installation's people known until told to stop.
pub async fn run(app: App, chat: Chat, stop: CancellationToken) {
    let mut reader = Reader {
        app,
        chat,
        failed: HashSet::new(),
        budget: LOOK_UPS_BURST,
    };
    while !stop.is_cancelled() {
        for what in What::ALL {
            if let Err(error) = reader.read(what).await {
                reader.failed.insert(what);
                let error = format!("{error:#}");
                tracing::warn!(
                    what = what.word(),
                    error,
                    "Slack can't be read; tried again"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    /// User groups with their members.
    Groups,
    /// The list of channels.
    Channels,
    /// The members of the channels that matter.
    Members,
    /// Accounts that nobody has looked up.
    Accounts,
}

impl What {
    const ALL: [Self; 4] = [Self::Groups, Self::Channels, Self::Members, Self::Accounts];

    const fn word(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Channels => "channels",
            Self::Members => "members",
            Self::Accounts => "accounts",
        }
    }
}

struct Reader {
    app: App,
    chat: Chat,
    /// What this process took the turn for and could not read: it tries again at its next look.
    failed: HashSet<What>,
    /// Look-ups that may be made at once.
    budget: usize,
}

impl Reader {
    async fn read(&mut self, what: What) -> anyhow::Result<()> {
        match what {
            What::Groups if self.due(what, GROUPS).await? => self.groups().await,
            What::Channels if self.due(what, CHANNELS).await? => self.channels().await,
            What::Members if self.due(what, MEMBERS).await? => self.members().await,
            What::Accounts => self.accounts().await,
            What::Groups | What::Channels | What::Members => Ok(()),
        }
    }

    async fn due(&mut self, what: What, every: TimeDelta) -> anyhow::Result<bool> {
        let again = self.failed.remove(&what);
        let name = format!("{}:{}", what.word(), self.chat.installation);
        Ok(again || watched::turn(&self.app, &name, every).await?)
    }

    async fn groups(&self) -> anyhow::Result<()> {
        let mut groups: Vec<PlatformGroup> = Vec::new();
        for team in self.teams().await? {
            for group in self.chat.slack.groups(team.as_deref()).await? {
                // Groups of the whole organisation are told in each of its workspaces.
                if groups.iter().all(|known| known.external != group.id) {
                    groups.push(PlatformGroup {
                        external: group.id,
                        handle: group.handle,
                        name: group.name,
                        members: group.members,
                    });
                }
            }
        }
        people::record_groups(&self.app, self.chat.installation, &groups).await
    }

    async fn channels(&self) -> anyhow::Result<()> {
        for team in self.teams().await? {
            let mut channels = self.chat.slack.channels(team.as_deref()).await?;
            // Pages of a list that changes meanwhile may name a channel twice.
            channels.sort_by(|one, other| one.id.cmp(&other.id));
            channels.dedup_by(|one, other| one.id == other.id);
            let facts: Vec<_> = channels.into_iter().map(|c| facts(c, None)).collect();
            people::record_channels(&self.app, self.chat.installation, &facts).await?;
        }
        Ok(())
    }

    /// The workspaces to be named: each of an organisation's, or none in an installation that is one itself.
    async fn teams(&self) -> Result<Vec<Option<String>>, SlackError> {
        if !self.chat.external.starts_with(ORGANISATION) {
            return Ok(vec![None]);
        }
        let teams = self.chat.slack.teams().await?;
        Ok(teams.into_iter().map(Some).collect())
    }

    async fn members(&self) -> anyhow::Result<()> {
        for id in watched::channels(&self.app, self.chat.installation).await? {
            channel(&self.app, &self.chat, &id).await?;
        }
        Ok(())
    }

    async fn accounts(&mut self) -> anyhow::Result<()> {
        self.budget = (self.budget + LOOK_UPS).min(LOOK_UPS_BURST);
        let unknown = people::unknown_accounts(&self.app, self.chat.installation).await?;
        for external in unknown.iter().take(self.budget) {
            self.budget -= 1;
            account(&self.app, &self.chat, external).await?;
        }
        Ok(())
    }
}

/// Reads one channel with its members.
async fn channel(app: &App, chat: &Chat, id: &str) -> anyhow::Result<()> {
    let channel = match chat.slack.channel(id).await {
        Ok(channel) => channel,
        // We may not see it, so its members can't be known; the sender finds out whether it can be posted to.
        Err(SlackError::ChannelGone { .. } | SlackError::NotInChannel { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let members = match chat.slack.members(id).await {
        Ok(members) => Some(members),
        Err(SlackError::ChannelGone { .. } | SlackError::NotInChannel { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    people::record_channel(app, chat.installation, &facts(channel, members)).await
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

/// Looks one account up.
async fn account(app: &App, chat: &Chat, external: &str) -> anyhow::Result<()> {
    let facts = match chat.slack.user(external, &chat.external).await {
        Ok(user) => AccountFacts {
            external: user.id,
            name: user.name,
            kind: user.kind,
            active: user.active,
        },
        // Nobody whom we may see, so nobody who may ask.
        Err(SlackError::UserGone { code }) => {
            tracing::info!(account = external, code, "An account is not known to Slack");
            AccountFacts {
                external: external.to_owned(),
                name: external.to_owned(),
                kind: AccountKind::Outsider,
                active: false,
            }
        }
        Err(error) => return Err(error.into()),
    };
    people::record_account(app, chat.installation, &facts).await
}

/// Looks up the account that a job names. One of a platform that is not served here needs no look-up.
pub(super) async fn look_up(app: &App, chats: &[Chat], job: LookupJob) -> anyhow::Result<()> {
    let found = watched::account(app, job.account).await?;
    let chat = chats.iter().find(|c| c.installation == found.installation);
    match chat {
        Some(chat) => account(app, chat, &found.external).await,
        None => Ok(()),
    }
}
