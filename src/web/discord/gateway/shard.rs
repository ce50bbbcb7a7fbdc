//! One shard: the word for it, and its connections one after the other.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{ConfigBuilder, Intents, Session, ShardId};

use super::super::Edge;
use super::Times;
use super::answer::EVENTS;
use super::connection::{Connection, Line};
use super::standing::{Id, Standing};
use crate::app::App;
use crate::app::lease::{Lease, RENEW};
use crate::clients::discord::{Application, DiscordError, Gateway};
use crate::domain::event::Delivery;

/// One shard of the gateway.
pub(super) struct Shard {
    edge: Arc<Edge>,
    token: SecretString,
    id: Id,
    lease: Lease,
    /// The session to go on with, and where.
    session: Option<Session>,
    resume_url: Option<String>,
}

/// Why a connection is over.
pub(super) enum Over {
    /// It ended. Whether we had been in.
    Lost(String, bool),
    /// Discord will not have us as we are: trying soon would not help.
    Refused(String),
    /// Another replica has the word now.
    Elsewhere,
    /// Discord wants another number of shards.
    Resharded,
    /// We were told to stop.
    Stopped,
}

impl From<DiscordError> for Over {
    fn from(error: DiscordError) -> Self {
        match error {
            DiscordError::Revoked => Self::Refused(error.to_string()),
            error => Self::Lost(error.to_string(), false),
        }
    }
}

impl Shard {
    pub(super) fn new(edge: Arc<Edge>, token: SecretString, id: Id) -> Self {
        let (number, of) = id;
        Self {
            edge,
            token,
            id,
            lease: Lease::new(format!("gateway:{number}/{of}")),
            session: None,
            resume_url: None,
        }
    }

    /// Keeps connected whenever it is this process's turn; ends when told to stop, or when the number of shards is wrong.
    pub(super) async fn run(
        mut self,
        times: Times,
        queue: InMemoryQueue,
        standing: Arc<Standing>,
        stop: CancellationToken,
    ) {
        let app = self.edge.app.clone();
        let (events, learned) = mpsc::channel(EVENTS);
        self.edge.tasks.spawn(Arc::clone(&self.edge).learn(learned));
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            if !self.has_the_word(&app, &standing).await {
                pause(RENEW, &stop).await;
                continue;
            }
            let lease = self.lease.clone();
            let connecting = self.connect(times, (&queue, &events), &standing, &stop);
            let over = tokio::select! {
                over = connecting => over,
                () = lost(&lease, &app) => Over::Elsewhere,
            };
            match over {
                Over::Stopped | Over::Resharded => break,
                Over::Elsewhere => {
                    tracing::warn!("Another process is connected to Discord's gateway now");
                    continue;
                }
                Over::Lost(why, was_in) => {
                    failures = if was_in {
                        1
                    } else {
                        failures.saturating_add(1)
                    };
                    standing.fails(self.id, &why);
                    tracing::warn!(why, failures, "Lost Discord's gateway");
                }
                Over::Refused(why) => {
                    failures = u32::MAX;
                    self.session = None;
                    standing.fails(self.id, &why);
                    tracing::error!(why, "Discord's gateway refuses us");
                }
            }
            pause(times.wait(failures), &stop).await;
        }
        if let Err(error) = self.lease.free(&app).await {
            tracing::warn!(%error, "The gateway's lease runs out by itself");
        }
    }

    /// Takes the word; without it there is nothing to connect, and nothing wrong.
    async fn has_the_word(&mut self, app: &App, standing: &Standing) -> bool {
        match self.lease.hold(app).await {
            Ok(true) => true,
            Ok(false) => {
                self.session = None;
                standing.works(self.id);
                false
            }
            Err(error) => {
                tracing::warn!(%error, "The gateway's lease can't be taken");
                false
            }
        }
    }

    /// Connects, as what Discord lets us be at the moment, and stays until the end.
    async fn connect(
        &mut self,
        times: Times,
        (queue, events): (&InMemoryQueue, &mpsc::Sender<Delivery>),
        standing: &Standing,
        stop: &CancellationToken,
    ) -> Over {
        let asked = tokio::select! {
            asked = self.asked() => asked,
            () = stop.cancelled() => return Over::Stopped,
        };
        let (gateway, application) = match asked {
            Ok(asked) => asked,
            Err(error) => return error.into(),
        };
        let (number, of) = self.id;
        if gateway.shards != of {
            return Over::Resharded;
        }
        if gateway.starts_left == 0 && self.session.is_none() {
            let after = gateway.full_after.as_secs().div_ceil(60);
            return Over::Refused(format!("no new session may be begun for {after} min"));
        }
        let mut intents = Intents::GUILDS | Intents::GUILD_MESSAGES;
        if application.reads_members {
            intents |= Intents::GUILD_MEMBERS;
        }
        let mut config = ConfigBuilder::new(self.token.expose_secret().to_owned(), intents)
            .proxy_url(gateway.url)
            .queue(queue.clone());
        if let Some(session) = self.session.take() {
            config = config.session(session);
            if let Some(url) = self.resume_url.take() {
                config = config.resume_url(url);
            }
        }
        let mut line = Line::with_config(ShardId::new(number, of), config.build());
        let connection = Connection {
            edge: &self.edge,
            times,
            events,
            shard: self.id,
            standing,
        };
        let over = connection.listen(&mut line, stop).await;
        self.session = line.session().cloned();
        self.resume_url = line.resume_url().map(str::to_owned);
        over
    }

    async fn asked(&self) -> Result<(Gateway, Application), DiscordError> {
        let client = &self.edge.client;
        Ok((client.gateway().await?, client.application().await?))
    }
}

/// Resolves when another process has the word. While the database gives no answer, nobody takes it.
async fn lost(lease: &Lease, app: &App) {
    loop {
        tokio::time::sleep(RENEW).await;
        match lease.hold(app).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "The gateway's lease can't be renewed"),
        }
    }
}

async fn pause(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
