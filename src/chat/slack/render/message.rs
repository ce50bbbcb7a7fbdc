//! A card as one message, and as further replies where Slack would refuse it in one: split, never lost.

use serde_json::{Value, json};

use super::super::limits;
use super::blocks::{self, Drawn};
use super::{mrkdwn, text};
use crate::domain::card::Card;

/// What is sent as one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// The whole sense, for notifications and screen readers; escaped.
    pub text: String,
    /// Block Kit blocks; never empty.
    pub blocks: Vec<Value>,
    /// Message metadata with the nonce, by which a post whose answer was lost is found again.
    pub metadata: Option<Value>,
}

/// The event type of our metadata.
const METADATA: &str = "idp_message";
/// Stands at the end of a message whose rest follows.
const CONTINUED: &str = "Continued below.";

/// Draws a card: the message itself first, then the replies that carry what didn't fit. Buttons are always on the
/// first. `nonce` names the post; a continuation's metadata tells its part as well.
pub fn message(card: &Card, nonce: Option<&str>) -> Vec<Rendered> {
    let mut drawn = blocks::draw(&card.blocks);
    if drawn.is_empty() {
        drawn = blocks::draw(&Card::lines([card.fallback.as_str()]).blocks);
    }
    if drawn.is_empty() {
        drawn = blocks::draw(&Card::lines(["–"]).blocks);
    }
    let fallback = limits::shorten(&mrkdwn::escape(&card.fallback), limits::MESSAGE_TEXT);
    split(drawn)
        .into_iter()
        .enumerate()
        .map(|(part, blocks)| Rendered {
            text: fallback.clone(),
            blocks,
            metadata: nonce.map(|nonce| metadata(nonce, part)),
        })
        .collect()
}

/// The metadata that `clients::slack` looks for.
fn metadata(nonce: &str, part: usize) -> Value {
    json!({ "event_type": METADATA, "event_payload": { "nonce": nonce, "part": part.to_string() } })
}

/// Fills messages in order. The first keeps room for all buttons and for the line that says that more follows.
fn split(drawn: Vec<Drawn>) -> Vec<Vec<Value>> {
    let fits = |blocks: usize, chars: usize| {
        blocks <= limits::MESSAGE_BLOCKS && chars <= limits::MESSAGE_CHARS
    };
    if fits(drawn.len(), drawn.iter().map(|block| block.chars).sum()) {
        return vec![drawn.into_iter().map(|block| block.json).collect()];
    }
    let (mut used, mut chars) = drawn
        .iter()
        .filter(|block| block.buttons)
        .fold((1, CONTINUED.len()), |(used, chars), block| {
            (used + 1, chars + block.chars)
        });
    let mut messages: Vec<Vec<Value>> = vec![Vec::new()];
    let mut later = Vec::new();
    for block in drawn {
        if block.buttons {
            messages[0].push(block.json);
        } else if later.is_empty() && fits(used + 1, chars + block.chars) {
            used += 1;
            chars += block.chars;
            messages[0].push(block.json);
        } else {
            later.push(block);
        }
    }
    messages[0]
        .push(json!({ "type": "context", "elements": [text::plain(CONTINUED, limits::TEXT)] }));
    (used, chars) = (usize::MAX, 0);
    for block in later {
        if used == usize::MAX || !fits(used + 1, chars + block.chars) {
            messages.push(Vec::new());
            (used, chars) = (0, 0);
        }
        used += 1;
        chars += block.chars;
        if let Some(message) = messages.last_mut() {
            message.push(block.json);
        }
    }
    messages
}
