//! Text objects within Slack's limit: words are packed together while they fit and cut where they don't.

use serde_json::{Value, json};

use super::super::limits::{self, length};
use super::mrkdwn::{JOINER, escape, link, render};
use crate::domain::card::{Span, Text};

/// Source characters in one piece of a line that is too long: each becomes at most seven (`&amp;` and two joiners).
const PIECE: usize = 400;

/// A plain text object: shown as it stands. Slack refuses empty ones.
pub(super) fn plain(text: &str, max: usize) -> Value {
    let text = if text.trim().is_empty() { "–" } else { text };
    json!({ "type": "plain_text", "text": limits::shorten(text, max), "emoji": false })
}

/// A `mrkdwn` object of text that is rendered already.
pub(super) fn mrkdwn(rendered: &str) -> Value {
    json!({ "type": "mrkdwn", "text": rendered, "verbatim": true })
}

/// Text objects for lines, each within Slack's limit: one, where they fit.
pub(super) fn objects(lines: &[Text]) -> Vec<Value> {
    if let Some(words) = only_words(lines) {
        let short = |words: &String| {
            if length(words) <= limits::TEXT {
                vec![words.clone()]
            } else {
                pack(cut_plain(words).iter(), "")
            }
        };
        return pack(words.iter().flat_map(short), "\n")
            .iter()
            .map(|text| plain(text, limits::TEXT))
            .collect();
    }
    let short = |line: &Text| {
        let rendered = render(line);
        if length(&rendered) <= limits::TEXT {
            vec![rendered]
        } else {
            pack(pieces(line).iter().map(render), "")
        }
    };
    pack(lines.iter().flat_map(short), "\n")
        .iter()
        .map(|text| mrkdwn(text))
        .collect()
}

/// Preformatted text, in as many objects as it takes.
pub(super) fn preformatted(text: &str) -> Vec<Value> {
    // Room for the fences.
    let room = limits::TEXT - 8;
    let mut chunks: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = escape(line).replace("```", &format!("`{JOINER}`{JOINER}`"));
        for part in cut_escaped(&line, room) {
            match chunks.last_mut() {
                Some(chunk) if length(chunk) + 1 + length(&part) <= room => {
                    chunk.push('\n');
                    chunk.push_str(&part);
                }
                _ => chunks.push(part),
            }
        }
    }
    chunks
        .iter()
        .filter(|chunk| !chunk.trim().is_empty())
        .map(|chunk| mrkdwn(&format!("```\n{chunk}\n```")))
        .collect()
}

/// The lines' words, where they are nothing but words: then no markup is needed at all.
fn only_words(lines: &[Text]) -> Option<Vec<String>> {
    lines
        .iter()
        .map(|line| {
            line.0
                .iter()
                .map(|span| match span {
                    Span::Plain { text } => Some(text.as_str()),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

/// Joins parts as long as they fit into one text object.
fn pack<S: AsRef<str>>(parts: impl Iterator<Item = S>, between: &str) -> Vec<String> {
    let mut packed: Vec<String> = Vec::new();
    for part in parts {
        let part = part.as_ref();
        match packed.last_mut() {
            Some(last) if length(last) + length(between) + length(part) <= limits::TEXT => {
                last.push_str(between);
                last.push_str(part);
            }
            _ => packed.push(part.to_owned()),
        }
    }
    packed.retain(|text| !text.trim().is_empty());
    packed
}

fn cut_plain(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    // Two UTF-16 units a character at most.
    chars
        .chunks(limits::TEXT / 2)
        .map(|chunk| chunk.iter().collect())
        .collect()
}

/// Cuts escaped text, never inside an entity.
fn cut_escaped(text: &str, max: usize) -> Vec<String> {
    let mut cut = vec![String::new()];
    let mut used = 0;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let entity = ["&amp;", "&lt;", "&gt;"]
            .into_iter()
            .find(|entity| rest.starts_with(entity));
        let (atom, tail) = rest.split_at(entity.map_or(first.len_utf8(), str::len));
        if used + length(atom) > max {
            cut.push(String::new());
            used = 0;
        }
        used += length(atom);
        if let Some(last) = cut.last_mut() {
            last.push_str(atom);
        }
        rest = tail;
    }
    cut
}

/// A long line in pieces that are short when rendered.
fn pieces(line: &Text) -> Vec<Text> {
    line.0
        .iter()
        .flat_map(|span| match span {
            Span::Plain { text } => cut(text, |text| Span::Plain { text }),
            Span::Bold { text } => cut(text, |text| Span::Bold { text }),
            Span::Code { text } => cut(text, |text| Span::Code { text }),
            Span::Link { url, label } if length(&link(url, label)) > limits::TEXT => {
                cut(&format!("{label} ({url})"), |text| Span::Plain { text })
            }
            Span::Mention { .. } if length(&render(&Text(vec![span.clone()]))) > limits::TEXT => {
                cut(&Text(vec![span.clone()]).to_string(), |text| Span::Plain {
                    text,
                })
            }
            Span::Link { .. } | Span::Time { .. } | Span::Mention { .. } => vec![span.clone()],
        })
        .map(|span| Text(vec![span]))
        .collect()
}

fn cut(text: &str, span: impl Fn(String) -> Span) -> Vec<Span> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(PIECE)
        .map(|chunk| span(chunk.iter().collect()))
        .collect()
}
