//! One shard: the word for it, its connection, and what is heard there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use twilight_gateway::error::ReceiveMessageErrorType;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Message, Session, ShardId, ShardState};

use super::super::Edge;
use super::answer::EVENTS;
use super::{PART, Times};
use crate::app::App;
use crate::app::lease::{Lease, RENEW};
use crate::chat::discord::parse::is_wanted;
use crate::chat::discord::verify::Dispatch;
use crate::clients::discord::DiscordError;
use crate::domain::event::Delivery;
use crate::web::health::Health;

/// A connection to Discord.
type Line = twilight_gateway::Shard<InMemoryQueue>;

/// One shard of the gateway.
pub(super) struct Shard {
    edge: Arc<Edge>,
    token: SecretString,
    id: (u32, u32),
    lease: Lease,
    /// The session to go on with, and where.
    session: Option<Session>,
    resume_url: Option<String>,
}

/// Why a connection is over.
enum Over {
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
    pub(super) fn new(edge: Arc<Edge>, token: SecretString, id: (u32, u32)) -> Self {
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
        let (gateway, application) = match self.asked().await {
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
        let over = self
            .listen(&mut line, times, (events, standing), stop)
            .await;
        self.session = line.session().cloned();
        self.resume_url = line.resume_url().map(str::to_owned);
        over
    }

    async fn asked(
        &self,
    ) -> Result<
        (
            crate::clients::discord::Gateway,
            crate::clients::discord::Application,
        ),
        DiscordError,
    > {
        let client = &self.edge.client;
        Ok((client.gateway().await?, client.application().await?))
    }

    /// Hears what is said until the connection is over.
    async fn listen(
        &self,
        line: &mut Line,
        times: Times,
        (events, standing): (&mpsc::Sender<Delivery>, &Standing),
        stop: &CancellationToken,
    ) -> Over {
        let (mut is_in, mut was_in) = (false, false);
        let mut deadline = Instant::now() + times.greeting;
        loop {
            let said = tokio::select! {
                said = line.next() => said,
                () = stop.cancelled() => {
                    self.leave(line, times, events).await;
                    return Over::Stopped;
                }
                () = tokio::time::sleep_until(deadline), if !is_in => {
                    return Over::Lost("no greeting came".to_owned(), was_in);
                }
            };
            match said {
                Some(Ok(Message::Text(text))) => self.hear(&text, line, events),
                Some(Ok(Message::Close(frame))) => return closed(frame, was_in),
                Some(Err(error)) => match error.kind() {
                    // What it said stays out of the log.
                    ReceiveMessageErrorType::Deserializing { .. } => {
                        tracing::debug!("Discord's gateway said something unheard of");
                    }
                    _ => return Over::Lost("connecting failed".to_owned(), was_in),
                },
                None => return Over::Refused("Discord closed the connection for good".to_owned()),
            }
            let now_in = line.state() == ShardState::Active;
            if now_in && !is_in {
                was_in = true;
                standing.works(self.id);
                tracing::info!(shard = self.id.0, "Connected to Discord's gateway");
            } else if is_in && !now_in {
                // It reconnects by itself.
                deadline = Instant::now() + times.greeting;
            }
            is_in = now_in;
        }
    }

    /// Takes what is worth it.
    fn hear(&self, text: &str, line: &Line, events: &mpsc::Sender<Delivery>) {
        let (Ok(header), Some(session)) =
            (serde_json::from_str::<Header<'_>>(text), line.session())
        else {
            return;
        };
        let (Some(name), Some(number)) = (header.t, header.s) else {
            return;
        };
        if !is_wanted(&name) {
            return;
        }
        let whole = serde_json::from_str::<Value>(text);
        let data = whole
            .ok()
            .and_then(|mut whole| whole.get_mut("d").map(Value::take));
        let dispatch = Dispatch {
            name: name.into_owned(),
            key: format!("{}:{number}", session.id()),
            data: data.unwrap_or_default(),
        };
        self.edge.dispatched(dispatch, events);
    }

    /// Says goodbye, and hears what is said until Discord does too.
    async fn leave(&self, line: &mut Line, times: Times, events: &mpsc::Sender<Delivery>) {
        line.close(CloseFrame::NORMAL);
        let last_words = async {
            while let Some(Ok(Message::Text(text))) = line.next().await {
                self.hear(&text, line, events);
            }
        };
        if tokio::time::timeout(times.last_words, last_words)
            .await
            .is_err()
        {
            tracing::debug!("Discord's gateway said no goodbye");
        }
    }
}

/// What tells whether a dispatch is worth reading.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    t: Option<Cow<'a, str>>,
    #[serde(default)]
    s: Option<u64>,
}

/// Why Discord closed a connection (docs.discord.com/developers/topics/opcodes-and-status-codes, "Gateway Close Event
/// Codes").
fn closed(frame: Option<CloseFrame<'static>>, was_in: bool) -> Over {
    match frame.map(|frame| frame.code) {
        Some(4_004) => Over::Refused("Discord refuses the token (4004)".to_owned()),
        Some(code @ (4_013 | 4_014)) => {
            Over::Refused(format!("Discord doesn't grant the intents ({code})"))
        }
        Some(code) => Over::Lost(format!("the connection was closed ({code})"), was_in),
        None => Over::Lost("the connection was closed".to_owned(), was_in),
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

/// What is wrong with the shards, as one part of `/readyz`.
pub(super) struct Standing {
    health: Arc<Health>,
    wrong: Mutex<BTreeMap<(u32, u32), String>>,
}

impl Standing {
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self {
            health,
            wrong: Mutex::default(),
        }
    }

    fn works(&self, shard: (u32, u32)) {
        self.tell(|wrong| drop(wrong.remove(&shard)));
    }

    fn fails(&self, shard: (u32, u32), why: &str) {
        self.tell(|wrong| drop(wrong.insert(shard, why.to_owned())));
    }

    fn tell(&self, change: impl FnOnce(&mut BTreeMap<(u32, u32), String>)) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wrong);
        match wrong.values().next() {
            None => self.health.works(PART),
            Some(why) => self.health.fails(PART, why.clone()),
        }
    }
}
