//! One message: looked for if its post was lost, else posted or edited; and what follows from the answer.

use chrono::TimeDelta;
use std::time::Duration;

use crate::app::App;
use crate::app::people;
use crate::app::sending::{self, Due, Lease, PlaceLost, Sending, Stands, Unsent};
use crate::chat::slack::render::{self, Rendered};
use crate::clients::slack::{Message, Post, Slack, SlackError};
use crate::domain::canonical::Digest;
use crate::domain::card::{Block, Card};

/// Waits after failures in a row.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);

/// What a platform waits for that refused our rate without saying how long.
const UNTOLD: Duration = Duration::from_secs(10);

/// What a missing scope waits for: somebody has to grant it.
const UNGRANTED: TimeDelta = TimeDelta::minutes(5);

/// How long before a lost post its search begins, since the clocks of two sides differ.
const LOOK_BACK: TimeDelta = TimeDelta::minutes(1);

/// How much of a card is drawn: less, where the platform refused more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// The state and the buttons.
    Short,
    /// The one line that says all.
    Line,
}

/// Sends one message that is due. What goes wrong is written down, told to the log, and mended later.
pub(super) async fn send(app: &App, slack: &Slack, lease: &Lease, due: &Due) {
    if let Err(error) = try_send(app, slack, lease, due).await {
        tracing::warn!(message = %due.id, error = format!("{error:#}"), "A message couldn't be sent; it comes again");
    }
}

async fn try_send(app: &App, slack: &Slack, lease: &Lease, due: &Due) -> anyhow::Result<()> {
    let Some(mut sending) = sending::take(app, lease, due.id).await? else {
        return Ok(());
    };
    match place(app, slack, &mut sending).await {
        Ok(()) => {}
        Err(Broke::Slack(error)) => {
            return failed(app, lease, &sending, "conversations.open", error).await;
        }
        Err(Broke::Ours(error)) => return Err(error),
    }
    if let Some((channel, root)) = sending.points_at.clone() {
        match slack.permalink(&channel, &root).await {
            Ok(url) => sending::linked(app, &mut sending, &url).await?,
            Err(error @ SlackError::Limited { .. }) => {
                return failed(app, lease, &sending, PERMALINK, error).await;
            }
            Err(SlackError::Unreachable { .. } | SlackError::Lost { .. }) => {
                let wait = wait(sending.failures);
                return Ok(sending::hold(app, &sending, wait, Unsent::Nothing).await?);
            }
            // It stands there all the same.
            Err(error) => {
                tracing::info!(message = %sending.id, %error, "A message goes without its link");
            }
        }
    }
    let bucket = if sending.external.is_some() {
        UPDATE
    } else {
        POST
    };
    let mut extent = Extent::Whole;
    loop {
        match call(app, slack, &sending, extent).await {
            Ok(()) => return Ok(()),
            Err(Broke::Ours(error)) => return Err(error),
            Err(Broke::Slack(SlackError::Refused { code })) => {
                let Some(next) = shorter(extent) else {
                    tracing::error!(message = %sending.id, code, "A card is refused in any form");
                    return Ok(sending::give_up(app, &sending, &code).await?);
                };
                tracing::warn!(message = %sending.id, code, "A card was refused; less of it is sent");
                extent = next;
            }
            Err(Broke::Slack(error)) => return failed(app, lease, &sending, bucket, error).await,
        }
    }
}

/// The names under which the platform's refusals are shared.
pub(super) const POST: &str = "chat.postMessage";
/// As [`POST`].
pub(super) const UPDATE: &str = "chat.update";
const PERMALINK: &str = "chat.getPermalink";

enum Broke {
    Slack(SlackError),
    Ours(anyhow::Error),
}

impl From<SlackError> for Broke {
    fn from(error: SlackError) -> Self {
        Self::Slack(error)
    }
}

fn ours(error: impl Into<anyhow::Error>) -> Broke {
    Broke::Ours(error.into())
}

/// Opens the direct messages that a message goes to, where they are not known yet.
async fn place(app: &App, slack: &Slack, sending: &mut Sending) -> Result<(), Broke> {
    if sending.channel.is_some() {
        return Ok(());
    }
    let account = sending.account.clone().unwrap_or_default();
    let channel = slack.open_direct(&account).await?;
    sending::opened(app, sending, &channel)
        .await
        .map_err(ours)?;
    sending.channel = Some(channel);
    Ok(())
}

async fn call(app: &App, slack: &Slack, sending: &Sending, extent: Extent) -> Result<(), Broke> {
    let channel = sending.channel.clone().unwrap_or_default();
    let (rendered, parts) = draw(sending, extent);
    let digest = digest(&rendered).map_err(ours)?;
    let post = Post {
        channel: &channel,
        thread: sending.root.as_deref(),
        text: &rendered.text,
        blocks: &rendered.blocks,
        metadata: rendered.metadata.as_ref(),
    };
    let stands = match &sending.external {
        Some(external) if sending.seen == Some(digest) => Message {
            channel: channel.clone(),
            ts: external.clone(),
        },
        Some(external) => slack.update(external, &post).await?,
        None => {
            if let Some(lost) = look(slack, sending, &post).await? {
                let found = sending::found(app, sending, &lost.channel, &lost.ts).await;
                return found.map_err(ours);
            }
            slack.post(&post).await?
        }
    };
    let ours_alone = sending::shown(
        app,
        sending,
        Stands {
            channel: &stands.channel,
            external: &stands.ts,
            digest,
            parts,
        },
    )
    .await
    .map_err(ours)?;
    if !ours_alone {
        slack.delete(&stands.channel, &stands.ts).await?;
    }
    Ok(())
}

/// Looks for a post whose answer was lost. Where we may not look, it counts as not there: a twin is better than a gap.
async fn look(
    slack: &Slack,
    sending: &Sending,
    post: &Post<'_>,
) -> Result<Option<Message>, SlackError> {
    let Some(since) = sending.lost_since else {
        return Ok(None);
    };
    let oldest = format!("{}.000000", (since - LOOK_BACK).timestamp());
    match slack.find(post, &oldest).await {
        Ok(found) => Ok(found),
        Err(SlackError::MissingScope { .. } | SlackError::NotInChannel { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The part of the card that this message is, and in how many parts the card was drawn.
fn draw(sending: &Sending, extent: Extent) -> (Rendered, usize) {
    let less;
    let card = match extent {
        Extent::Whole => &sending.card,
        Extent::Short => {
            less = short(&sending.card);
            &less
        }
        Extent::Line => {
            less = Card::lines([sending.card.fallback.as_str()]);
            &less
        }
    };
    let mut parts = render::message(card, Some(&sending.nonce));
    let count = parts.len();
    if sending.part < count {
        return (parts.swap_remove(sending.part), count);
    }
    // The card has become shorter than this continuation.
    let nothing = Card::lines(["–"]);
    let mut parts = render::message(&nothing, Some(&sending.nonce));
    (parts.swap_remove(0), count)
}

/// The first lines and all buttons of a card.
fn short(card: &Card) -> Card {
    let first = card
        .blocks
        .iter()
        .find(|b| matches!(b, Block::Lines { .. }));
    let buttons = card
        .blocks
        .iter()
        .filter(|b| matches!(b, Block::Buttons { .. }));
    Card {
        fallback: card.fallback.clone(),
        blocks: first.into_iter().chain(buttons).cloned().collect(),
    }
}

const fn shorter(extent: Extent) -> Option<Extent> {
    match extent {
        Extent::Whole => Some(Extent::Short),
        Extent::Short => Some(Extent::Line),
        Extent::Line => None,
    }
}

/// Names what is seen: text and blocks, not the metadata.
fn digest(rendered: &Rendered) -> Result<Digest, serde_json::Error> {
    serde_json::to_vec(&(&rendered.text, &rendered.blocks)).map(|bytes| Digest::of(&bytes))
}

/// Acts on what the platform said.
async fn failed(
    app: &App,
    lease: &Lease,
    sending: &Sending,
    bucket: &str,
    error: SlackError,
) -> anyhow::Result<()> {
    let wait = wait(sending.failures);
    tracing::info!(message = %sending.id, bucket, %error, "A message was not sent");
    match error {
        SlackError::Limited { after } => {
            let after = TimeDelta::from_std(after.unwrap_or(UNTOLD))?;
            sending::limited(app, lease, sending, bucket, after).await?;
        }
        SlackError::Unreachable { .. } => {
            sending::hold(app, sending, wait, Unsent::Nothing).await?;
        }
        SlackError::Lost { .. } => sending::hold(app, sending, wait, Unsent::Unknown).await?,
        SlackError::Revoked { code } => {
            tracing::error!(code, "Slack refuses our token: sending pauses");
            sending::hold(app, sending, TimeDelta::zero(), Unsent::Nothing).await?;
            people::record_token(app, lease.installation, false).await?;
        }
        SlackError::MissingScope { needed } => {
            tracing::error!(needed, "A scope is missing: messages wait for it");
            sending::hold(app, sending, UNGRANTED, Unsent::Nothing).await?;
        }
        SlackError::ChannelGone { .. } | SlackError::UserGone { .. } => {
            sending::place_lost(app, sending.thread, PlaceLost::Gone).await?;
        }
        SlackError::NotInChannel { .. } => {
            sending::place_lost(app, sending.thread, PlaceLost::NotIn).await?;
        }
        SlackError::MessageGone { .. } => sending::vanished(app, sending).await?,
        SlackError::TriggerGone { code }
        | SlackError::ViewGone { code }
        | SlackError::Refused { code } => {
            tracing::error!(message = %sending.id, code, "A message is refused for good");
            sending::give_up(app, sending, &code).await?;
        }
    }
    Ok(())
}

/// 1 s, 2 s, 4 s, … a minute.
fn wait(failures: i32) -> TimeDelta {
    let doublings = failures.clamp(0, 6);
    (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT)
}
