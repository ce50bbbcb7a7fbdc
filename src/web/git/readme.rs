//! Markdown as people wrote it, as HTML that can do nothing: raw HTML is shown as text, links lead to pages or nowhere,
//! pictures become links.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// Renders Markdown. `file_url` is where the files of its own folder are shown: relative links lead there.
pub(super) fn render(text: &str, file_url: &str) -> maud::PreEscaped<String> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text, options).map(|event| tame(event, file_url));
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events);
    maud::PreEscaped(out)
}

fn tame<'a>(event: Event<'a>, file_url: &str) -> Event<'a> {
    match event {
        // Text is escaped when it is written.
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: target(dest_url, file_url),
            title,
            id,
        }),
        Event::Start(Tag::Image {
            dest_url,
            title,
            id,
            ..
        }) => Event::Start(Tag::Link {
            link_type: LinkType::Inline,
            dest_url: target(dest_url, file_url),
            title,
            id,
        }),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        other => other,
    }
}

/// Where a link may lead: to the web, to a mailbox, to a heading, or to a file beside this one.
fn target<'a>(url: CowStr<'a>, file_url: &str) -> CowStr<'a> {
    if url.starts_with('#') {
        return url;
    }
    match url.split_once(':') {
        Some((scheme, _))
            if ["http", "https", "mailto"]
                .iter()
                .any(|good| scheme.eq_ignore_ascii_case(good)) =>
        {
            url
        }
        // A colon behind a slash, a question or a hash is no scheme.
        Some((before, _)) if !before.contains(['/', '?', '#']) => "#".into(),
        _ if url.starts_with('/') || url.starts_with('\\') => "#".into(),
        _ => format!("{file_url}{}", url.trim_start_matches("./")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        render(text, "/git/acme/x/blob/main/docs/").0
    }

    #[test]
    fn raw_html_is_text() {
        for raw in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div\nonclick=x>\n\nhi",
            "<!-- x -->",
            "<style>*{}</style>",
        ] {
            let out = html(raw);
            assert!(
                !["<script", "<img", "<div", "<!--", "<style"]
                    .iter()
                    .any(|tag| out.contains(tag)),
                "{out}"
            );
            assert!(out.contains("&lt;"), "{out}");
        }
    }

    #[test]
    fn links_lead_to_pages_or_nowhere() {
        for (url, leads) in [
            ("https://example.com/a?b:c", "https://example.com/a?b:c"),
            ("mailto:a@example.com", "mailto:a@example.com"),
            ("#top", "#top"),
            ("./runbook.md", "/git/acme/x/blob/main/docs/runbook.md"),
            (
                "runbook.md#a:b",
                "/git/acme/x/blob/main/docs/runbook.md#a:b",
            ),
            ("javascript:alert(1)", "#"),
            ("JavaScript:alert(1)", "#"),
            ("data:text/html,x", "#"),
            ("//evil.example.com", "#"),
            ("/ui/admin", "#"),
        ] {
            assert_eq!(
                html(&format!("[x]({url})")),
                format!("<p><a href=\"{leads}\">x</a></p>\n"),
                "{url}"
            );
        }
        assert_eq!(
            html("<javascript:alert(1)>"),
            "<p><a href=\"#\">javascript:alert(1)</a></p>\n"
        );
    }

    #[test]
    fn pictures_are_links_and_tables_are_tables() {
        assert_eq!(
            html("![a cat](https://x/cat.png)"),
            "<p><a href=\"https://x/cat.png\">a cat</a></p>\n"
        );
        assert!(html("|a|\n|-|\n|b|").contains("<table>"));
    }
}
