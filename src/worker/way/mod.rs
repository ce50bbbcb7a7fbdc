//! The ways to the chat platforms that messages go out by: what the sender asks of any of them, and what it may hear.
//!
//! The list of platforms is closed. What a platform makes of a card, where a reply stands and how a lost post is found
//! again is its own file's affair; order, pace, waits and what is written down are the sender's.

mod discord;
mod slack;

use std::time::Duration;

use serde_json::Value;

pub use self::discord::Guild;
use crate::app::sending::Sending;
use crate::chat::slack::render::Rendered;
use crate::clients::slack::Slack;
use crate::domain::canonical::Digest;
use crate::domain::card::Card;

/// A way to one installation.
#[derive(Debug, Clone)]
pub enum Way {
    /// A Slack workspace or organisation.
    Slack(Slack),
    /// A guild on Discord.
    Discord(Guild),
}

impl From<Slack> for Way {
    fn from(slack: Slack) -> Self {
        Self::Slack(slack)
    }
}

impl From<Guild> for Way {
    fn from(guild: Guild) -> Self {
        Self::Discord(guild)
    }
}

/// One message of a card, as the platform is to have it.
#[derive(Debug)]
pub(super) struct Drawn {
    body: Body,
    /// Names what is seen.
    pub(super) digest: Digest,
    /// In how many messages the card was drawn.
    pub(super) parts: usize,
}

#[derive(Debug)]
enum Body {
    Slack(Box<Rendered>),
    Discord(Value),
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The channel of its thread.
    pub(super) channel: String,
    /// Its id.
    pub(super) id: String,
}

/// Why a platform didn't do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Asked too often.
    #[error("asked too often")]
    Limited {
        /// How long to wait, where it was told.
        after: Option<Duration>,
    },
    /// Nothing was done.
    #[error("not reached: {cause}")]
    Unreachable {
        /// What is known.
        cause: String,
    },
    /// Nobody knows whether it was done.
    #[error("the answer was lost: {cause}")]
    Lost {
        /// What is known.
        cause: String,
    },
    /// The token is no good any more.
    #[error("the token is refused: {code}")]
    Revoked {
        /// The platform's word.
        code: String,
    },
    /// We aren't in the installation any more.
    #[error("not let in: {code}")]
    Out {
        /// The platform's word.
        code: String,
    },
    /// Somebody has to grant something first.
    #[error("not granted: {needed}")]
    Ungranted {
        /// What.
        needed: String,
    },
    /// Nobody can post there any more, or to this person.
    #[error("the place is gone: {code}")]
    PlaceGone {
        /// The platform's word.
        code: String,
    },
    /// We may not post there.
    #[error("the bot may not post there: {code}")]
    NotIn {
        /// The platform's word.
        code: String,
    },
    /// The message, or the one that it answers, isn't there any more.
    #[error("the message is gone: {code}")]
    MessageGone {
        /// The platform's word.
        code: String,
    },
    /// A reply isn't there any more, and the message that it answers is.
    #[error("the reply is gone: {code}")]
    ReplyGone {
        /// The platform's word.
        code: String,
    },
    /// It will never be taken as it is.
    #[error("refused: {code}")]
    Refused {
        /// The platform's word.
        code: String,
    },
}

impl Way {
    /// The platform's name, for the log.
    pub(super) const fn platform(&self) -> &'static str {
        match self {
            Self::Slack(_) => "Slack",
            Self::Discord(_) => "Discord",
        }
    }

    /// The name under which the platform's refusals of posts, or of edits, are shared.
    pub(super) const fn bucket(&self, edit: bool) -> &'static str {
        match (self, edit) {
            (Self::Slack(_), true) => "chat.update",
            (Self::Slack(_), false) => "chat.postMessage",
            (Self::Discord(_), true) => "discord.edit",
            (Self::Discord(_), false) => "discord.post",
        }
    }

    /// Whether the token is taken, and we are in the installation.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Slack(slack) => Ok(slack.auth_test().await.map(drop)?),
            Self::Discord(guild) => guild.check().await,
        }
    }

    /// What a lost place means: whoever was taken out of a guild is refused in each of its channels, and by its members.
    pub(super) async fn judge(&self, failure: Failure) -> Failure {
        let is_out = matches!(failure, Failure::Out { .. });
        let place = matches!(failure, Failure::PlaceGone { .. } | Failure::NotIn { .. });
        if !(place || is_out) || !matches!(self, Self::Discord(_)) {
            return failure;
        }
        let unknown = match self.check().await {
            Err(judged @ (Failure::Out { .. } | Failure::Revoked { .. })) => return judged,
            Ok(()) if place => return failure,
            Ok(()) => "we are in it".to_owned(),
            Err(unknown) => unknown.to_string(),
        };
        // Nobody can tell now. Where a request moved away it stays, so this just comes again.
        Failure::Unreachable {
            cause: format!("{failure}, and what that means isn't known: {unknown}"),
        }
    }

    /// Opens the direct messages with an account.
    pub(super) async fn open_direct(&self, account: &str) -> Result<String, Failure> {
        match self {
            Self::Slack(slack) => Ok(slack.open_direct(account).await?),
            Self::Discord(guild) => Ok(guild.client.open_direct(account).await?),
        }
    }

    /// The address of a message.
    pub(super) async fn permalink(&self, channel: &str, id: &str) -> Result<String, Failure> {
        match self {
            Self::Slack(slack) => Ok(slack.permalink(channel, id).await?),
            Self::Discord(guild) => Ok(guild.permalink(channel, id)),
        }
    }

    /// Draws the part of a card that a message is.
    pub(super) fn draw(&self, sending: &Sending, card: &Card) -> Result<Drawn, serde_json::Error> {
        match self {
            Self::Slack(_) => slack::draw(sending, card),
            Self::Discord(_) => discord::draw(sending, card),
        }
    }

    /// Looks for a post whose answer was lost. Where we may not look, it counts as not there: a twin is better than a gap.
    pub(super) async fn find(
        &self,
        sending: &Sending,
        drawn: &Drawn,
    ) -> Result<Option<Spot>, Failure> {
        match (self, &drawn.body) {
            (Self::Slack(slack), Body::Slack(rendered)) => {
                slack::find(slack, sending, rendered).await
            }
            // The same mark again gives the post that stands.
            _ => Ok(None),
        }
    }

    /// Posts a message.
    pub(super) async fn post(&self, sending: &Sending, drawn: &Drawn) -> Result<Spot, Failure> {
        match (self, &drawn.body) {
            (Self::Slack(slack), Body::Slack(rendered)) => {
                slack::post(slack, sending, rendered).await
            }
            (Self::Discord(guild), Body::Discord(body)) => guild.post(sending, body).await,
            _ => Err(strange()),
        }
    }

    /// Changes a message that stands.
    pub(super) async fn edit(
        &self,
        sending: &Sending,
        id: &str,
        drawn: &Drawn,
    ) -> Result<Spot, Failure> {
        match (self, &drawn.body) {
            (Self::Slack(slack), Body::Slack(rendered)) => {
                slack::edit(slack, sending, id, rendered).await
            }
            (Self::Discord(guild), Body::Discord(body)) => guild.edit(sending, id, body).await,
            _ => Err(strange()),
        }
    }

    /// Deletes a post of which there is another one.
    pub(super) async fn take_back(&self, sending: &Sending, spot: &Spot) -> Result<(), Failure> {
        match self {
            Self::Slack(slack) => Ok(slack.delete(&spot.channel, &spot.id).await?),
            Self::Discord(guild) => guild.take_back(sending, &spot.id).await,
        }
    }

    /// Deletes the message of a channel.
    pub(super) async fn delete(&self, channel: &str, id: &str) -> Result<(), Failure> {
        match self {
            Self::Slack(slack) => Ok(slack.delete(channel, id).await?),
            Self::Discord(guild) => Ok(guild.client.delete(channel, id).await?),
        }
    }
}

/// A card that was drawn for another platform: a mistake of ours.
fn strange() -> Failure {
    Failure::Refused {
        code: "drawn for another platform".to_owned(),
    }
}

/// The part of the card that a message is, of all that it was drawn in; `nothing`, where the card has become shorter than
/// this continuation.
fn part_of<T>(
    mut parts: Vec<T>,
    sending: &Sending,
    nothing: impl FnOnce() -> Option<T>,
) -> Option<T> {
    if sending.part < parts.len() {
        return Some(parts.swap_remove(sending.part));
    }
    nothing()
}
