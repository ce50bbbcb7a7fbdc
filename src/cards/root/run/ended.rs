//! Root cards of runs that do nothing more: done, or replaced by another asking.

use chrono::{DateTime, Utc};

use crate::cards::root::Part;
use crate::cards::{button, words};
use crate::domain::card::{Span, Text};
use crate::domain::view::RunView;

pub(super) fn succeeded(run: &RunView) -> Part {
    let took = run
        .started_at
        .map(|from| words::took((run.since - from).num_milliseconds()));
    let state = Text::default().bold("Done").and(
        took.as_ref()
            .map_or_else(String::new, |t| format!(" in {t}")),
    );
    let who: Vec<_> = run.approved_by.iter().map(|(p, _)| p.clone()).collect();
    let state = if who.is_empty() {
        state.and(format!(
            " · approved by rule \"{}\"",
            words::line(&run.rule)
        ))
    } else {
        state.and(format!(" · approved by {}", words::people(&who)))
    };
    let links: Vec<&(String, String)> = run
        .links
        .iter()
        .filter(|(_, url)| words::opens(url))
        .collect();
    let mut line = Text::default();
    for (at, (title, url)) in links.iter().enumerate() {
        if at > 0 {
            line = line.and(" · ");
        }
        line = line.with(Span::Link {
            url: url.clone(),
            label: words::line(title),
        });
    }
    Part {
        state,
        say: took.map_or_else(|| "done".to_owned(), |t| format!("done in {t}")),
        lines: if links.is_empty() {
            Vec::new()
        } else {
            vec![line]
        },
        code: run.clone.clone().filter(|c| !c.is_empty()),
        buttons: links
            .first()
            .map(|(title, url)| button::link(title, url))
            .into_iter()
            .collect(),
        ..Part::default()
    }
}

pub(super) fn superseded(run: &RunView, now: DateTime<Utc>) -> Part {
    Part {
        state: Text::default()
            .bold("Replaced")
            .and(" ")
            .with(words::when(run.since, now))
            .and(": it was asked again. This run does nothing more."),
        say: "replaced, it was asked again".to_owned(),
        ..Part::default()
    }
}
