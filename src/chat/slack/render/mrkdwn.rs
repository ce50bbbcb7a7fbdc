//! Spans into Slack's `mrkdwn`, so that no word of a person can mention, link or format anything.
//!
//! `& < >` are escaped, which rules out mentions and links; the objects carry `verbatim: true`, so that bare addresses
//! and channel names stay words. Slack has no escape for `* _ ~` and the backtick, but they only count at the edge of
//! a word: an invisible word joiner next to them takes the edge away.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::super::limits::{self, length};
use crate::domain::card::{Mention, Span, Text, TimeStyle};

/// U+2060: no width, no break, neither space nor punctuation.
pub(super) const JOINER: char = '\u{2060}';
/// U+200B: no width, but an edge; lets a marker stand next to a letter.
const EDGE: char = '\u{200b}';

/// `&`, `<` and `>` as Slack wants them.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// One line as `mrkdwn`.
pub(super) fn render(line: &Text) -> String {
    let mut out = String::new();
    for span in &line.0 {
        match span {
            Span::Plain { text } => push_plain(&mut out, text),
            Span::Bold { text } => push_marked(&mut out, text, '*'),
            Span::Code { text } => push_marked(&mut out, text, '`'),
            Span::Link { url, label } => out.push_str(&link(url, label)),
            Span::Time { at, style } => out.push_str(&time(*at, *style)),
            Span::Mention { whom } => push_mention(&mut out, whom),
        }
    }
    out
}

fn push_plain(out: &mut String, text: &str) {
    if out.ends_with(['*', '`']) && text.starts_with(char::is_alphanumeric) {
        out.push(EDGE);
    }
    let chars: Vec<char> = text.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|i| chars[i]).or(out.chars().last());
        let after = chars.get(at + 1).copied();
        let inside_a_word =
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        match c {
            '`' => out.extend([JOINER, c, JOINER]),
            '*' | '_' | '~' if !inside_a_word => out.extend([JOINER, c, JOINER]),
            // A quotation, at the start of a line.
            '>' if before.is_none_or(|b| b == '\n') => {
                out.push(JOINER);
                out.push_str("&gt;");
            }
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
}

/// Bold or code: the markers want no space inside them, an edge outside, and no marker or line break between.
fn push_marked(out: &mut String, text: &str, marker: char) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        out.push_str(&" ".repeat(usize::from(!text.is_empty())));
        return;
    }
    if text.starts_with(char::is_whitespace) {
        out.push(' ');
    }
    if out.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '*' | '`')) {
        out.push(EDGE);
    }
    out.push(marker);
    if marker == '`' {
        // Nothing is markup within code but the backtick itself: its look-alike is copied just as well.
        out.push_str(&escape(&words).replace('`', "ˋ"));
    } else {
        let mut inner = String::from(EDGE);
        push_plain(&mut inner, &words);
        out.push_str(inner.trim_start_matches(EDGE));
    }
    out.push(marker);
    if text.ends_with(char::is_whitespace) {
        out.push(' ');
    }
}

/// A link, where it is one that a browser opens; else its words.
pub(super) fn link(url: &str, label: &str) -> String {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    match address(url) {
        Some(url) if label.is_empty() => format!("<{url}>"),
        Some(url) => {
            let mut words = String::new();
            push_plain(&mut words, &label);
            format!("<{url}|{words}>")
        }
        None => {
            let mut words = String::new();
            push_plain(&mut words, &format!("{label} ({url})"));
            words
        }
    }
}

/// An address as it may stand in `<…|…>`: web addresses only, without what would end it early.
pub(super) fn address(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return None;
    }
    // The parser has percent-encoded `<`, `>` and spaces wherever they may stand; the bar it leaves alone.
    let text = parsed.as_str().replace('|', "%7C");
    (!text.contains(['<', '>']) && length(&text) < limits::TEXT / 2)
        .then(|| text.replace('&', "&amp;"))
}

/// A moment in the reader's own time zone, with UTC for clients that can't (docs.slack.dev, date formatting).
fn time(at: DateTime<Utc>, style: TimeStyle) -> String {
    let (format, fallback) = match style {
        TimeStyle::Clock => ("{time}", at.format("%H:%M UTC")),
        TimeStyle::DayAndClock => ("{date_short_pretty} {time}", at.format("%a %H:%M UTC")),
    };
    format!("<!date^{}^{format}|{fallback}>", at.timestamp())
}

/// Names whom to call; who has no id on this platform is only named. Writing to a `String` can't fail.
fn push_mention(out: &mut String, whom: &Mention) {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match whom {
        Mention::Account { external, .. } if is_id(external) => {
            let _ = write!(out, "<@{external}>");
        }
        Mention::Group { external, .. } if is_id(external) => {
            let _ = write!(out, "<!subteam^{external}>");
        }
        Mention::Account { name, .. } => push_plain(out, &format!("@{name}")),
        Mention::Group { handle, .. } => push_plain(out, &format!("@{handle}")),
    }
}
