//! Spans into Discord's Markdown, so that no word of a person can mention, link or format anything.
//!
//! Discord takes a backslash before any punctuation. Bare addresses it links by itself and has no escape for: an invisible
//! word joiner inside keeps them words. Whom a message calls is said a second time outside of its text
//! (`allowed_mentions`), so even a mention that slipped through would reach nobody.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::super::limits::{self, length};
use crate::domain::card::{Mention, Span, Text, TimeStyle};

/// U+2060: no width, no break, neither space nor punctuation.
const JOINER: char = '\u{2060}';

/// One line.
pub(super) fn render(line: &Text) -> String {
    let mut out = String::new();
    for span in &line.0 {
        match span {
            Span::Plain { text } => push_plain(&mut out, text),
            Span::Bold { text } => push_bold(&mut out, text),
            Span::Code { text } => push_code(&mut out, text),
            Span::Link { url, label } => push_link(&mut out, url, label),
            Span::Time { at, style } => out.push_str(&time(*at, *style)),
            Span::Mention { whom } => push_mention(&mut out, whom),
        }
    }
    out
}

/// Words as they stand.
pub(super) fn push_plain(out: &mut String, text: &str) {
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // What makes a heading, a list or a quotation does so only at the start of a line.
        let first = out.is_empty() || out.ends_with('\n');
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '>' | '#' => {
                out.extend(['\\', c]);
            }
            '-' | '+' if first => out.extend(['\\', c]),
            '.' if out.chars().all(|c| c.is_ascii_digit()) && !out.is_empty() => {
                out.extend(['\\', c]);
            }
            '@' => out.extend([c, JOINER]),
            ':' if rest.peek() == Some(&'/') => out.extend([c, JOINER]),
            _ => out.push(c),
        }
    }
}

fn push_bold(out: &mut String, text: &str) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return push_plain(out, text);
    }
    out.push_str("**");
    // Not at the start of a line any more.
    push_plain(out, &words);
    out.push_str("**");
}

/// Nothing is markup within code but the backtick itself: its look-alike is copied just as well.
fn push_code(out: &mut String, text: &str) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !words.is_empty() {
        out.push('`');
        out.push_str(&words.replace('`', "ˋ"));
        out.push('`');
    }
}

/// A link, where it is one that a browser opens; else its words.
fn push_link(out: &mut String, url: &str, label: &str) {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(url) = address(url) else {
        return push_plain(out, &format!("{label} ({url})"));
    };
    if label.is_empty() {
        let _ = write!(out, "<{url}>");
        return;
    }
    out.push('[');
    push_plain(out, &label);
    let _ = write!(out, "](<{url}>)");
}

/// An address as it may stand in `<…>`: web addresses only, without what would end it early.
pub(super) fn address(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    let text = parsed.as_str();
    let web = matches!(parsed.scheme(), "http" | "https");
    (web && !text.contains(['<', '>', ' ']) && length(text) <= limits::BUTTON_URL)
        .then(|| text.to_owned())
}

/// A moment in the reader's own time zone (docs.discord.com/developers/reference, "Message Formatting").
fn time(at: DateTime<Utc>, style: TimeStyle) -> String {
    let style = match style {
        TimeStyle::Clock => 't',
        TimeStyle::DayAndClock => 'f',
    };
    format!("<t:{}:{style}>", at.timestamp())
}

/// Calls somebody; who has no id on this platform is only named.
fn push_mention(out: &mut String, whom: &Mention) {
    let _ = match whom {
        Mention::Account { external, .. } if is_id(external) => write!(out, "<@{external}>"),
        Mention::Group { external, .. } if is_id(external) => write!(out, "<@&{external}>"),
        Mention::Account { name: words, .. } | Mention::Group { handle: words, .. } => {
            push_plain(out, &format!("@{words}"));
            Ok(())
        }
    };
}

/// A snowflake: docs.discord.com/developers/reference, "Snowflakes".
pub(super) fn is_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}
