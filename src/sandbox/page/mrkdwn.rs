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
        let Some((before, fenced)) = text.split_once("```") else {
            return self.lines(text);
        };
        // A fence that is never closed is text.
        let Some((inside, after)) = fenced.split_once("```") else {
            return self.lines(text);
        };
        html! {
            @if !before.is_empty() { (self.lines(before)) }
            (pre(&self.bare(inside.trim_matches('\n'))))
            @if !after.is_empty() { (self.draw(after.trim_start_matches('\n'))) }
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

/// A preformatted part, with a button that copies it. A long address breaks behind its slashes, where it must.
pub(super) fn pre(text: &str) -> Markup {
    html! { div.code { pre { @for part in text.split_inclusive('/') { (part) @if part.ends_with('/') { wbr; } } } button type="button" data-copy aria-label="Copy" { "Copy" } } }
}

/// The inside of a formatted span that begins here, and where the whole of it ends.
///
/// A mark opens after a break and before a word, and closes after a word and before a break, as Slack has it.
fn span(rest: &str, before: char, mark: char) -> Option<(&str, usize)> {
    if before.is_alphanumeric() || rest[1..].starts_with(|c: char| c.is_whitespace() || c == mark) {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::{Levers, SandboxConfig, page::place::Place, world::World};

    fn scene() -> Scene {
        let clock = || DateTime::from_timestamp(1_795_437_840, 0).unwrap();
        let base = "http://127.0.0.1:1/".parse().unwrap();
        let world =
            World::open(SandboxConfig::new(Arc::new(clock)), Levers::default(), base).unwrap();
        Scene::of(&world, &Place::default()).unwrap()
    }

    fn drawn(text: &str) -> String {
        Words::new(&scene()).draw(text).into_string()
    }

    #[test]
    fn marks_stand_at_the_edges_of_words() {
        assert_eq!(
            drawn("*a b* and _c_, ~d~"),
            "<strong>a b</strong> and <em>c</em>, <s>d</s>"
        );
        for text in [
            "2*3*4",
            "* a *",
            "snake_case_name",
            "**",
            "a*b",
            "_",
            "`",
            "*a",
        ] {
            assert_eq!(drawn(text), text);
        }
        assert_eq!(drawn("*`x`*"), "<strong><code>x</code></strong>");
        assert_eq!(drawn("`*x*`"), "<code>*x*</code>");
    }

    #[test]
    fn escapes_stay_text() {
        assert_eq!(drawn("&lt;b&gt; &amp;amp;"), "&lt;b&gt; &amp;amp;");
        assert_eq!(
            drawn("<javascript:alert(1)|x>"),
            "&lt;javascript:alert(1)|x&gt;"
        );
    }

    #[test]
    fn tokens_get_their_names() {
        assert_eq!(
            drawn("<@U07ALEXR002> <!subteam^S07PAYLEA03> <!here>"),
            r#"<span class="mention">@Alex Ruiz</span> <span class="mention">@payments-leads</span> <span class="mention">@here</span>"#
        );
        assert_eq!(
            drawn("<@U07PRIYA001>"),
            r#"<span class="mention me">@Priya Nair</span>"#
        );
        assert_eq!(
            drawn("<https://a.example/?x=1&amp;y=2|here *not* bold>"),
            r#"<a href="https://a.example/?x=1&amp;y=2" target="_blank" rel="noreferrer">here *not* bold</a>"#
        );
        assert_eq!(
            drawn("<!date^1795437840^{time}|13:04 UTC>"),
            r#"<time data-at="1795437840" data-format="{time}">13:04 UTC</time>"#
        );
    }

    #[test]
    fn lines_quotes_and_fences() {
        assert_eq!(
            drawn("a\n&gt; b\n&gt; c\nd"),
            "a<blockquote>b<br>c</blockquote>d"
        );
        assert!(drawn("a ```x\n*y*``` b").contains("<pre>x\n*y*</pre>"));
        assert_eq!(drawn("a ``` b"), "a ``` b");
    }

    proptest! {
        /// Nothing that is sent makes an element that isn't ours.
        #[test]
        fn no_text_makes_markup(text in "(\\PC|[<>*_~`|!@#^\n]){0,60}") {
            let html = Words::new(&scene()).draw(&text).into_string();
            prop_assert!(!html.contains("<script") && !html.contains("<img"));
            let own = ["strong", "em", "s", "code", "pre", "wbr", "a ", "span", "time", "br", "blockquote", "div", "button"];
            for (at, _) in html.match_indices('<') {
                let tag = html[at + 1..].trim_start_matches('/');
                prop_assert!(own.iter().any(|own| tag.starts_with(own)), "{html}");
            }
        }
    }
}
