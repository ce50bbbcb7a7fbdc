//! Messages on Discord: a card's message opens a thread that its replies stand in; direct messages have no threads, there
//! replies answer the card's message.
//!
//! A thread has the id of the message that it hangs under, so nothing more has to be known of it. One that was deleted is
//! opened anew; where none can be opened or written in, replies stand in the channel as answers to the card, or by
//! themselves where what was said there may not be read.

use serde_json::Value;

use super::{Body, Drawn, Failure, Spot, part_of};
use crate::app::sending::Sending;
use crate::chat::discord::limits::{self, shorten};
use crate::chat::discord::render;
use crate::clients::discord::{Discord, DiscordError, Message, Post};
use crate::domain::canonical::Digest;
use crate::domain::card::Card;

/// Where people read messages (an address of Discord's own client).
const PAGES: &str = "https://discord.com/channels";

/// Discord's codes where a message answers another one, and what was said in the channel may not be read.
const UNREAD: [u64; 2] = [160_002, 160_009];

/// A guild, and the bot's way to it.
#[derive(Debug, Clone)]
pub struct Guild {
    /// The client with the bot's token.
    pub client: Discord,
    /// The guild's id.
    pub id: String,
}

pub(super) fn draw(sending: &Sending, card: &Card) -> Result<Drawn, serde_json::Error> {
    let all = render::message(card);
    let parts = all.len();
    let nothing = || render::message(&Card::lines(["–"])).pop();
    let body = part_of(all, sending, nothing).unwrap_or_default().json();
    let seen = serde_json::to_vec(&body)?;
    Ok(Drawn {
        body: Body::Discord(body),
        digest: Digest::of(&seen),
        parts,
    })
}

impl Guild {
    pub(super) fn permalink(&self, channel: &str, id: &str) -> String {
        format!("{PAGES}/{}/{channel}/{id}", self.id)
    }

    /// Whether the token is taken, and the bot is in the guild: one that was taken out has a good token still. That a guild
    /// isn't known to Discord was said of one that was there, so the bot's own list of guilds has to lack it too.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let Err(error) = self.client.guild(&self.id).await else {
            return Ok(());
        };
        if matches!(error, DiscordError::GuildGone { .. })
            && self.client.guilds().await?.iter().any(|g| g.id == self.id)
        {
            return Err(Failure::Unreachable {
                cause: format!("{error}, says Discord, and lists it"),
            });
        }
        Err(error.into())
    }

    pub(super) async fn post(&self, sending: &Sending, body: &Value) -> Result<Spot, Failure> {
        let channel = sending.channel.as_deref().unwrap_or_default();
        let post = Post {
            channel,
            body,
            answers: sending.root.as_deref(),
            mark: sending.nonce,
        };
        let stands = match thread(sending) {
            Some(thread) => self.reply(sending, thread, post).await?,
            None => self.answer(post).await?,
        };
        if sending.lost_since.is_some() {
            // What stands may be the post whose answer was lost, with what was true then.
            self.client.edit(&stands.channel, &stands.id, body).await?;
        }
        if sending.is_root && sending.account.is_none() {
            self.open(sending, channel, &stands.id).await;
        }
        Ok(Spot {
            channel: channel.to_owned(),
            id: stands.id,
        })
    }

    /// Posts into a thread, opened if need be, else under the card.
    async fn reply(
        &self,
        sending: &Sending,
        thread: &str,
        post: Post<'_>,
    ) -> Result<Message, DiscordError> {
        let inside = Post {
            channel: thread,
            answers: None,
            ..post
        };
        match self.client.post(&inside).await {
            Err(DiscordError::ChannelGone { .. }) => {}
            // Locked, or closed to us: the channel may be open all the same.
            Err(DiscordError::NotAllowed { .. }) => return self.answer(post).await,
            done => return done,
        }
        if self.open(sending, post.channel, thread).await
            && let Ok(stands) = self.client.post(&inside).await
        {
            return Ok(stands);
        }
        self.answer(post).await
    }

    /// Posts outside of threads, as an answer where it is one and may be.
    async fn answer(&self, post: Post<'_>) -> Result<Message, DiscordError> {
        match self.client.post(&post).await {
            Err(DiscordError::NotAllowed { code }) if UNREAD.contains(&code) => {
                let alone = Post {
                    answers: None,
                    ..post
                };
                self.client.post(&alone).await
            }
            done => done,
        }
    }

    /// Opens the thread under a card, named after what that is about; without one its replies stand under it all the same.
    async fn open(&self, sending: &Sending, channel: &str, root: &str) -> bool {
        let opened = self.client.open_thread(channel, root, &name(sending)).await;
        if let Err(error) = &opened {
            tracing::info!(message = %sending.id, %error, "No thread opens under a card");
        }
        opened.is_ok()
    }

    pub(super) async fn edit(
        &self,
        sending: &Sending,
        id: &str,
        body: &Value,
    ) -> Result<Spot, Failure> {
        let channel = sending.channel.as_deref().unwrap_or_default();
        match thread(sending) {
            Some(thread) => self.edit_reply((channel, thread), id, body).await?,
            None => self.client.edit(channel, id, body).await?,
        }
        Ok(Spot {
            channel: channel.to_owned(),
            id: id.to_owned(),
        })
    }

    /// Edits a reply: in its thread, else in the channel, where it stands if no thread could be opened.
    async fn edit_reply(
        &self,
        (channel, thread): (&str, &str),
        id: &str,
        body: &Value,
    ) -> Result<(), Failure> {
        match self.client.edit(thread, id, body).await {
            Err(
                DiscordError::ChannelGone { .. }
                | DiscordError::MessageGone
                | DiscordError::NotAllowed { .. },
            ) => {}
            done => return Ok(done?),
        }
        match self.client.edit(channel, id, body).await {
            Err(error @ DiscordError::MessageGone) => Err(Failure::ReplyGone {
                code: error.to_string(),
            }),
            done => Ok(done?),
        }
    }

    pub(super) async fn take_back(&self, sending: &Sending, id: &str) -> Result<(), Failure> {
        let channel = sending.channel.as_deref().unwrap_or_default();
        let place = thread(sending).unwrap_or(channel);
        Ok(self.client.delete(place, id).await?)
    }
}

/// The thread that a reply stands in; none for a card itself, and in direct messages.
fn thread(sending: &Sending) -> Option<&str> {
    let root = sending.root.as_deref()?;
    sending.account.is_none().then_some(root)
}

/// `142 payments-api`: what the thread is about, whichever of its messages opens it.
fn name(sending: &Sending) -> String {
    let title = sending.title.as_deref().unwrap_or("idp");
    shorten(title, limits::THREAD_NAME)
}

impl From<DiscordError> for Failure {
    fn from(error: DiscordError) -> Self {
        let code = error.to_string();
        match error {
            DiscordError::Limited { after } => Self::Limited { after },
            DiscordError::Unreachable { cause } => Self::Unreachable { cause },
            DiscordError::Lost { cause } => Self::Lost { cause },
            DiscordError::Revoked => Self::Revoked { code },
            DiscordError::GuildGone { .. } => Self::Out { code },
            DiscordError::ChannelGone { .. } | DiscordError::UserGone { .. } => {
                Self::PlaceGone { code }
            }
            DiscordError::NotAllowed { .. } => Self::NotIn { code },
            DiscordError::MessageGone => Self::MessageGone { code },
            DiscordError::AnswerGone { .. }
            | DiscordError::ThreadStands
            | DiscordError::Refused { .. } => Self::Refused { code },
        }
    }
}
