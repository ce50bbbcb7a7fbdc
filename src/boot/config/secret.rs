//! The process environment, and secrets in it: each as `NAME` or, for mounted secrets, as a file in `NAME_FILE`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::boot::problem::Problem;

/// All secrets, by their names in the environment.
const SECRETS: [&str; 10] = [
    "DATABASE_URL",
    "IDP_STATE_KEY",
    "IDP_API_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "DISCORD_BOT_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_TOKEN",
    "GITHUB_WEBHOOK_SECRET",
];

/// The variables of a process.
///
/// No `Debug`: it holds secrets that nobody has wrapped yet.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Whether a variable is there with nothing in it: then it counts as unset.
    pub fn is_empty(&self, name: &OsStr) -> bool {
        self.0.get(name).is_some_and(|value| value.is_empty())
    }

    /// A secret, from `NAME` or from the file that `NAME_FILE` names. Both at once is a mistake.
    pub fn secret(&self, name: &str) -> Result<Option<SecretString>, Problem> {
        let in_file = format!("{name}_FILE");
        match (self.word(name)?, self.path(&in_file)) {
            (None, None) => Ok(None),
            (Some(secret), None) => Ok(Some(SecretString::from(secret))),
            (None, Some(path)) => match fs::read_to_string(&path) {
                Ok(text) if text.trim().is_empty() => {
                    Err(Problem::misuse(format!("the file of `{in_file}` is empty"))
                        .at(path.display().to_string()))
                }
                Ok(text) => Ok(Some(SecretString::from(text.trim_end().to_owned()))),
                Err(e) => Err(
                    Problem::misuse(format!("can't read the file of `{in_file}`"))
                        .at(path.display().to_string())
                        .because(e),
                ),
            },
            (Some(_), Some(_)) => Err(Problem::misuse(format!(
                "both `{name}` and `{in_file}` are set"
            ))
            .hint("unset one of them, so that it is clear which one counts")),
        }
    }

    /// The files that secrets are read from.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let files = SECRETS
            .iter()
            .map(|name| self.path(&format!("{name}_FILE")));
        files.flatten().collect()
    }

    /// All secrets whose names begin so, without that beginning, over those of the file.
    pub fn secrets(
        &self,
        beginning: &str,
        mut all: BTreeMap<String, SecretString>,
    ) -> Result<BTreeMap<String, SecretString>, Problem> {
        for variable in self.0.keys().filter_map(|name| name.to_str()) {
            let Some(name) = variable.strip_prefix(beginning) else {
                continue;
            };
            let name = name.strip_suffix("_FILE").unwrap_or(name);
            if let Some(secret) = self.secret(&format!("{beginning}{name}"))? {
                all.insert(name.to_owned(), secret);
            }
        }
        Ok(all)
    }

    /// A plain word. An empty variable counts as unset, since compose files and charts pass empty ones on.
    pub fn word(&self, name: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self
            .0
            .get(&OsString::from(name))
            .filter(|value| !value.is_empty())
        else {
            return Ok(None);
        };
        let text = value
            .to_str()
            .ok_or_else(|| Problem::misuse(format!("`{name}` is not UTF-8")))?;
        Ok(Some(text.to_owned()))
    }

    /// A path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.0
            .get(&OsString::from(name))
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}
