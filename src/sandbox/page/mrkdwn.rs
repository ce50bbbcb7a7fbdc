//! Slack's mrkdwn as HTML: `*bold*`, `_italic_`, `~struck~`, code, quotes, links, mentions, dates.
//!
//! Read by its public description (<https://docs.slack.dev/messaging/formatting-message-text>); everything else is text.

use maud::{Markup, PreEscaped, Render, html};

use super::scene::Scene;

/// What words can refer to.
pub(super) struct Words<'a> {
    scene: &'a Scene,
}

impl<'a> Words<'a> {
    pub(super) const fn new(scene: &'a Scene) -> Self {
        Self { scene }
    }

    /// Text with markup, lines and preformatted parts.
    pub(super) fn draw(&self, text: &str) -> Markup {
        let parts: Vec<&str> = text.split("```").collect();
        // A fence that is never closed is text.
        let closed = parts.len() % 2 == 1;
        html! {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 && (closed || at + 1 < parts.len()) { (pre(&self.bare(part.trim_matches('\n')))) }
                @else { (self.lines(if at == 0 { part } else { part.trim_start_matches('\n') })) }
            }
        }
    }

    /// Lines, those that begin with `>` as a quotation.
    fn lines(&self, text: &str) -> Markup {
        let mut out = String::new();
        let mut quoted = false;
        for (at, line) in text.split('\n').enumerate() {
            let quote = line.strip_prefix("&gt;");
            if quote.is_some() != quoted {
                out.push_str(if quoted {
                    "</blockquote>"
                } else {
                    "<blockquote>"
                });
                quoted = !quoted;
            } else if at > 0 {
                out.push_str("<br>");
            }
            let line = quote.map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest));
            out.push_str(&self.inline(line).0);
        }
        if quoted {
            out.push_str("</blockquote>");
        }
        PreEscaped(out)
    }

    /// One line.
    fn inline(&self, line: &str) -> Markup {
        let mut out = String::new();
        let mut rest = line;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let taken = match c {
                '<' => rest
                    .find('>')
                    .map(|end| (self.token(&rest[1..end]), end + 1)),
                '`' => span(rest, before, '`').map(|(inner, end)| {
                    let inner = self.bare(inner);
                    (html! { code { (inner) } }, end)
                }),
                '*' | '_' | '~' => span(rest, before, c).map(|(inner, end)| {
                    let inner = self.inline(inner);
                    let drawn = match c {
                        '*' => html! { strong { (inner) } },
                        '_' => html! { em { (inner) } },
                        _ => html! { s { (inner) } },
                    };
                    (drawn, end)
                }),
                _ => None,
            };
            let (drawn, end) = taken.unwrap_or_else(|| {
                let plain = plain_run(rest);
                (decoded(&rest[..plain]).render(), plain)
            });
            out.push_str(&drawn.0);
            before = rest[..end].chars().next_back().unwrap_or(' ');
            rest = &rest[end..];
        }
        PreEscaped(out)
    }

    /// Text without formatting: tokens as what they are called.
    fn bare(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            let Some(end) = rest[at..].find('>') else {
                break;
            };
            out.push_str(&decoded(&rest[..at]));
            out.push_str(&self.called(&rest[at + 1..at + end]));
            rest = &rest[at + end + 1..];
        }
        out.push_str(&decoded(rest));
        out
    }

    /// What stands between `<` and `>`.
    fn token(&self, token: &str) -> Markup {
        let (target, _) = token.split_once('|').unwrap_or((token, ""));
        let called = self.called(token);
        if let Some(date) = target.strip_prefix("!date^") {
            let mut parts = date.split('^');
            let at = parts.next().unwrap_or_default();
            let format = parts.next().unwrap_or_default();
            return html! { time data-at=(at) data-format=(decoded(format)) { (called) } };
        }
        if let Some(user) = target.strip_prefix('@') {
            return html! { span.mention.me[self.scene.calls_me(user)] { "@" (called.trim_start_matches('@')) } };
        }
        if let Some(channel) = target.strip_prefix('#') {
            return html! { a.mention href=(self.scene.place.in_channel(channel).href()) data-nav { (called) } };
        }
        if let Some(group) = target.strip_prefix('!') {
            let id = group.strip_prefix("subteam^").unwrap_or_default();
            return html! { span.mention.me[self.scene.calls_me(id)] { (called) } };
        }
        let address = decoded(target);
        if ["https://", "http://", "mailto:"]
            .iter()
            .any(|own| address.starts_with(own))
        {
            return html! { a href=(address) target="_blank" rel="noreferrer" { (called) } };
        }
        // Not a token of Slack's: it stands as it was written.
        html! { "<" (decoded(token)) ">" }
    }

    /// The words of a token.
    fn called(&self, token: &str) -> String {
        let (target, label) = match token.split_once('|') {
            Some((target, label)) => (target, Some(decoded(label))),
            None => (token, None),
        };
        let named = |id: &str| self.scene.names.0.get(id).cloned();
        let own = if let Some(id) = target.strip_prefix('@') {
            named(id)
        } else if let Some(id) = target.strip_prefix('#') {
            named(id)
        } else if let Some(id) = target.strip_prefix("!subteam^") {
            named(id)
        } else {
            target
                .strip_prefix('!')
                .filter(|word| !word.starts_with("date^"))
                .map(|word| format!("@{word}"))
        };
        own.or(label).unwrap_or_else(|| decoded(target))
    }
}

/// A preformatted part, with a button that copies it.
pub(super) fn pre(text: &str) -> Markup {
    html! { div.code { pre { (text) } button type="button" data-copy aria-label="Copy" { "Copy" } } }
}

/// The inside of a formatted span that begins here, and where the whole of it ends.
///
/// A mark opens after a break and before a word, and closes after a word and before a break, as Slack has it.
fn span(rest: &str, before: char, mark: char) -> Option<(&str, usize)> {
    if before.is_alphanumeric() || rest[1..].starts_with(char::is_whitespace) {
        return None;
    }
    let mut depth = 0_usize;
    let body = &rest[1..];
    for (at, c) in body.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c != mark || depth > 0 || at == 0 {
            continue;
        }
        let inner = &body[..at];
        let after = body[at + 1..].chars().next().unwrap_or(' ');
        if !inner.ends_with(char::is_whitespace) && !after.is_alphanumeric() {
            return Some((inner, at + 2));
        }
    }
    None
}

/// How far plain text goes: at least one character, to the next that could mean something.
fn plain_run(rest: &str) -> usize {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    rest[first..]
        .find(['<', '`', '*', '_', '~'])
        .map_or(rest.len(), |at| first + at)
}

/// The three characters that Slack escapes.
pub(super) fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
