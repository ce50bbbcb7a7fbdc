//! Discord's Markdown as HTML, by its public description (docs.discord.com/developers/reference, "Message Formatting", and
//! Discord's help page on text formatting); everything else is text.

use maud::{Markup, PreEscaped, Render, html};

use super::{super::mrkdwn::pre, scene::Scene};
use crate::sandbox::discord::Id;

/// Where Discord's own client shows messages: a link there stays on this page.
const PAGES: &str = "https://discord.com/channels/";

/// What words can refer to.
pub(super) struct Words<'a> {
    scene: &'a Scene,
    /// Whom the text notifies; other mentions are only shown.
    called: &'a [Id],
}

impl<'a> Words<'a> {
    pub(super) const fn new(scene: &'a Scene, called: &'a [Id]) -> Self {
        Self { scene, called }
    }

    /// Text with lines and preformatted parts.
    pub(super) fn draw(&self, text: &str) -> Markup {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, inside, after)) = fenced(rest) {
            if !before.trim().is_empty() {
                out.push_str(&self.lines(before.trim_end_matches('\n')).0);
            }
            out.push_str(&pre(code(inside)).0);
            if after.trim().is_empty() {
                return PreEscaped(out);
            }
            rest = after.trim_start_matches('\n');
        }
        out.push_str(&self.lines(rest).0);
        PreEscaped(out)
    }

    fn lines(&self, text: &str) -> Markup {
        html! { @for line in text.split('\n') { (self.line(line)) } }
    }

    /// One line, by what it begins with.
    fn line(&self, line: &str) -> Markup {
        let after = |mark: &str| {
            line.strip_prefix(mark)
                .filter(|rest| !rest.trim().is_empty())
        };
        if let Some(rest) = after("### ")
            .or_else(|| after("## "))
            .or_else(|| after("# "))
        {
            return html! { h3.header { (self.inline(rest)) } };
        }
        if let Some(rest) = after("-# ") {
            return html! { p.subtext { (self.inline(rest)) } };
        }
        if let Some(rest) = after("> ") {
            return html! { blockquote { (self.inline(rest)) } };
        }
        if let Some(rest) = after("- ").or_else(|| after("* ")) {
            return html! { p.item { "• " (self.inline(rest)) } };
        }
        if line.trim().is_empty() {
            return html! { p.gap {} };
        }
        html! { p { (self.inline(line)) } }
    }

    fn inline(&self, line: &str) -> Markup {
        let mut out = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let (drawn, end) = self.token(rest).unwrap_or_else(|| {
                let plain = plain_run(rest);
                (rest[..plain].render(), plain)
            });
            out.push_str(&drawn.0);
            rest = &rest[end..];
        }
        PreEscaped(out)
    }

    /// What means something at the beginning of a text, and how long it is.
    fn token(&self, rest: &str) -> Option<(Markup, usize)> {
        let first = rest.chars().next()?;
        match first {
            '\\' => {
                let next = rest[1..]
                    .chars()
                    .next()
                    .filter(char::is_ascii_punctuation)?;
                Some((next.to_string().render(), 2))
            }
            '`' => {
                let end = rest[1..].find('`').filter(|end| *end > 0)?;
                Some((html! { code { (&rest[1..=end]) } }, end + 2))
            }
            '*' | '_' | '~' | '|' => self.marked(rest),
            '<' => {
                let end = rest.find('>')?;
                Some((self.angled(&rest[1..end])?, end + 1))
            }
            '[' => self.labelled(rest),
            'h' => {
                let end = rest
                    .find([' ', '<', '>', ')', '\u{2060}'])
                    .unwrap_or(rest.len());
                Some((self.link(&rest[..end], None)?, end))
            }
            _ => None,
        }
    }

    fn marked(&self, rest: &str) -> Option<(Markup, usize)> {
        for mark in ["**", "__", "~~", "||", "*", "_"] {
            if !rest.starts_with(mark) {
                continue;
            }
            let Some(end) = closing(&rest[mark.len()..], mark) else {
                continue;
            };
            let inner = self.inline(&rest[mark.len()..mark.len() + end]);
            let drawn = match mark {
                "**" => html! { strong { (inner) } },
                "__" => html! { u { (inner) } },
                "~~" => html! { s { (inner) } },
                "||" => html! { span.spoiler { (inner) } },
                _ => html! { em { (inner) } },
            };
            return Some((drawn, end + 2 * mark.len()));
        }
        None
    }

    /// What stands between `<` and `>`.
    fn angled(&self, token: &str) -> Option<Markup> {
        let id = |text: &str| text.parse::<Id>().ok();
        if let Some(role) = token.strip_prefix("@&").and_then(id) {
            return Some(self.mention(role));
        }
        if let Some(user) = token
            .strip_prefix('@')
            .and_then(|own| id(own.trim_start_matches('!')))
        {
            return Some(self.mention(user));
        }
        if let Some(channel) = token.strip_prefix('#') {
            let known = self
                .scene
                .rooms
                .iter()
                .find(|own| own.id.to_string() == channel)?;
            let name = super::scene::titled(known);
            return Some(
                html! { a.mention href=(self.scene.way_to(channel).href()) data-nav { (name) } },
            );
        }
        if let Some(time) = token.strip_prefix("t:") {
            return time_of(time);
        }
        // `</idp run:1312…>`
        let command = token.strip_prefix('/').and_then(|own| own.split_once(':'));
        if let Some((name, _)) = command.filter(|(_, own)| id(own).is_some()) {
            return Some(html! { span.mention { "/" (name) } });
        }
        self.link(token, None)
    }

    fn mention(&self, id: Id) -> Markup {
        let name = self
            .scene
            .name(id)
            .unwrap_or_else(|| "unknown-user".to_owned());
        let me = self.called.contains(&id) && self.scene.calls_me(id);
        html! { span.mention.me[me] { "@" (name) } }
    }

    /// `[label](address)`.
    fn labelled(&self, rest: &str) -> Option<(Markup, usize)> {
        let middle = closing(&rest[1..], "](")? + 1;
        let from = middle + 2;
        let end = rest[from..].find(')')? + from;
        let address = rest[from..end]
            .trim_start_matches('<')
            .trim_end_matches('>');
        let label = self.inline(&rest[1..middle]);
        Some((self.link(address, Some(label))?, end + 1))
    }

    /// A web address; one of Discord's own pages leads within this one.
    fn link(&self, address: &str, label: Option<Markup>) -> Option<Markup> {
        if !["http://", "https://"]
            .iter()
            .any(|own| address.starts_with(own))
        {
            return None;
        }
        let label = label.unwrap_or_else(|| address.render());
        if let Some(path) = address.strip_prefix(PAGES) {
            let mut parts = path.split('/').skip(1);
            let channel = parts.next().unwrap_or_default();
            let mark = parts
                .next()
                .map_or_else(String::new, |id| format!("#m-{id}"));
            let href = format!("{}{mark}", self.scene.way_to(channel).href());
            return Some(html! { a href=(href) data-nav { (label) } });
        }
        Some(html! { a href=(address) target="_blank" rel="noreferrer" { (label) } })
    }
}

/// What stands before, inside and behind the first fence; one that is never closed is text.
fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("```")?;
    let (inside, after) = rest.split_once("```")?;
    Some((before, inside, after))
}

/// The inside of a fence without the name of its language: a word alone on the first line.
fn code(inside: &str) -> &str {
    let named = |line: &str| !line.is_empty() && line.bytes().all(|b| b.is_ascii_alphanumeric());
    let code = match inside.split_once('\n') {
        Some((first, rest)) if named(first) => rest,
        _ => inside,
    };
    code.trim_matches('\n')
}

/// `1700000000:f`, in the reader's own zone.
fn time_of(token: &str) -> Option<Markup> {
    let (at, style) = token.split_once(':').unwrap_or((token, "f"));
    let seconds: i64 = at.parse().ok()?;
    let format = match style {
        "t" => "{time}",
        "T" => "{time_secs}",
        "d" => "{date_num}",
        "D" => "{date}",
        "F" => "{date_long} {time}",
        "R" => "{date_short_pretty} {time}",
        _ => "{date} {time}",
    };
    let moment = chrono::DateTime::from_timestamp(seconds, 0)?;
    let shown = moment.format("%e %B %Y %H:%M UTC").to_string();
    Some(html! { time data-at=(seconds) data-format=(format) { (shown.trim()) } })
}

/// Where a mark closes: behind something, not escaped, not inside code.
fn closing(body: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        let rest = &body[at..];
        // A single star inside a pair of them is part of the pair.
        let pair = mark.len() == 1 && rest.starts_with(mark) && rest[1..].starts_with(mark);
        if at > 0 && rest.starts_with(mark) && !pair {
            let after = rest[mark.len()..].chars().next();
            let inside = mark == "_" && after.is_some_and(char::is_alphanumeric);
            if !inside {
                return Some(at);
            }
        }
        at += match c {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '`' => rest[1..].find('`').map_or(1, |end| end + 2),
            _ if pair => 2,
            _ => c.len_utf8(),
        };
    }
    None
}

/// How far plain text goes: at least one character, to the next that could mean something.
fn plain_run(rest: &str) -> usize {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let marks = rest[first..].find(['\\', '`', '*', '_', '~', '|', '<', '[']);
    let address = ["http://", "https://"]
        .iter()
        .filter_map(|own| rest[first..].find(own))
        .min();
    let next = marks.into_iter().chain(address).min();
    next.map_or(rest.len(), |at| first + at)
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
        Words::new(&scene(), &[]).draw(text).into_string()
    }

    #[test]
    fn marks_open_and_close() {
        assert_eq!(
            drawn("**a b** and *c* and __d__, ~~e~~"),
            "<p><strong>a b</strong> and <em>c</em> and <u>d</u>, <s>e</s></p>"
        );
        assert_eq!(drawn(r"\*not\* it"), "<p>*not* it</p>");
        assert_eq!(drawn("`**x**`"), "<p><code>**x**</code></p>");
        for text in ["2 * 3", "a*b", "**", "snake_case_name", "`", "[x]", "<x>"] {
            let escaped = text.replace('<', "&lt;").replace('>', "&gt;");
            assert_eq!(drawn(text), format!("<p>{escaped}</p>"));
        }
    }

    #[test]
    fn lines_are_what_they_begin_with() {
        assert_eq!(
            drawn("### Head\n-# small\n> said\nplain"),
            "<h3 class=\"header\">Head</h3><p class=\"subtext\">small</p><blockquote>said</blockquote><p>plain</p>"
        );
        assert!(drawn("a\n```sh\ngit clone x\n```\nb").contains("<pre>git clone x</pre>"));
    }

    #[test]
    fn a_hundred_thousand_fences_are_drawn_one_behind_the_other() {
        let html = drawn(&"```a```".repeat(50_000));
        assert_eq!(html.matches("<pre>a</pre>").count(), 50_000);
        assert_eq!(drawn("```a"), "<p>```a</p>", "never closed");
    }

    #[test]
    fn tokens_get_their_names() {
        assert_eq!(
            drawn("<@1312000000000000202> <@&1312000000000000602> <#1312000000000000501>"),
            "<p><span class=\"mention\">@Alex Ruiz</span> <span class=\"mention\">@Payments</span> \
             <a class=\"mention\" href=\"/discord?as=priya&amp;in=1312000000000000501\" data-nav>#platform</a></p>"
        );
        assert_eq!(
            drawn("[here](<https://a.example/?x=1&y=2>)"),
            "<p><a href=\"https://a.example/?x=1&amp;y=2\" target=\"_blank\" rel=\"noreferrer\">here</a></p>"
        );
        assert_eq!(
            drawn("<t:1795437840:t>"),
            "<p><time data-at=\"1795437840\" data-format=\"{time}\">23 November 2026 12:44 UTC</time></p>"
        );
    }

    /// Priya, who looks, has the role.
    #[test]
    fn who_is_notified_sees_it_at_the_mention() {
        let scene = scene();
        let role: Id = "1312000000000000602".parse().unwrap();
        assert_eq!(
            Words::new(&scene, &[role])
                .draw("<@&1312000000000000602>")
                .into_string(),
            "<p><span class=\"mention me\">@Payments</span></p>"
        );
    }

    proptest! {
        /// Nothing that is sent makes an element that isn't ours.
        #[test]
        fn no_text_makes_markup(text in "(\\PC|[<>*_~`|@#&:/()\\[\\]\\\\\n]){0,60}") {
            let html = Words::new(&scene(), &[]).draw(&text).into_string();
            prop_assert!(!html.contains("<script") && !html.contains("<img"));
            let own = ["strong", "em", "u>", "s>", "code", "pre", "wbr", "a ", "span", "time", "p>", "p ", "h3", "blockquote", "div", "button"];
            for (at, _) in html.match_indices('<') {
                let tag = html[at + 1..].trim_start_matches('/');
                prop_assert!(own.iter().any(|own| tag.starts_with(own)), "{html}");
            }
        }
    }
}
