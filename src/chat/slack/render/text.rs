//! Spans into Slack's `mrkdwn`, so that no word of a person can mention, link or format anything.
//!
//! `& < >` are escaped, which rules out mentions and links; the objects carry `verbatim: true`, so that bare addresses
//! and channel names stay words. Slack has no escape for `* _ ~` and the backtick, but they only count at the edge of
//! a word: an invisible word joiner next to them takes the edge away.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::limits::{self, length};
use crate::domain::card::{Mention, Span, Text, TimeStyle};

/// U+2060: no width, no break, neither space nor punctuation.
const JOINER: char = '\u{2060}';
/// U+200B: no width, but an edge; lets a marker stand next to a letter.
const EDGE: char = '\u{200b}';
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

/// `&`, `<` and `>` as Slack wants them.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
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

/// One line as `mrkdwn`.
fn render(line: &Text) -> String {
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
fn link(url: &str, label: &str) -> String {
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

fn push_mention(out: &mut String, whom: &Mention) {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match whom {
        Mention::Account { external, .. } if is_id(external) => {
            out.push_str(&format!("<@{external}>"));
        }
        Mention::Group { external, .. } if is_id(external) => {
            out.push_str(&format!("<!subteam^{external}>"));
        }
        Mention::Account { name, .. } => push_plain(out, &format!("@{name}")),
        Mention::Group { handle, .. } => push_plain(out, &format!("@{handle}")),
    }
}
