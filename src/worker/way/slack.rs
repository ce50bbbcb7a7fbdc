//! Messages on Slack: Block Kit with a nonce in the metadata, by which a lost post is found again.

use chrono::TimeDelta;

use super::{Body, Drawn, Failure, Spot, part_of};
use crate::app::sending::Sending;
use crate::chat::slack::render::{self, Rendered};
use crate::clients::slack::{Message, Post, Slack, SlackError};
use crate::domain::canonical::Digest;
use crate::domain::card::Card;

/// How long before a lost post its search begins, since the clocks of two sides differ.
const LOOK_BACK: TimeDelta = TimeDelta::minutes(1);

pub(super) fn draw(sending: &Sending, card: &Card) -> Result<Drawn, serde_json::Error> {
    let nonce = sending.nonce.to_string();
    let all = render::message(card, Some(&nonce));
    let parts = all.len();
    let nothing = || render::message(&Card::lines(["–"]), Some(&nonce)).pop();
    let rendered = part_of(all, sending, nothing).unwrap_or_default();
    // Text and blocks are seen, the metadata isn't.
    let seen = serde_json::to_vec(&(&rendered.text, &rendered.blocks))?;
    Ok(Drawn {
        body: Body::Slack(Box::new(rendered)),
        digest: Digest::of(&seen),
        parts,
    })
}

pub(super) async fn find(
    slack: &Slack,
    sending: &Sending,
    rendered: &Rendered,
) -> Result<Option<Spot>, Failure> {
    let Some(since) = sending.lost_since else {
        return Ok(None);
    };
    let oldest = format!("{}.000000", (since - LOOK_BACK).timestamp());
    match slack.find(&of(sending, rendered), &oldest).await {
        Ok(found) => Ok(found.map(Into::into)),
        Err(SlackError::MissingScope { .. } | SlackError::NotInChannel { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn post(
    slack: &Slack,
    sending: &Sending,
    rendered: &Rendered,
) -> Result<Spot, Failure> {
    Ok(slack.post(&of(sending, rendered)).await?.into())
}

pub(super) async fn edit(
    slack: &Slack,
    sending: &Sending,
    ts: &str,
    rendered: &Rendered,
) -> Result<Spot, Failure> {
    Ok(slack.update(ts, &of(sending, rendered)).await?.into())
}

fn of<'a>(sending: &'a Sending, rendered: &'a Rendered) -> Post<'a> {
    Post {
        channel: sending.channel.as_deref().unwrap_or_default(),
        thread: sending.root.as_deref(),
        text: &rendered.text,
        blocks: &rendered.blocks,
        metadata: rendered.metadata.as_ref(),
    }
}

impl From<Message> for Spot {
    fn from(message: Message) -> Self {
        Self {
            channel: message.channel,
            id: message.ts,
        }
    }
}

impl From<SlackError> for Failure {
    fn from(error: SlackError) -> Self {
        match error {
            SlackError::Limited { after } => Self::Limited { after },
            SlackError::Unreachable { cause } => Self::Unreachable { cause },
            SlackError::Lost { cause } => Self::Lost { cause },
            SlackError::Revoked { code } => Self::Revoked { code },
            SlackError::MissingScope { needed } => Self::Ungranted { needed },
            SlackError::ChannelGone { code } | SlackError::UserGone { code } => {
                Self::PlaceGone { code }
            }
            SlackError::NotInChannel { code } => Self::NotIn { code },
            SlackError::MessageGone { code } => Self::MessageGone { code },
            SlackError::TriggerGone { code }
            | SlackError::ViewGone { code }
            | SlackError::Refused { code } => Self::Refused { code },
        }
    }
}
