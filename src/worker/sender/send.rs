//! One message: looked for if its post was lost, else posted or edited; and what follows from the answer.

use chrono::TimeDelta;
use std::time::Duration;

use crate::app::App;
use crate::app::people;
use crate::app::sending::{self, Due, Lease, PlaceLost, Sending, Stands, Unsent};
use crate::domain::card::{Block, Card};
use crate::worker::way::{Drawn, Failure, Spot, Way};

/// Waits after failures in a row.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);

/// What a platform waits for that refused our rate without saying how long.
const UNTOLD: Duration = Duration::from_secs(10);

/// What a missing scope waits for: somebody has to grant it.
const UNGRANTED: TimeDelta = TimeDelta::minutes(5);

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
pub(super) async fn send(app: &App, way: &Way, lease: &Lease, due: &Due) {
    if let Err(error) = try_send(app, way, lease, due).await {
        tracing::warn!(message = %due.id, error = format!("{error:#}"), "A message couldn't be sent; it comes again");
    }
}

async fn try_send(app: &App, way: &Way, lease: &Lease, due: &Due) -> anyhow::Result<()> {
    let Some(mut sending) = sending::take(app, lease, due.id).await? else {
        return Ok(());
    };
    match place(app, way, &mut sending).await {
        Ok(()) => {}
        Err(Broke::Platform(error)) => {
            return failed(app, (way, lease), &sending, OPEN, error).await;
        }
        Err(Broke::Ours(error)) => return Err(error),
    }
    if let Some((channel, root)) = sending.points_at.clone() {
        match way.permalink(&channel, &root).await {
            Ok(url) => sending::linked(app, &mut sending, &url).await?,
            Err(error @ Failure::Limited { .. }) => {
                return failed(app, (way, lease), &sending, PERMALINK, error).await;
            }
            Err(Failure::Unreachable { .. } | Failure::Lost { .. }) => {
                let wait = wait(sending.failures);
                return Ok(sending::hold(app, &sending, wait, Unsent::Nothing).await?);
            }
            // It stands there all the same.
            Err(error) => {
                tracing::info!(message = %sending.id, %error, "A message goes without its link");
            }
        }
    }
    let bucket = way.bucket(sending.external.is_some());
    let mut extent = Extent::Whole;
    loop {
        match call(app, way, &sending, extent).await {
            Ok(()) => return Ok(()),
            Err(Broke::Ours(error)) => return Err(error),
            Err(Broke::Platform(Failure::Refused { code })) => {
                let Some(next) = shorter(extent) else {
                    tracing::error!(message = %sending.id, code, "A card is refused in any form");
                    return Ok(sending::give_up(app, &sending, &code).await?);
                };
                tracing::warn!(message = %sending.id, code, "A card was refused; less of it is sent");
                extent = next;
            }
            Err(Broke::Platform(error)) => {
                return failed(app, (way, lease), &sending, bucket, error).await;
            }
        }
    }
}

/// The names under which refusals of other calls are shared.
const PERMALINK: &str = "permalink";
const OPEN: &str = "open";

enum Broke {
    Platform(Failure),
    Ours(anyhow::Error),
}

impl From<Failure> for Broke {
    fn from(failure: Failure) -> Self {
        Self::Platform(failure)
    }
}

fn ours(error: impl Into<anyhow::Error>) -> Broke {
    Broke::Ours(error.into())
}

/// Opens the direct messages that a message goes to, where they are not known yet.
async fn place(app: &App, way: &Way, sending: &mut Sending) -> Result<(), Broke> {
    if sending.channel.is_some() {
        return Ok(());
    }
    let account = sending.account.clone().unwrap_or_default();
    let channel = way.open_direct(&account).await?;
    sending::opened(app, sending, &channel)
        .await
        .map_err(ours)?;
    sending.channel = Some(channel);
    Ok(())
}

async fn call(app: &App, way: &Way, sending: &Sending, extent: Extent) -> Result<(), Broke> {
    let drawn = draw(way, sending, extent).map_err(ours)?;
    let stands = match &sending.external {
        Some(external) if sending.seen == Some(drawn.digest) => Spot {
            channel: sending.channel.clone().unwrap_or_default(),
            id: external.clone(),
        },
        Some(external) => way.edit(sending, external, &drawn).await?,
        None => {
            if let Some(lost) = way.find(sending, &drawn).await? {
                let found = sending::found(app, sending, &lost.channel, &lost.id).await;
                return found.map_err(ours);
            }
            way.post(sending, &drawn).await?
        }
    };
    let ours_alone = sending::shown(
        app,
        sending,
        Stands {
            channel: &stands.channel,
            external: &stands.id,
            digest: drawn.digest,
            parts: drawn.parts,
        },
    )
    .await
    .map_err(ours)?;
    if !ours_alone {
        way.take_back(sending, &stands).await?;
    }
    Ok(())
}

/// The part of the card that this message is, in as much of it as the platform may take.
fn draw(way: &Way, sending: &Sending, extent: Extent) -> Result<Drawn, serde_json::Error> {
    match extent {
        Extent::Whole => way.draw(sending, &sending.card),
        Extent::Short => way.draw(sending, &short(&sending.card)),
        Extent::Line => way.draw(sending, &Card::lines([sending.card.fallback.as_str()])),
    }
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

/// Acts on what the platform said.
async fn failed(
    app: &App,
    (way, lease): (&Way, &Lease),
    sending: &Sending,
    bucket: &str,
    error: Failure,
) -> anyhow::Result<()> {
    let wait = wait(sending.failures);
    let error = way.judge(error).await;
    tracing::info!(message = %sending.id, bucket, %error, "A message was not sent");
    match error {
        Failure::Limited { after } => {
            let after = TimeDelta::from_std(after.unwrap_or(UNTOLD))?;
            sending::limited(app, lease, sending, bucket, after).await?;
        }
        Failure::Unreachable { .. } => {
            sending::hold(app, sending, wait, Unsent::Nothing).await?;
        }
        Failure::Lost { .. } => sending::hold(app, sending, wait, Unsent::Unknown).await?,
        Failure::Revoked { code } => {
            tracing::error!(code, "{} refuses our token: sending pauses", way.platform());
            sending::hold(app, sending, TimeDelta::zero(), Unsent::Nothing).await?;
            people::record_token(app, lease.installation, false).await?;
        }
        Failure::Out { code } => {
            tracing::error!(code, "Sending pauses until the bot is added again");
            sending::hold(app, sending, TimeDelta::zero(), Unsent::Nothing).await?;
            people::record_token(app, lease.installation, false).await?;
        }
        Failure::Ungranted { needed } => {
            tracing::error!(
                needed,
                "{} wants a scope: messages wait for it",
                way.platform()
            );
            sending::hold(app, sending, UNGRANTED, Unsent::Nothing).await?;
        }
        Failure::PlaceGone { .. } => {
            sending::place_lost(app, sending.thread, PlaceLost::Gone).await?;
        }
        Failure::NotIn { .. } => {
            sending::place_lost(app, sending.thread, PlaceLost::NotIn).await?;
        }
        Failure::MessageGone { .. } => sending::vanished(app, sending).await?,
        Failure::ReplyGone { .. } => sending::reply_vanished(app, sending).await?,
        Failure::Refused { code } => {
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
