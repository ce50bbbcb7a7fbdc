//! The words of a message without the platform's markup, so that both platforms' read the same.

/// What stands for a moment, which each reader sees in their own time zone.
const TIME: &str = "TIME";

/// Slack's `mrkdwn` (docs.slack.dev, formatting message text).
pub fn slack(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        out.push_str(&unmarked(before, &['*', '`', '\u{2060}', '\u{200b}']));
        let (marked, after) = tail.split_once('>').unwrap_or((tail, ""));
        let (what, label) = marked.split_once('|').unwrap_or((marked, ""));
        if what.starts_with("!date^") {
            out.push_str(TIME);
        } else if let Some(whom) = what.strip_prefix('@').or(what.strip_prefix("!subteam^")) {
            out.push('@');
            out.push_str(whom);
        } else {
            let words = if label.is_empty() { what } else { label };
            out.push_str(&unmarked(words, &['\u{2060}', '\u{200b}']));
        }
        rest = after;
    }
    out.push_str(&unmarked(rest, &['*', '`', '\u{2060}', '\u{200b}']));
    let out = out.replace("&lt;", "<").replace("&gt;", ">");
    out.replace("&amp;", "&")
}

fn unmarked(text: &str, marks: &[char]) -> String {
    text.replace(marks, "")
}

/// Discord's markdown (docs.discord.com/developers/reference, "Message Formatting").
pub fn discord(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.strip_prefix("### ").unwrap_or(line);
        discord_line(line.strip_prefix("-# ").unwrap_or(line))
    });
    let lines: Vec<String> = lines.collect();
    lines.join("\n")
}

fn discord_line(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => {
                let escaped = tail.chars().next();
                out.extend(escaped);
                &tail[escaped.map_or(0, char::len_utf8)..]
            }
            '*' | '`' | '\u{2060}' | '\u{200b}' => tail,
            '<' => {
                let (marked, after) = tail.split_once('>').unwrap_or((tail, ""));
                match marked.strip_prefix('@') {
                    Some(whom) => {
                        out.push('@');
                        out.push_str(whom.trim_start_matches('&'));
                    }
                    None if marked.starts_with("t:") => out.push_str(TIME),
                    None => out.push_str(marked),
                }
                after
            }
            // `[label](<address>)`
            '[' => match tail.split_once("](<") {
                Some((label, after)) => {
                    out.push_str(&discord_line(label));
                    after.split_once(">)").map_or("", |(_, after)| after)
                }
                None => {
                    out.push(c);
                    tail
                }
            },
            c => {
                out.push(c);
                tail
            }
        };
    }
    out
}

#[test]
fn both_platforms_words_read_the_same() {
    let slack = slack(
        "*payments-api* · `x` until <!date^17^{time}|Tue 14:05 UTC> <https://x.dev/a|Repository> &lt;b&gt; <@U0X>",
    );
    let discord = discord(
        "**payments-api** · `x` until <t:17:t> [Repository](<https://x.dev/a>) \\<b\\> <@U0X>",
    );
    assert_eq!(slack, "payments-api · x until TIME Repository <b> @U0X");
    assert_eq!(slack, discord);
}
