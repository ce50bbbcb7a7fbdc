//! Who is who on the platform: groups, accounts and channels, read into the store so that rules decide without a call.
//!
//! Groups are read whole once a minute; facts older than five minutes decide nothing. Accounts are
//! looked up when they are first named or seen. One replica reads at a time, by its turn.

mod discord;
mod slack;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::discord::{Bot, Reading, introduce_bot, introduce_guild, read_guild};
pub use self::slack::introduce;
use super::way::Failure;
use super::{Chat, Chats, Guild, Way};
use crate::app::job::LookupJob;
use crate::app::{App, people, watched};

/// How often the groups are read (`usergroups.list` is tier 2: 20 a minute; docs.slack.dev, rate limits).
const GROUPS: TimeDelta = TimeDelta::seconds(60);

/// How often the list of channels is read (`conversations.list` is tier 2, and a large workspace has many pages).
const CHANNELS: TimeDelta = TimeDelta::minutes(10);

/// How often the members of the channels that matter are read.
const MEMBERS: TimeDelta = TimeDelta::seconds(60);

/// How often anything is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How soon what could not be read is tried again: from the first wait, doubled up to the longest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));

/// How soon a guild is read again after a whole reading, however much changes there: each is many calls.
const APART: Duration = Duration::from_secs(15);

/// Look-ups at each look, and at once where none were needed before: `users.info` is tier 4, 100 a minute, which
/// look-up jobs share.
const LOOK_UPS: usize = 6;
const LOOK_UPS_BURST: usize = 25;

/// Keeps an installation's people known until told to stop.
pub async fn run(app: App, chat: Chat, stop: CancellationToken) {
    let mut reader = Reader {
        app,
        chat,
        failed: HashMap::new(),
        named: false,
        read_at: None,
        budget: LOOK_UPS_BURST,
    };
    while !stop.is_cancelled() {
        // A look may take long, and one that breaks off leaves what was read before.
        tokio::select! {
            () = reader.look() => {}
            () = stop.cancelled() => return,
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
    /// What this process took the turn for and could not read: it tries again itself.
    failed: HashMap<What, Failed>,
    /// The list of channels was read, but not yet who is in those that matter. They are found by their names: another replica
    /// that had its turn at them meanwhile may have found none.
    named: bool,
    /// When a guild was last read as a whole.
    read_at: Option<Instant>,
    /// Look-ups that may be made at once.
    budget: usize,
}

/// A reading that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    wait: Duration,
    not_before: Instant,
}

impl Reader {
    /// Reads what is due. Of an installation that we were taken out of nothing is to be read; the sender finds out when it
    /// is back.
    async fn look(&mut self) {
        match watched::revoked(&self.app, self.chat.installation).await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                tracing::warn!(%error, "What is to be read can't be looked at");
                return;
            }
        }
        for what in What::ALL {
            let failed = self.failed.get(&what).copied();
            if failed.is_some_and(|failed| failed.not_before > Instant::now()) {
                continue;
            }
            let Err(error) = self.read(what).await else {
                self.failed.remove(&what);
                continue;
            };
            if discord::is_out(&error) && self.is_out().await {
                self.taken_out().await;
                return;
            }
            let (first, longest) = AGAIN;
            let wait = failed.map_or(first, |failed| (failed.wait * 2).min(longest));
            let not_before = Instant::now() + wait;
            self.failed.insert(what, Failed { wait, not_before });
            let error = format!("{error:#}");
            tracing::warn!(
                what = what.word(),
                error,
                "The platform can't be read; tried again"
            );
        }
    }

    /// Whether we are in the installation no more: one answer that says so is not believed alone.
    async fn is_out(&self) -> bool {
        matches!(self.chat.way.check().await, Err(Failure::Out { .. }))
    }

    /// We were taken out, and nobody told.
    async fn taken_out(&self) {
        tracing::error!(
            guild = self.chat.external,
            "The bot isn't in the server any more: add it again"
        );
        let told = people::record_token(&self.app, self.chat.installation, false).await;
        if let Err(error) = told {
            tracing::warn!(%error, "That the bot was taken out can't be recorded");
        }
    }

    async fn read(&mut self, what: What) -> anyhow::Result<()> {
        match what {
            What::Groups if self.due(what, GROUPS).await? => self.groups().await,
            What::Channels if self.due(what, CHANNELS).await? => {
                self.channels().await?;
                self.named = true;
                Ok(())
            }
            What::Members if self.due(what, MEMBERS).await? || self.named => {
                self.members().await?;
                self.named = false;
                Ok(())
            }
            What::Accounts => self.accounts().await,
            What::Groups | What::Channels | What::Members => Ok(()),
        }
    }

    async fn due(&self, what: What, every: TimeDelta) -> anyhow::Result<bool> {
        if self.read_at.is_some_and(|at| at.elapsed() < APART) {
            return Ok(false);
        }
        let again = self.failed.contains_key(&what);
        let name = format!("{}:{}", what.word(), self.chat.installation);
        Ok(again || watched::turn(&self.app, &name, every).await?)
    }

    async fn groups(&mut self) -> anyhow::Result<()> {
        let chat = &self.chat;
        match &chat.way {
            Way::Slack(slack) => {
                let groups = slack::groups(slack, &chat.external).await?;
                people::record_groups(&self.app, chat.installation, &groups).await
            }
            Way::Discord(guild) => {
                self.guild(guild).await?;
                self.read_at = Some(Instant::now());
                Ok(())
            }
        }
    }

    /// All that a guild tells: roles, channels, and whoever is in those that matter.
    async fn guild(&self, guild: &Guild) -> anyhow::Result<()> {
        let (app, installation) = (&self.app, self.chat.installation);
        let reading = read_guild(guild).await?;
        // Before the groups: cards that name somebody are found by the groups that they are known to be in.
        self.left_or_back(&reading).await?;
        people::record_groups(app, installation, &reading.groups()).await?;
        let bot = reading.bot(guild, &self.bot().await?).await?;
        let channels = reading.channels(&bot);
        people::record_channels(app, installation, &channels).await?;
        // Those that matter are found by names, which are known from here on.
        for id in watched::channels(app, installation).await? {
            if let Some(channel) = reading.channel(&bot, &id) {
                people::record_channel(app, installation, &channel).await?;
            }
        }
        Ok(())
    }

    /// Looks up those who are in a guild and known as gone, and those who aren't in it and known as members: over HTTP nobody
    /// tells who comes back or leaves. The next reading finds those who are left over.
    async fn left_or_back(&self, reading: &Reading) -> anyhow::Result<()> {
        let (app, installation) = (&self.app, self.chat.installation);
        let gone = watched::gone(app, installation).await?;
        let members = watched::members(app, installation).await?;
        // Whoever is back can do nothing until that is known, so they come first.
        let changed = reading.present(&gone).into_iter();
        let changed = changed.chain(reading.absent(&members));
        for external in changed.take(LOOK_UPS_BURST) {
            let Err(error) = account(app, &self.chat, external).await else {
                continue;
            };
            tracing::warn!(
                account = external,
                error = format!("{error:#}"),
                "Somebody who left, or came back, can't be looked up; tried again"
            );
            if discord::is_away(&error) {
                break;
            }
        }
        Ok(())
    }

    async fn channels(&self) -> anyhow::Result<()> {
        let chat = &self.chat;
        let Way::Slack(slack) = &chat.way else {
            return Ok(());
        };
        for channels in slack::channels(slack, &chat.external).await? {
            people::record_channels(&self.app, chat.installation, &channels).await?;
        }
        Ok(())
    }

    async fn members(&self) -> anyhow::Result<()> {
        let chat = &self.chat;
        let Way::Slack(slack) = &chat.way else {
            return Ok(());
        };
        for id in &watched::channels(&self.app, chat.installation).await? {
            if let Some(channel) = slack::channel(slack, id).await? {
                people::record_channel(&self.app, chat.installation, &channel).await?;
            }
        }
        Ok(())
    }

    /// Our own account there.
    async fn bot(&self) -> anyhow::Result<String> {
        let bot = watched::bot(&self.app, self.chat.installation).await?;
        bot.context("an installation without the bot's own account")
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

/// Looks one account up.
async fn account(app: &App, chat: &Chat, external: &str) -> anyhow::Result<()> {
    let (facts, groups) = match &chat.way {
        Way::Slack(slack) => (slack::account(slack, &chat.external, external).await?, None),
        Way::Discord(guild) => {
            let (facts, roles) = discord::account(guild, external).await?;
            (facts, Some(roles))
        }
    };
    people::record_account(app, chat.installation, &facts).await?;
    if let Some(groups) = groups {
        people::record_groups_of(app, chat.installation, (external, &groups)).await?;
    }
    Ok(())
}

/// Looks up the account that a job names. One of a platform that is not served here needs no look-up, and one of a platform
/// that hasn't answered yet is read by its [`Reader`], which looks for unknown accounts, once it has.
pub(super) async fn look_up(app: &App, chats: &Chats, job: LookupJob) -> anyhow::Result<()> {
    let found = watched::account(app, job.account).await?;
    match chats.find(found.installation) {
        Some(chat) => account(app, &chat, &found.external).await,
        None => Ok(()),
    }
}
