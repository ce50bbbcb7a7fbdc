//! Answers to `login`: the link to a personal token for the local forge, or why there is none.

use crate::cards::words;
use crate::domain::card::{Card, Span, Text};

/// Why nobody gets a link to log in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLogin {
    /// Repositories stand on GitHub.
    Elsewhere,
    /// The git server asks nobody for a token.
    Open {
        /// Where its pages are, where there is an address.
        pages: Option<String>,
    },
    /// It asks for one, and there is no address that a link could lead to.
    NoAddress,
}

/// There is nothing to log in to, or no link that leads there.
pub fn no_login(why: &NoLogin) -> Card {
    Card::lines([match why {
        NoLogin::Elsewhere => {
            Text::plain("There is nothing to log in to: repositories stand on GitHub.")
        }
        NoLogin::Open { pages } => {
            let open = "There is nothing to log in to: the git server is open on the machine that I run on, without any token.";
            match pages.as_deref().filter(|url| words::opens(url)) {
                Some(url) => Text::plain(format!("{open} ")).with(Span::Link {
                    url: url.to_owned(),
                    label: "All repositories".to_owned(),
                }),
                None => Text::plain(open),
            }
        }
        NoLogin::NoAddress => {
            Text::plain("There is no address that a link could lead to. Whoever runs me can set ")
                .code("IDP_PUBLIC_URL")
                .and(".")
        }
    }])
}

/// The one-time link to a personal token, for the one who asked alone.
pub fn login(url: &str) -> Card {
    Card::lines([Text::default()
        .with(Span::Link {
            url: url.to_owned(),
            label: "Get your token for git".to_owned(),
        })
        .and(" within ten minutes. The link works once: keep it to yourself.")])
}
