//! `idp.toml` as it is written: its keys, and where they stand.
//!
//! An unknown key is refused with its place and the nearest right word, since a mistyped key that is ignored is a
//! setting that silently isn't.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::organisation::{Limits, Retention};
use super::people::PersonTable;
use crate::boot::problem::{OrFail, Problem};
use crate::catalog::problem::nearest;
use crate::clients::forge::github::Undo;
use crate::domain::canonical::Digest;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub(super) listen: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) commands_dir: Option<PathBuf>,
    pub(super) templates_dir: Option<PathBuf>,
    pub(super) postgres_bin: Option<PathBuf>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) database_url: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) state_key: Option<SecretString>,
    #[serde(default)]
    pub(super) slack: Slack,
    #[serde(default)]
    pub(super) discord: Discord,
    pub(super) organisation: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) github: GitHub,
    #[serde(default, deserialize_with = "secrets")]
    pub(super) secrets: BTreeMap<String, SecretString>,
    pub(super) paused: Option<String>,
    #[serde(default)]
    pub(super) teams: BTreeMap<String, Spanned<TeamTable>>,
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) people: Vec<PersonTable>,
    #[serde(default)]
    pub(super) channels: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) commands: BTreeMap<String, CommandTable>,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) retention: Retention,
    /// Where the file is and what it says, for the places of problems.
    #[serde(skip)]
    pub(super) source: Source,
}

/// `[slack]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slack {
    pub(super) api_url: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) bot_token: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) signing_secret: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) app_token: Option<SecretString>,
}

/// `[discord]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Discord {
    pub(super) application_id: Option<String>,
    pub(super) public_key: Option<String>,
    pub(super) api_url: Option<String>,
    pub(super) gateway: Option<bool>,
    pub(super) guilds: Option<Vec<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) bot_token: Option<SecretString>,
}

/// `[github]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GitHub {
    pub(super) app_id: Option<String>,
    pub(super) client_id: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) app_private_key: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) token: Option<SecretString>,
    pub(super) org: Option<String>,
    pub(super) api_url: Option<String>,
    pub(super) git_url: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) webhook_secret: Option<SecretString>,
    #[serde(default)]
    pub(super) undo: Undo,
    #[serde(default)]
    pub(super) webhooks: WebhooksOf,
}

/// Whose webhook tells of repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WebhooksOf {
    /// The App's or the organisation's: an owner made it.
    #[default]
    Organisation,
    /// Each repository's own, which idp makes.
    Repository,
}

/// `[teams.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamTable {
    pub(super) title: Option<String>,
    pub(super) github: Option<Spanned<String>>,
    pub(super) members: Vec<Spanned<String>>,
    pub(super) leads: Vec<Spanned<String>>,
}

/// `[commands.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandTable {
    pub(super) channel: Spanned<String>,
}

/// A file's name and text.
#[derive(Debug, Default)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

impl File {
    /// Reads a file and refuses what it doesn't know.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = fs::read_to_string(path).or_fail(format!("can't read {}", path.display()))?;
        Self::parse(path, text)
    }

    /// Takes the text of a file for what it says; the path is for the places of problems.
    pub fn parse(path: &Path, text: String) -> Result<Self, Problem> {
        let source = Source {
            path: path.to_owned(),
            text,
        };
        match toml::from_str::<Self>(&source.text) {
            Ok(file) => Ok(Self { source, ..file }),
            Err(e) => {
                let problem = unreadable(e.message());
                Err(match e.span() {
                    Some(span) => problem.at(source.place(span)),
                    None => problem.at(path.display().to_string()),
                })
            }
        }
    }
}

/// Who owns the repositories. In force at once on the local forge; where it names the organisation on GitHub, which takes
/// `github.org` first, only a start reads it: [`names`] tells.
pub const ORGANISATION: &str = "organisation";

/// The keys that a change of the file brings into force at once; all others but [`ORGANISATION`] are read at the start
/// only.
const LIVE: [&str; 8] = [
    "paused",
    "teams",
    "groups",
    "people",
    "channels",
    "commands",
    "limits",
    "retention",
];

/// The digest of each key that is read at the start only, by its name in the file. Digests, since secrets are among
/// them. A text that can't be read has none.
pub fn fixed(text: &str) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    for (name, value) in text.parse::<toml::Table>().unwrap_or_default() {
        match value {
            _ if LIVE.contains(&name.as_str()) => {}
            toml::Value::Table(table) => found.extend(table.iter().map(|(key, value)| {
                (
                    format!("{name}.{key}"),
                    Digest::of(value.to_string().as_bytes()),
                )
            })),
            value => {
                found.insert(name, Digest::of(value.to_string().as_bytes()));
            }
        }
    }
    found
}

/// Whether the file with these digests names this organisation as its own: then GitHub's is it.
pub fn names(fixed: &BTreeMap<String, Digest>, organisation: &str) -> bool {
    let named = toml::Value::from(organisation).to_string();
    fixed.get(ORGANISATION) == Some(&Digest::of(named.as_bytes()))
}

/// Whether secrets stand in this text.
pub fn holds_secrets(text: &str) -> bool {
    fixed(text)
        .keys()
        .any(|key| SECRETS.contains(&key.as_str()))
}

/// The keys of secrets; an address of Postgres mostly has a password in it.
const SECRETS: [&str; 9] = [
    "database_url",
    "state_key",
    "slack.bot_token",
    "slack.signing_secret",
    "slack.app_token",
    "discord.bot_token",
    "github.token",
    "github.app_private_key",
    "github.webhook_secret",
];

impl Source {
    /// `idp.toml:12:5`
    pub(super) fn place(&self, span: Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{}:{line}:{column}", self.path.display())
    }
}

/// The problem in the words of the TOML reader, with a hint where a key was probably mistyped.
///
/// serde says "unknown field `lisen`, expected one of `listen`, `public_url`": the first word in backticks is what
/// was found, the others are what would be right.
fn unreadable(message: &str) -> Problem {
    let Some(rest) = message.strip_prefix("unknown field ") else {
        return Problem::misuse(message.lines().next().unwrap_or(message));
    };
    let mut words = rest.split('`').skip(1).step_by(2);
    let key = words.next().unwrap_or_default();
    let right: Vec<&str> = words.collect();
    let problem = Problem::misuse(format!("unknown key `{key}`"));
    match nearest(key, right.iter().copied()) {
        Some(word) => problem.hint(format!("did you mean `{word}`?")),
        None => problem.hint(format!("the keys here are {}", right.join(", "))),
    }
}

/// Wraps a secret before anything can print it.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

/// Wraps every secret of a table.
fn secrets<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, SecretString>, D::Error> {
    let table = BTreeMap::<String, String>::deserialize(from)?;
    let wrapped = table
        .into_iter()
        .map(|(name, secret)| (name, secret.into()));
    Ok(wrapped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_waits_for_a_start_where_it_is_githubs() {
        let names = |text: &str| names(&fixed(text), "acme");
        assert!(names("organisation = 'acme'"));
        assert!(!names("organisation = 'labs'\ngithub.org = 'acme'"));
        assert!(!names("github.org = 'acme'"));
    }
}
