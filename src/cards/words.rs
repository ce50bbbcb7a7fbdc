//! The small change of sentences: lists of people, durations, moments, one line out of whatever was typed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::card::{Mention, Span, Text, TimeStyle};
use crate::domain::person::{GroupName, PersonName, Platform};
use crate::domain::slash::{Ask, Slash};
use crate::domain::team;
use crate::domain::view::PlanView;

/// How many names a line carries before it counts the rest: `Alex Ruiz, Sam Ito, +1`.
pub(super) const NAMES_SHOWN: usize = 2;

/// A moment longer ago than this carries its day.
const CLOCK_IS_ENOUGH_FOR: TimeDelta = TimeDelta::hours(12);

/// People, the first few by name: `Alex Ruiz, Sam Ito, +1`; `nobody` when there are none.
pub(super) fn people(names: &[PersonName]) -> String {
    let mut parts: Vec<String> = names
        .iter()
        .take(NAMES_SHOWN)
        .map(|p| line(&p.name))
        .collect();
    if names.len() > NAMES_SHOWN {
        parts.push(format!("+{}", names.len() - NAMES_SHOWN));
    }
    if parts.is_empty() {
        "nobody".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Who can decide a plan: `Alex Ruiz, Sam Ito, +1`; where not all of a group are known, the group before them.
pub(super) fn deciders(plan: &PlanView) -> String {
    if plan.unlisted.is_empty() {
        return people(&plan.deciders);
    }
    let groups = plan.unlisted.iter();
    let mut parts: Vec<String> = groups
        .map(|group| format!("@{}", group_name(&group.handle)))
        .collect();
    if !plan.deciders.is_empty() {
        parts.push(people(&plan.deciders));
    }
    parts.join(", ")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn all_of(items: &[String]) -> String {
    list(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn one_of(items: &[String]) -> String {
    list(items, "or")
}

fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., end] => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// Quorums as words: `1 from payments-leads and 2 from security`.
pub(super) fn quorums(require: &[(GroupName, u32)]) -> String {
    let parts: Vec<String> = require
        .iter()
        .map(|(group, count)| format!("{count} from {}", group_name(&group.handle)))
        .collect();
    all_of(&parts)
}

/// The groups' handles: `payments-leads and security`.
pub(super) fn handles(require: &[(GroupName, u32)], join: fn(&[String]) -> String) -> String {
    join(
        &require
            .iter()
            .map(|(g, _)| group_name(&g.handle))
            .collect::<Vec<_>>(),
    )
}

/// A group by its handle; a team on GitHub by its own name: `acme/payments`.
pub(super) fn group_name(handle: &str) -> String {
    line(team::shown(handle))
}

/// How long something took: `0.4 s`, `4 s`, `3 min`, `2 h 5 min`.
pub(super) fn took(ms: i64) -> String {
    let ms = ms.max(0);
    let minutes = ms / 60_000;
    match ms {
        0..950 => format!("0.{} s", ((ms + 50) / 100).max(1)),
        950..60_000 => format!("{} s", (ms + 500) / 1_000),
        60_000..3_600_000 => format!("{minutes} min"),
        _ if minutes % 60 == 0 => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// The whole of `thing` in words: `1 file`, `23 files`, `2 catalog entries`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    let vowel_before_y = || {
        noun.chars()
            .rev()
            .nth(1)
            .is_some_and(|c| "aeiou".contains(c))
    };
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y() => format!("{number} {stem}ies"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") || noun.ends_with("sh") => {
            format!("{number} {noun}es")
        }
        _ => format!("{number} {noun}s"),
    }
}

/// Whatever was typed, on one line: white space is one space, control and direction marks are left out.
pub(super) fn line(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !directs(*c))
        .collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text whose words came from anywhere: each span on one line, and as far from the next as it was.
pub(super) fn lined(text: &Text) -> Text {
    let spans = text.0.iter().map(|span| match span {
        Span::Plain { text } => Span::Plain { text: apart(text) },
        Span::Bold { text } => Span::Bold { text: apart(text) },
        Span::Code { text } => Span::Code { text: apart(text) },
        Span::Link { .. } | Span::Time { .. } | Span::Mention { .. } => span.clone(),
    });
    Text(spans.collect())
}

/// One line, with a space where white space parts it from what stands beside it.
fn apart(text: &str) -> String {
    let mut out = line(text);
    if text.starts_with(char::is_whitespace) {
        out.insert(0, ' ');
    }
    if text.ends_with(char::is_whitespace) && !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Marks that turn the direction of the text after them (Unicode TR 9), and so could disguise a sentence.
fn directs(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text, cut to this many characters with a `…` as the last.
pub(super) fn clip(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A clause as a sentence: capital first, full stop last.
pub(super) fn sentence(text: &str) -> String {
    let text = line(text);
    let Some(first) = text.split(' ').next().filter(|word| !word.is_empty()) else {
        return String::new();
    };
    let rest = &text[first.len()..];
    let end = if text.ends_with(['.', '!', '?', '…', '"']) {
        ""
    } else {
        "."
    };
    format!("{}{rest}{end}", capital(first))
}

/// An ordinary word with a capital; a name like `acme/payments-api` stays as it is.
fn capital(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) if word.chars().all(|c| c.is_alphabetic() || c == '\'') => {
            format!("{}{}", first.to_uppercase(), chars.as_str())
        }
        _ => word.to_owned(),
    }
}

/// A clause inside a sentence: without a full stop at its end, its article small.
pub(super) fn clause(text: &str) -> String {
    let text = line(text);
    let text = text.trim_end_matches('.');
    let first = text.split(' ').next().unwrap_or_default();
    if ["A", "An", "It", "No", "Nothing", "The", "There", "This"].contains(&first) {
        return format!("{}{}", first.to_lowercase(), &text[first.len()..]);
    }
    text.to_owned()
}

/// A full stop, but for a text that ends in a reference: people copy it.
pub(super) fn stopped(text: &str) -> String {
    let referred = text
        .rsplit_once(' ')
        .is_some_and(|(before, _)| before.ends_with("Reference"));
    if referred {
        text.to_owned()
    } else {
        format!("{}.", text.trim_end_matches('.'))
    }
}

/// What is to be typed, as it is typed where this is read.
pub(super) fn typed(slash: &Slash, ask: Ask<'_>) -> String {
    line(&slash.typed(ask))
}

/// A platform's name.
pub(super) const fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Slack => "Slack",
        Platform::Discord => "Discord",
        Platform::Github => "GitHub",
        Platform::Operator => "the command line",
    }
}

/// What people call an installation of a platform.
pub(super) const fn installation(platform: Platform) -> &'static str {
    match platform {
        Platform::Discord => "server",
        Platform::Slack | Platform::Github | Platform::Operator => "workspace",
    }
}

/// A time of day.
pub(super) const fn clock(at: DateTime<Utc>) -> Span {
    Span::Time {
        at,
        style: TimeStyle::Clock,
    }
}

/// A day and a time of day: what lies ahead, and what is not of today.
pub(super) const fn day(at: DateTime<Utc>) -> Span {
    Span::Time {
        at,
        style: TimeStyle::DayAndClock,
    }
}

/// A moment, with its day once the time of day alone would mislead.
pub(super) fn when(at: DateTime<Utc>, now: DateTime<Utc>) -> Span {
    if (now - at).abs() < CLOCK_IS_ENOUGH_FOR {
        clock(at)
    } else {
        day(at)
    }
}

/// What lets the bot post in a channel that it couldn't post in, and who can do that where not everybody can.
pub(super) const fn let_in(platform: Platform) -> &'static str {
    match platform {
        // By their names in Discord's settings: a card takes the first two, its thread the others.
        Platform::Discord => {
            "to get the next one there, somebody who manages the channel can allow my role View Channel, Send Messages, \
             Create Public Threads, Send Messages in Threads and Read Message History"
        }
        Platform::Slack | Platform::Github | Platform::Operator => {
            "invite me there to get the next one in the channel"
        }
    }
}

/// A moment for fallbacks, which have no local time.
pub(super) fn day_utc(at: DateTime<Utc>) -> String {
    at.format("%a %H:%M UTC").to_string()
}

/// Calls the person where the platform can, else names them.
pub(super) fn call(person: &PersonName) -> Span {
    match &person.external {
        Some(external) => Span::Mention {
            whom: Mention::Account {
                external: external.clone(),
                name: line(&person.name),
            },
        },
        None => Span::Plain {
            text: line(&person.name),
        },
    }
}

/// Whether a link to this address can open: a web address with a host.
pub(super) fn opens(url: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .filter_map(|scheme| url.strip_prefix(scheme))
        .any(|rest| {
            !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
        })
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::request::RequestState;

    #[test]
    fn durations_read_like_a_clock_on_the_wall() {
        let words: Vec<String> = [0, 40, 420, 951, 4_200, 59_400, 61_000, 3_600_000, 7_500_000]
            .map(took)
            .to_vec();
        assert_eq!(
            words,
            [
                "0.1 s",
                "0.1 s",
                "0.4 s",
                "1 s",
                "4 s",
                "59 s",
                "1 min",
                "1 h",
                "2 h 5 min"
            ]
        );
    }

    #[test]
    fn nouns_are_counted_in_english() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(23, "file"), "23 files");
        assert_eq!(count(2, "catalog entry"), "2 catalog entries");
        assert_eq!(count(2, "gateway"), "2 gateways");
        assert_eq!(count(3, "branch"), "3 branches");
    }

    #[test]
    fn typed_text_stays_on_its_line() {
        assert_eq!(line(" a\n\tb\u{202e}c\u{7} "), "a bc");
        assert_eq!(sentence("use payments-core"), "Use payments-core.");
        assert_eq!(sentence("acme/x exists"), "acme/x exists.");
        assert_eq!(clause("The server is away."), "the server is away");
        assert_eq!(stopped("broke. Reference E-1"), "broke. Reference E-1");
        assert_eq!(stopped("nobody decided."), "nobody decided.");
        assert_eq!(clip("payments-api", 8), "payment…");
        let text = Text::plain("a\n\tb \n").code("x`y").and(" \u{7}");
        let lined = Text::plain("a b ").code("x`y").and(" ");
        assert_eq!(super::lined(&text), lined);
    }

    #[test]
    fn where_not_all_of_a_group_are_known_the_group_is_named() {
        let view = samples::request(RequestState::AwaitingApproval);
        let mut plan = view.plan.unwrap();
        assert_eq!(deciders(&plan), "Alex Ruiz, Sam Ito, +1");
        plan.unlisted = vec![GroupName {
            handle: "payments-leads".to_owned(),
            external: None,
        }];
        assert_eq!(deciders(&plan), "@payments-leads, Alex Ruiz, Sam Ito, +1");
        plan.deciders.clear();
        assert_eq!(deciders(&plan), "@payments-leads");
    }

    #[test]
    fn only_addresses_that_open_become_links() {
        assert!(opens("http://127.0.0.1:8484/git/acme/x"));
        for url in [
            "",
            "https://",
            "http:///x",
            "/git/x",
            "javascript:alert(1)",
            "https://a b",
        ] {
            assert!(!opens(url), "{url}");
        }
    }
}
