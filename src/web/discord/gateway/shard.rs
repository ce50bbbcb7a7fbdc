//! One shard: the word for it, and its connections one after the other.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{ConfigBuilder, Intents, ShardId};

use super::super::Edge;
use super::Times;
use super::answer::{EVENTS, Waiting};
use super::connection::{Connection, Line};
use super::heard::Heard;
use super::standing::{Id, Standing};
use crate::app::gateway;
use crate::app::lease::{Lease, RENEW};
use crate::clients::discord::{Application, DiscordError, Gateway};

/// One shard of the gateway.
pub(super) struct Shard {
    edge: Arc<Edge>,
    token: SecretString,
    id: Id,
    lease: Lease,
    /// Whether the word is ours, as far as we know.
    holds: bool,
    /// The session to go on with, and how far it was heard.
    heard: Arc<Heard>,
}

/// Why a connection is over.
pub(super) enum Over {
    /// It ended. Whether we had been in.
    Lost(String, bool),
    /// It ended, and its session with it. Whether we had been in.
    Expired(String, bool),
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
            holds: false,
            heard: Arc::default(),
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
        let (events, learned) = mpsc::channel(EVENTS);
        self.edge.tasks.spawn(Arc::clone(&self.edge).learn(learned));
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            if !self.has_the_word(&standing).await {
                pause(RENEW, &stop).await;
                continue;
            }
            let over = tokio::select! {
                over = self.connect(times, (&queue, &events), &standing, &stop) => over,
                () = self.renew() => Over::Elsewhere,
            };
            if matches!(over, Over::Expired(..) | Over::Refused(_)) {
                self.forget().await;
            }
            match over {
                Over::Stopped | Over::Resharded => break,
                Over::Elsewhere => {
                    self.lose_the_word();
                    tracing::warn!("Another process is connected to Discord's gateway now");
                    continue;
                }
                Over::Lost(why, was_in) | Over::Expired(why, was_in) => {
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
                    standing.fails(self.id, &why);
                    tracing::error!(why, "Discord's gateway refuses us");
                }
            }
            pause(times.wait(failures), &stop).await;
        }
        self.hand_on().await;
    }

    /// Takes the word; without it there is nothing to connect, and nothing wrong.
    async fn has_the_word(&mut self, standing: &Standing) -> bool {
        match self.lease.hold(&self.edge.app).await {
            Ok(true) => self.holds || self.takes_up().await,
            Ok(false) => {
                self.lose_the_word();
                standing.works(self.id);
                false
            }
            Err(error) => {
                tracing::warn!(%error, "The gateway's lease can't be taken");
                false
            }
        }
    }

    /// Takes up the session of whoever had the word before. Only then: one that was kept and is over would be tried again
    /// and again.
    async fn takes_up(&mut self) -> bool {
        match gateway::kept(&self.edge.app, &self.lease).await {
            Ok(session) => {
                self.heard.take_up(session);
                self.holds = true;
            }
            Err(error) => tracing::warn!(%error, "The gateway's session can't be looked up"),
        }
        self.holds
    }

    fn lose_the_word(&mut self) {
        self.holds = false;
        self.heard.forget();
    }

    /// Forgets the session, here and for the next process: it is over.
    async fn forget(&self) {
        self.heard.forget();
        if let Err(error) = gateway::forget(&self.edge.app, &self.lease).await {
            tracing::warn!(%error, "A session of the gateway that is over stays kept");
        }
    }

    /// Renews the word, and keeps with it how far was heard; resolves when another process has the word. While the
    /// database gives no answer, nobody takes it.
    async fn renew(&self) {
        loop {
            tokio::time::sleep(RENEW).await;
            match self.keep().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "The gateway's lease can't be renewed"),
            }
        }
    }

    async fn keep(&self) -> anyhow::Result<bool> {
        let app = &self.edge.app;
        let Some(session) = self.heard.due() else {
            return Ok(self.lease.hold(app).await?);
        };
        let held = gateway::keep(app, &self.lease, &session).await?;
        if held {
            self.heard.kept(session);
        }
        Ok(held)
    }

    /// Gives the word back: with the session, where the process stops. Else it ended with its connection.
    async fn hand_on(&self) {
        if self.holds && self.edge.stop.is_cancelled() {
            self.heard.settled().await;
            if let Err(error) = self.keep().await {
                tracing::warn!(%error, "What the gateway told last is told again");
            }
        } else if self.holds {
            self.forget().await;
        }
        if let Err(error) = self.lease.free(&self.edge.app).await {
            tracing::warn!(%error, "The gateway's lease runs out by itself");
        }
    }

    /// Connects, as what Discord lets us be at the moment, and stays until the end.
    async fn connect(
        &self,
        times: Times,
        (queue, events): (&InMemoryQueue, &mpsc::Sender<Waiting>),
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
        let mut intents = Intents::GUILDS | Intents::GUILD_MESSAGES;
        if application.reads_members {
            intents |= Intents::GUILD_MEMBERS;
        }
        let session = self.heard.session(intents.bits());
        if gateway.starts_left == 0 && session.is_none() {
            let after = gateway.full_after.as_secs().div_ceil(60);
            return Over::Refused(format!("no new session may be begun for {after} min"));
        }
        let mut config = ConfigBuilder::new(self.token.expose_secret().to_owned(), intents)
            .proxy_url(gateway.url)
            .queue(queue.clone());
        if let Some(session) = session {
            let heard = twilight_gateway::Session::new(session.sequence, session.id);
            config = config.session(heard);
            if let Some(url) = session.resume_url {
                config = config.resume_url(url);
            }
        }
        let mut line = Line::with_config(ShardId::new(number, of), config.build());
        let connection = Connection {
            edge: &self.edge,
            times,
            events,
            heard: &self.heard,
            shard: self.id,
            standing,
        };
        let over = connection.listen(&mut line, stop).await;
        // Also that it is not reached where it was to be resumed.
        self.heard.note(&line);
        over
    }

    async fn asked(&self) -> Result<(Gateway, Application), DiscordError> {
        let client = &self.edge.client;
        Ok((client.gateway().await?, client.application().await?))
    }
}

async fn pause(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
