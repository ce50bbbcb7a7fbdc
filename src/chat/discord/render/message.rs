//! A card as one message, and as further ones where Discord would refuse it in one: split, never lost.

use serde_json::{Value, json};

use super::super::limits::{self, length};
use super::buttons;
use super::markdown::{self, is_id};
use crate::domain::card::{Block, Card, Mention, Span, Text};

/// What is sent as one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// Markdown; never empty.
    pub content: String,
    /// Rows of components.
    pub rows: Vec<Value>,
    /// Accounts that it calls.
    pub users: Vec<String>,
    /// Roles that it calls.
    pub roles: Vec<String>,
}

/// Stands at the end of a message whose rest follows.
const CONTINUED: &str = "-# Continued below.";

/// A message without previews of its links, and one for one person alone (docs.discord.com/developers/resources/message,
/// message flags).
const WITHOUT_PREVIEWS: u64 = 1 << 2;
const PRIVATE: u64 = 1 << 6;

impl Rendered {
    /// The body of a message.
    pub fn json(&self) -> Value {
        json!({
            "content": self.content,
            "components": self.rows,
            "flags": WITHOUT_PREVIEWS,
            "allowed_mentions": { "parse": [], "users": self.users, "roles": self.roles },
        })
    }

    /// The body of a message that only the one who acted sees. It calls nobody.
    pub(super) fn private(&self) -> Value {
        let mut body = self.in_its_place();
        body["flags"] = (WITHOUT_PREVIEWS | PRIVATE).into();
        body
    }

    /// The body of what such a message gives way to: who sees it was settled by what stood there first, and no edit may
    /// say it again (docs.discord.com/developers/resources/webhook, "Edit Webhook Message").
    pub(super) fn in_its_place(&self) -> Value {
        let mut body = self.json();
        body["allowed_mentions"] = json!({ "parse": [] });
        body
    }
}

/// Draws a card: the message itself first, then those that carry what didn't fit. Buttons stand on the first, as far as
/// their rows fit.
pub fn message(card: &Card) -> Vec<Rendered> {
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    for block in &card.blocks {
        match block {
            Block::Buttons { buttons, menu } => rows.extend(buttons::rows(buttons, menu)),
            Block::Heading { text } => lines.extend(drawn("### ", &Text::plain(text.as_str()))),
            Block::Lines { lines: all } => lines.extend(all.iter().flat_map(|l| drawn("", l))),
            Block::Small { lines: all } => lines.extend(all.iter().flat_map(|l| drawn("-# ", l))),
            Block::Code { text } => lines.extend(preformatted(text)),
            Block::Divider => lines.push(String::new()),
        }
    }
    if lines.iter().all(|line| line.trim().is_empty()) {
        lines = drawn("", &Text::plain(card.fallback.as_str()));
    }
    if lines.iter().all(|line| line.trim().is_empty()) {
        lines = vec!["–".to_owned()];
    }
    let mut messages: Vec<Rendered> = packed(&lines)
        .into_iter()
        .map(|content| Rendered {
            content,
            ..Rendered::default()
        })
        .collect();
    for (at, rows) in rows.chunks(limits::ROWS).enumerate() {
        if at >= messages.len() {
            messages.push(Rendered {
                content: "–".to_owned(),
                ..Rendered::default()
            });
        }
        messages[at].rows = rows.to_vec();
    }
    if let Some(first) = messages.first_mut() {
        called(card, first);
    }
    messages
}

/// One line, or several where it is too long for a message.
fn drawn(mark: &str, line: &Text) -> Vec<String> {
    let whole = format!("{mark}{}", markdown::render(line));
    if length(&whole) <= limits::CONTENT / 2 {
        return vec![whole];
    }
    let words: Vec<char> = line.to_string().chars().collect();
    // Each character becomes at most three units: an escape, or a pair and a joiner.
    let pieces = words.chunks(limits::CONTENT / 8);
    let piece = |piece: &[char]| {
        let mut out = String::new();
        markdown::push_plain(&mut out, &piece.iter().collect::<String>());
        format!("{mark}{out}")
    };
    pieces.map(piece).collect()
}

/// Preformatted text, a fence around as much of it as fits a message.
fn preformatted(text: &str) -> Vec<String> {
    let room = limits::CONTENT - 200;
    let mut chunks: Vec<String> = Vec::new();
    for line in text.replace("```", "ˋˋˋ").split('\n') {
        let chars: Vec<char> = line.chars().collect();
        let parts = chars.chunks(room / 2).map(|part| part.iter().collect());
        let parts: Vec<String> = if line.is_empty() {
            vec![String::new()]
        } else {
            parts.collect()
        };
        for part in parts {
            match chunks.last_mut() {
                Some(chunk) if length(chunk) + 1 + length(&part) <= room => {
                    chunk.push('\n');
                    chunk.push_str(&part);
                }
                _ => chunks.push(part),
            }
        }
    }
    let filled = chunks.iter().filter(|chunk| !chunk.trim().is_empty());
    filled.map(|chunk| format!("```\n{chunk}\n```")).collect()
}

/// Lines in messages, in order; but for the last each says that more follows.
fn packed(lines: &[String]) -> Vec<String> {
    let room = limits::CONTENT - length(CONTINUED) - 1;
    let mut messages: Vec<String> = vec![String::new()];
    for line in lines {
        match messages.last_mut() {
            Some(last) if last.is_empty() => last.push_str(line),
            Some(last) if length(last) + 1 + length(line) <= room => {
                last.push('\n');
                last.push_str(line);
            }
            _ => messages.push(line.clone()),
        }
    }
    messages.retain(|message| !message.trim().is_empty());
    let last = messages.len().saturating_sub(1);
    for message in &mut messages[..last] {
        message.push('\n');
        message.push_str(CONTINUED);
    }
    messages
}

/// Whom a card calls: only they are called, whatever stands in the text.
fn called(card: &Card, message: &mut Rendered) {
    let lines = card.blocks.iter().flat_map(|block| match block {
        Block::Lines { lines } | Block::Small { lines } => lines.as_slice(),
        _ => &[],
    });
    for span in lines.flat_map(|line| &line.0) {
        let (list, id) = match span {
            Span::Mention {
                whom: Mention::Account { external, .. },
            } => (&mut message.users, external),
            Span::Mention {
                whom: Mention::Group { external, .. },
            } => (&mut message.roles, external),
            _ => continue,
        };
        if is_id(id) && !list.contains(id) {
            list.push(id.clone());
        }
    }
}
