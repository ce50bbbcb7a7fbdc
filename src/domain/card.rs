//! What people read, free of any platform: lines of spans, buttons, and a complete plain-text fallback.
//!
//! Text is spans, never markup: a user's words are `Span::Plain` and each platform escapes them on the way out, so no
//! input can mention, link or format. `cards` makes cards; `chat` draws them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::ButtonId;

/// One card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The whole sense in one line of plain text, for notifications and screen readers.
    pub fallback: String,
    /// The content, top to bottom.
    pub blocks: Vec<Block>,
}

/// One part of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    /// A heading, plain.
    Heading {
        /// Its text.
        text: String,
    },
    /// One or more lines of ordinary text.
    Lines {
        /// A text a line.
        lines: Vec<Text>,
    },
    /// Small print: context, ids, digests.
    Small {
        /// A text a line.
        lines: Vec<Text>,
    },
    /// Preformatted text (a file tree, a command to copy).
    Code {
        /// As it stands.
        text: String,
    },
    /// Buttons in a row; what doesn't fit goes into a menu.
    Buttons {
        /// In reading order.
        buttons: Vec<Button>,
        /// Rarely used ones, behind a menu.
        menu: Vec<Button>,
    },
    /// A line between parts.
    Divider,
}

/// A run of spans on one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub Vec<Span>);

/// A piece of text with one meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "span", rename_all = "snake_case")]
pub enum Span {
    /// As it stands; escaped by the platform.
    Plain {
        /// The words.
        text: String,
    },
    /// Strong.
    Bold {
        /// The words.
        text: String,
    },
    /// A command, an id, a name of a file.
    Code {
        /// The words.
        text: String,
    },
    /// A link. Never one that nobody can open.
    Link {
        /// Where to.
        url: String,
        /// What people read.
        label: String,
    },
    /// A moment, in the reader's own time zone where the platform can.
    Time {
        /// When.
        at: DateTime<Utc>,
        /// How much of it.
        style: TimeStyle,
    },
    /// Calls a person or group: notifies. Everywhere else names are plain.
    Mention {
        /// Whom.
        whom: Mention,
    },
}

/// How much of a moment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeStyle {
    /// `14:05`
    Clock,
    /// `Tue 14:05`
    DayAndClock,
}

/// Somebody who is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Mention {
    /// One account by its id on the platform.
    Account {
        /// The id there.
        external: String,
        /// The name, for fallbacks.
        name: String,
    },
    /// A user group by its id on the platform.
    Group {
        /// The id there.
        external: String,
        /// The handle, for fallbacks.
        handle: String,
    },
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it does.
    pub id: ButtonId,
    /// Its opaque value: ids, never inputs.
    pub value: String,
    /// At most 20 characters.
    pub label: String,
    /// How it looks.
    pub style: ButtonStyle,
    /// The dialog that names the effect before it happens.
    pub confirm: Option<Confirm>,
    /// Set when it only opens a link.
    pub url: Option<String>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// One of several.
    Plain,
    /// The expected next act.
    Primary,
    /// Takes something away.
    Danger,
}

/// A question before an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// `Approve 142?`
    pub title: String,
    /// What will happen.
    pub text: String,
    /// The label that goes on.
    pub yes: String,
    /// The label that doesn't.
    pub no: String,
}

impl Text {
    /// A line of plain words.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![Span::Plain { text: text.into() }])
    }

    /// Adds plain words.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Plain { text: text.into() });
        self
    }

    /// Adds strong words.
    #[must_use]
    pub fn bold(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Bold { text: text.into() });
        self
    }

    /// Adds code.
    #[must_use]
    pub fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Code { text: text.into() });
        self
    }

    /// Adds any span.
    #[must_use]
    pub fn with(mut self, span: Span) -> Self {
        self.0.push(span);
        self
    }
}

impl Card {
    /// A card of plain lines whose fallback is the lines themselves.
    pub fn lines<L: Into<Text>>(lines: impl IntoIterator<Item = L>) -> Self {
        let lines: Vec<Text> = lines.into_iter().map(Into::into).collect();
        let fallback = lines
            .iter()
            .map(Text::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        Self {
            fallback,
            blocks: vec![Block::Lines { lines }],
        }
    }

    /// What a button would do: the words of its dialog.
    pub fn question(button: &Button) -> Self {
        let words = button.confirm.iter();
        Self::lines(words.flat_map(|c| {
            [
                Text::default().bold(c.title.as_str()),
                c.text.as_str().into(),
            ]
        }))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// The text without any markup: fallbacks, logs, the command line. Times are UTC.
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for span in &self.0 {
            match span {
                Span::Plain { text } | Span::Bold { text } | Span::Code { text } => {
                    f.write_str(text)?;
                }
                Span::Link { url, label } => write!(f, "{label} ({url})")?,
                Span::Time {
                    at,
                    style: TimeStyle::Clock,
                } => write!(f, "{} UTC", at.format("%H:%M"))?,
                Span::Time {
                    at,
                    style: TimeStyle::DayAndClock,
                } => write!(f, "{} UTC", at.format("%a %H:%M"))?,
                Span::Mention {
                    whom: Mention::Account { name, .. },
                } => write!(f, "@{name}")?,
                Span::Mention {
                    whom: Mention::Group { handle, .. },
                } => write!(f, "@{handle}")?,
            }
        }
        Ok(())
    }
}
