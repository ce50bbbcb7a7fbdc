//! What stands behind the simulators: one state behind one lock, and a channel that tells of every change.
//!
//! The lock is held for single steps only; whatever waits (deliveries, sockets, files) happens outside it. Changes are
//! collected while it is held and sent afterwards, so a page that is told of one always finds it.

mod channels;
mod elements;
mod fields;
mod limits;
mod log;
mod messages;
mod names;
mod save;
mod seed;
mod seen;
mod settings;
mod state;
mod tickets;
mod views;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use url::Url;

pub(in crate::sandbox) use self::messages::long_id;
pub use self::{
    elements::{Element, InputRules, assign_ids, elements, offered, text},
    fields::{Fields, entered, is_empty},
    limits::{Bucket, Limiter, Tier},
    log::{
        Answer, Behind, CallRecord, DeliveryKind, DeliveryRecord, InteractionKind, Kind, Log,
        MessageRef,
    },
    messages::Draft,
    names::Names,
    seen::{ChannelSummary, Post},
    settings::{Change, Settings},
    state::{
        App, Author, Channel, ChannelKind, Group, Message, Person, PersonKind, Team, Workspace,
    },
    tickets::{ResponseUrl, TicketError, Trigger},
    views::{Place, View, ViewError},
};
use super::{
    SandboxError,
    config::{Clock, DiscordConfig, SandboxConfig},
    deliver::Links,
    discord::{self, Discord, Live},
    levers::Levers,
};

/// How many changes a slow page may fall behind before it must read everything anew.
const CHANGES_KEPT: usize = 1024;

/// The whole simulated side: workspace, settings, connections.
pub struct World {
    inner: Mutex<Inner>,
    changes: broadcast::Sender<Change>,
    dirty: Notify,
    config: SandboxConfig,
    base: Url,
    levers: Levers,
    http: reqwest::Client,
    links: Links,
}

/// What the lock guards.
pub(in crate::sandbox) struct Inner {
    pub(in crate::sandbox) workspace: Workspace,
    /// The Discord server.
    pub(in crate::sandbox) discord: Discord,
    /// What of it is gone with a restart.
    pub(in crate::sandbox) live: Live,
    pub(in crate::sandbox) log: Log,
    pub(in crate::sandbox) settings: Settings,
    pub(in crate::sandbox) limiter: Limiter,
    /// Stacks of open modals by person; the last one is on top.
    pub(in crate::sandbox) views: HashMap<String, Vec<View>>,
    pub(in crate::sandbox) triggers: HashMap<String, Trigger>,
    /// By the secret part of the address.
    pub(in crate::sandbox) response_urls: HashMap<String, ResponseUrl>,
    /// Options last offered for an external select, by person and action id.
    pub(in crate::sandbox) suggested: HashMap<(String, String), Vec<Value>>,
    /// What people entered in the inputs of a message.
    pub(in crate::sandbox) message_fields: HashMap<(String, MessageRef), Fields>,
    /// Read once when the lock is taken.
    pub(in crate::sandbox) now: DateTime<Utc>,
    pending: Vec<Change>,
}

impl Inner {
    /// The id of the organisation, where the app is installed for all of it.
    pub(in crate::sandbox) fn organisation(&self) -> Option<String> {
        let team = &self.workspace.team.id;
        self.settings
            .organisation
            .then(|| team.replacen('T', "E", 1))
    }

    /// An organisation's token has to say which workspace is meant ("required if org token is used":
    /// <https://docs.slack.dev/reference/methods/conversations.list>).
    pub(in crate::sandbox) fn means(&self, team: Option<&str>) -> Result<(), &'static str> {
        match team {
            None if self.settings.organisation => Err("missing_argument"),
            Some(other) if self.settings.organisation && other != self.workspace.team.id => {
                Err("team_access_not_granted")
            }
            _ => Ok(()),
        }
    }
}

impl World {
    /// Opens the workspace kept in the state file, or the seeded one.
    ///
    /// # Errors
    /// When the state file can't be read, or was written by another format.
    pub fn open(
        config: SandboxConfig,
        levers: Levers,
        base: Url,
    ) -> Result<Arc<Self>, SandboxError> {
        let saved = match &config.state_file {
            Some(path) if !config.reset => save::read(path)?,
            _ => None,
        };
        let (workspace, discord, log) =
            saved.unwrap_or_else(|| (seed::workspace(), None, Log::default()));
        let targets = &config.discord.deliver_to;
        let live = Live {
            endpoints: targets.iter().map(DiscordConfig::endpoint).collect(),
            ..Live::default()
        };
        let inner = Inner {
            workspace,
            discord: discord.unwrap_or_else(discord::seeded),
            live,
            log,
            settings: Settings::new(&config),
            limiter: Limiter::default(),
            views: HashMap::new(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
            suggested: HashMap::new(),
            message_fields: HashMap::new(),
            now: (config.clock)(),
            pending: Vec::new(),
        };
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .user_agent("Slackbot 1.0 (+https://api.slack.com/robots)")
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| SandboxError::Http(cause.to_string()))?;
        Ok(Arc::new(Self {
            inner: Mutex::new(inner),
            changes: broadcast::channel(CHANGES_KEPT).0,
            dirty: Notify::new(),
            links: Links::default(),
            config,
            base,
            levers,
            http,
        }))
    }

    /// Tells of every change from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// One step on the state; its changes are told once the lock is free again.
    pub(in crate::sandbox) fn with<R>(&self, step: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.now = (self.config.clock)();
        let result = step(&mut inner);
        let pending = std::mem::take(&mut inner.pending);
        drop(inner);
        if !pending.is_empty() {
            self.dirty.notify_one();
        }
        for change in pending {
            // Nobody listening is fine: pages come and go.
            let _ = self.changes.send(change);
        }
        result
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.config.clock)()
    }

    /// The clock itself.
    pub fn clock(&self) -> &Clock {
        &self.config.clock
    }

    /// How the simulator is reached.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What may be done to the world outside chat.
    pub fn levers(&self) -> &Levers {
        &self.levers
    }

    /// The current settings.
    pub fn settings(&self) -> Settings {
        self.with(|inner| inner.settings.clone())
    }

    /// Changes settings and tells the pages.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.with(|inner| {
            change(&mut inner.settings);
            inner.changed(Change::Workspace);
        });
    }

    pub(in crate::sandbox) fn config(&self) -> &SandboxConfig {
        &self.config
    }

    pub(in crate::sandbox) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(in crate::sandbox) fn links(&self) -> &Links {
        &self.links
    }

    /// How many Socket Mode connections the app has open.
    pub fn connections(&self) -> usize {
        self.links.count()
    }

    /// Tells every Socket Mode connection to reconnect, as Slack does about once an hour.
    pub fn disconnect(&self) {
        self.links.refresh(None, "refresh_requested");
    }

    /// Shows a person a sentence that no message carries.
    pub(in crate::sandbox) fn notice(&self, person: &str, text: &str) {
        self.with(|inner| {
            inner.changed(Change::Notice {
                person: person.to_owned(),
                text: text.to_owned(),
            });
        });
    }
}

impl Inner {
    /// Notes a change, told when the lock is released.
    pub(in crate::sandbox) fn changed(&mut self, change: Change) {
        self.pending.push(change);
    }

    /// Keeps a lookup of the options that the app last offered to this person.
    pub(in crate::sandbox) fn suggestions(&self, person: &str, action_id: &str) -> &[Value] {
        self.suggested
            .get(&(person.to_owned(), action_id.to_owned()))
            .map_or(&[], Vec::as_slice)
    }
}
