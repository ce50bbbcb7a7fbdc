//! Who is in the teams on GitHub that anything names, read into the store so that rules decide without a call.
//!
//! Like the user groups of a platform: whole, about once a minute by one replica, at once where a name is new or a webhook
//! told of a change. One call reads a hundred people; facts older than five minutes decide nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::people::{self, InstallationFacts};
use crate::app::teams::{self, Member, Named};
use crate::app::{App, watched};
use crate::clients::forge::ForgeError;
use crate::clients::forge::github::device::DeviceFlow;
use crate::clients::forge::github::directory::Directory;
use crate::domain::id::InstallationId;
use crate::domain::person::{FACTS_GOOD_FOR, Platform};

/// How often a team is read.
const EVERY: TimeDelta = TimeDelta::seconds(60);

/// The least time for each team: an installation has at least 5,000 calls an hour for everything
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>), and this takes no more than 1,800.
const EACH: TimeDelta = TimeDelta::seconds(2);

/// How often anything is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How long GitHub is left alone after it gave no good answer, unless it says for how long.
const LEFT_ALONE: Duration = Duration::from_secs(20);

/// The organisation on GitHub: the way to it, and who we are there.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Reads it.
    pub directory: Arc<Directory>,
    /// Learns whose an account is; none where no App's client id is set.
    pub device: Option<DeviceFlow>,
    /// The App that we are there, by its number; deliveries for another one are not ours.
    pub app_id: Option<String>,
}

impl Hub {
    /// Makes the organisation known by what GitHub says of it.
    pub async fn introduce(&self, app: &App) -> anyhow::Result<InstallationId> {
        let organisation = self.directory.organisation().await?;
        let facts = InstallationFacts {
            platform: Platform::Github,
            external: organisation.id.to_string(),
            name: organisation.login,
            app: self.app_id.clone(),
            bot_account: None,
        };
        people::record_installation(app, &facts).await
    }

    /// Reads the teams that anything names, and keeps who is in them.
    ///
    /// A team that can't be read doesn't keep others from being read; the first such trouble is told.
    pub async fn read(
        &self,
        app: &App,
        installation: InstallationId,
        named: &Named,
    ) -> anyhow::Result<()> {
        let mut readings = Vec::new();
        let mut trouble = None;
        for team in &named.teams {
            match self.directory.members(&team.slug).await {
                Ok(members) => {
                    let member = |m: crate::clients::forge::github::directory::Account| Member {
                        id: m.id.to_string(),
                        login: m.login,
                    };
                    let members = members.map(|m| m.into_iter().map(member).collect());
                    readings.push((team.clone(), members));
                }
                // What it asks of one call, it asks of all.
                Err(limited @ ForgeError::Limited { .. }) => {
                    trouble = Some(limited);
                    break;
                }
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        teams::record(app, installation, named, &readings).await?;
        trouble.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Keeps the people of named teams known until told to stop.
pub async fn run(app: App, hub: Hub, stop: CancellationToken) {
    let mut reader = Reader {
        app,
        hub,
        installation: None,
        not_before: Instant::now(),
        failed: false,
    };
    while !stop.is_cancelled() {
        if let Err(error) = reader.look().await {
            reader.failed = true;
            reader.not_before = Instant::now() + left_alone(&error);
            let error = format!("{error:#}");
            tracing::warn!(error, "Teams on GitHub can't be read; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

struct Reader {
    app: App,
    hub: Hub,
    installation: Option<InstallationId>,
    not_before: Instant,
    /// This process took the turn and could not read everything: it tries again.
    failed: bool,
}

impl Reader {
    async fn look(&mut self) -> anyhow::Result<()> {
        if Instant::now() < self.not_before {
            return Ok(());
        }
        let installation = match self.installation {
            Some(known) => known,
            None => *self
                .installation
                .insert(self.hub.introduce(&self.app).await?),
        };
        let named = teams::named(&self.app, installation).await?;
        if !self.due(&named, installation).await? {
            return Ok(());
        }
        self.hub.read(&self.app, installation, &named).await
    }

    async fn due(&mut self, named: &Named, installation: InstallationId) -> anyhow::Result<bool> {
        if std::mem::take(&mut self.failed) || named.unread {
            return Ok(true);
        }
        let all = EACH * i32::try_from(named.teams.len())?;
        // A minute before facts grow too old, whatever it costs.
        let every = all.max(EVERY).min(FACTS_GOOD_FOR - EVERY);
        let name = format!("groups:{installation}");
        Ok(watched::turn(&self.app, &name, every).await?)
    }
}

fn left_alone(error: &anyhow::Error) -> Duration {
    match error.downcast_ref::<ForgeError>() {
        Some(ForgeError::Limited { after, .. }) => *after,
        Some(ForgeError::Away { after, .. }) => after.unwrap_or(LEFT_ALONE),
        _ => LEFT_ALONE,
    }
}
