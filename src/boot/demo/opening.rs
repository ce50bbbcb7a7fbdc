//! The first request in the demo's channel, so that whoever opens the page sees at once what comes of one.
//!
//! Two people of the workspace make it, as people would: one types the command and sends its form, another one presses
//! the button. The bot and its engine do the rest and know nothing of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::boot::problem::Problem;
use crate::sandbox::acts::{ActError, Press, Surface};
use crate::sandbox::world::{Element, MessageRef, World, elements};

/// Who asks; not the one whose page people open, so that their own first request is their first.
const ASKS: &str = "tom";
/// Who leads the team of the one who asks.
const APPROVES: &str = "dana";
/// Where requests stand.
const CHANNEL: &str = "#platform";
/// What is typed: all other fields have defaults.
const TYPED: &str = "/idp new-service orders-api";

/// How long all of it may take. A bot that just started has the workspace's people to read first.
const WITHIN: Duration = Duration::from_secs(30);
/// How often people look whether there is something to do.
const LOOK: Duration = Duration::from_millis(100);
/// When the command is typed again that was answered by words and no form.
const AGAIN: Duration = Duration::from_secs(1);

/// Makes the request, unless something stands in the channel already: at the first start and after a reset.
pub(super) async fn make(world: &Arc<World>) -> Result<(), Problem> {
    if any_card(world)? {
        return Ok(());
    }
    let until = Instant::now() + WITHIN;
    ask(world, until).await?;
    let (at, button) = loop {
        if let Some(found) = waiting(world)? {
            break found;
        }
        pause(until).await?;
    };
    let press = press(Surface::Message(at), button);
    world.press(APPROVES, &press).await.map_err(cannot)?;
    Ok(())
}

/// Types the command, and sends each page of the form as it comes up, until a card stands in the channel.
async fn ask(world: &Arc<World>, until: Instant) -> Result<(), Problem> {
    let mut typed_at: Option<Instant> = None;
    while !any_card(world)? {
        match world.open_view(ASKS) {
            Some(view) if view.label("submit").is_some() => {
                world.submit(ASKS, &view.id, &[]).await.map_err(cannot)?;
            }
            // It says what came of it.
            Some(view) => {
                world.close(ASKS, &view.id).await.map_err(cannot)?;
            }
            None if typed_at.is_none_or(|at| at.elapsed() > AGAIN) => {
                typed_at = Some(Instant::now());
                let said = world.say(ASKS, CHANNEL, None, TYPED).await;
                said.map_err(cannot)?;
            }
            None => {}
        }
        pause(until).await?;
    }
    Ok(())
}

fn any_card(world: &World) -> Result<bool, Problem> {
    let posts = world.timeline(APPROVES, CHANNEL).map_err(cannot)?;
    Ok(posts.iter().any(|post| post.by_bot))
}

/// The card that waits, with its button.
fn waiting(world: &World) -> Result<Option<(MessageRef, Element)>, Problem> {
    let posts = world.timeline(APPROVES, CHANNEL).map_err(cannot)?;
    Ok(posts.into_iter().find_map(|post| {
        let mut own = elements(&post.message.blocks).into_iter();
        let button = own.find(|element| element.json["text"]["text"] == "Approve")?;
        let at = MessageRef {
            channel: post.message.channel,
            ts: post.message.ts,
        };
        Some((at, button))
    }))
}

fn press(surface: Surface, button: Element) -> Press {
    Press {
        surface,
        block_id: Some(button.block_id),
        action_id: button.action_id,
        value: button.json.get("value").cloned().unwrap_or_default(),
    }
}

async fn pause(until: Instant) -> Result<(), Problem> {
    if Instant::now() > until {
        return Err(Problem::failed("the bot doesn't go on with it"));
    }
    tokio::time::sleep(LOOK).await;
    Ok(())
}

fn cannot(error: ActError) -> Problem {
    Problem::failed("the chat workspace refuses it").because(error)
}
