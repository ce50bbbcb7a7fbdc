//! The configuration: flags win over the environment, the environment over `idp.toml`.
//!
//! Everything is read and checked here, once, into one [`Config`]; nothing else reads a variable or the file. Secrets
//! come from the environment or from files, never from flags, which every process on the machine can read. What an
//! operator may change while idp runs ([`Organisation`]) is read again when the file changes.

mod discord;
pub mod file;
mod github;
pub mod options;
mod organisation;
mod people;
mod secret;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

pub use self::discord::Discord;
use self::file::File;
pub use self::github::GitHub;
pub use self::options::Options;
pub use self::organisation::{Channel, Limits, Member, Organisation, Retention, Team};
pub use self::people::ChatAccount;
pub use self::secret::Environment;
use super::postgres;
use super::problem::Problem;

/// Where idp listens unless told otherwise.
const LISTEN: &str = "127.0.0.1:8484";
/// Where its data goes unless told otherwise, below the working directory.
const DATA_DIR: &str = "idp-data";
/// Slack's Web API: <https://docs.slack.dev/apis/web-api/>.
const SLACK_API: &str = "https://slack.com/api";

/// What the name of a variable begins with that holds a secret for repositories.
const SECRET: &str = "IDP_SECRET_";

/// Everything an operator can set, checked.
#[derive(Debug)]
pub struct Config {
    /// The address for HTTP.
    pub listen: SocketAddr,
    /// The address under which people and platforms reach it. Without one, no message carries a link.
    pub public_url: Option<Url>,
    /// Where the managed Postgres, the local forge and the state key live.
    pub data_dir: PathBuf,
    /// Command files that replace the built-in ones.
    pub commands_dir: Option<PathBuf>,
    /// Templates that replace the built-in ones.
    pub templates_dir: Option<PathBuf>,
    /// Where everything is kept.
    pub database: Database,
    /// The key that seals stored secrets and audit checkpoints. Without one, the data directory keeps one.
    pub state_key: Option<SecretString>,
    /// Opens `/api/requests`; without one there is no such address.
    pub api_token: Option<SecretString>,
    /// The Slack app, if there is one.
    pub slack: Option<Slack>,
    /// The Discord application, if there is one.
    pub discord: Option<Discord>,
    /// The organisation on GitHub; without one, repositories stand on the local forge.
    pub github: Option<GitHub>,
    /// Secrets that templates may hand to repositories, by name.
    pub secrets: BTreeMap<String, SecretString>,
    /// Teams, groups, channels and limits.
    pub organisation: Organisation,
    /// The configuration file. Unless it was named, it need not be there.
    pub file: PathBuf,
}

/// Which Postgres.
#[derive(Debug)]
pub enum Database {
    /// The one of `DATABASE_URL`.
    External(SecretString),
    /// The managed one.
    Managed(postgres::Settings),
}

/// The Slack app.
#[derive(Debug)]
pub struct Slack {
    /// The Web API's address, without a slash at its end.
    pub api_url: Url,
    /// `xoxb-…`
    pub bot_token: SecretString,
    /// Proves deliveries over HTTP.
    pub signing_secret: Option<SecretString>,
    /// `xapp-…`, for Socket Mode.
    pub app_token: Option<SecretString>,
}

impl Config {
    /// Reads the file and the environment under the flags.
    pub fn load(options: &Options, environment: &Environment) -> Result<Self, Problem> {
        let path = options.config_file()?;
        let mut file = if path.is_file() {
            File::read(&path)?
        } else {
            File::default()
        };
        let organisation = file.organisation()?;
        let set = |flag: &Option<PathBuf>, key: Option<PathBuf>| flag.clone().or(key);
        let data_dir = set(&options.data_dir, file.data_dir).unwrap_or_else(|| DATA_DIR.into());
        let database_url = match &options.database_url {
            Some(url) => Some(SecretString::from(url.clone())),
            None => environment.secret("DATABASE_URL")?.or(file.database_url),
        };
        let public_url = options.public_url.clone().or(file.public_url);
        let public_url = public_url
            .map(|text| web_address("public_url", &text))
            .transpose()?;
        let source = postgres_source(options.postgres_bin.clone().or(file.postgres_bin));
        Ok(Self {
            listen: address(options.listen.as_deref().or(file.listen.as_deref()))?,
            commands_dir: set(&options.commands_dir, file.commands_dir),
            templates_dir: set(&options.templates_dir, file.templates_dir),
            database: match database_url {
                Some(url) => Database::External(postgres_url(url)?),
                None => Database::Managed(postgres::Settings {
                    source,
                    ..postgres::Settings::new(&data_dir, cache_dir(environment, &data_dir))
                }),
            },
            data_dir,
            state_key: environment.secret("IDP_STATE_KEY")?.or(file.state_key),
            api_token: environment.secret("IDP_API_TOKEN")?,
            slack: slack(file.slack, environment)?,
            discord: discord::read(file.discord, options.discord_gateway, environment)?,
            github: github::read(file.github, &organisation, public_url.as_ref(), environment)?,
            public_url,
            secrets: environment.secrets(SECRET, file.secrets)?,
            organisation,
            file: path,
        })
    }

    /// Whether nobody elsewhere is meant to reach it: it has no address for others, or one of this machine. A proxy may
    /// pass on requests of the whole world as if they were written here, so what they look like decides nothing.
    pub fn is_for_this_machine(&self) -> bool {
        match self.public_url.as_ref().and_then(Url::host) {
            None => true,
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
        }
    }

    /// Whether only this machine reaches it, so that whoever does needs no token for the local forge.
    pub fn is_open(&self) -> bool {
        self.listen.ip().is_loopback() && self.is_for_this_machine()
    }
}

impl Organisation {
    /// Takes what may change while idp runs from the text of the file.
    pub fn parse(path: &Path, text: String) -> Result<Self, Problem> {
        File::parse(path, text)?.organisation()
    }
}

/// The Slack app out of the file's table and the environment, checked for the usual mix-ups.
fn slack(table: file::Slack, environment: &Environment) -> Result<Option<Slack>, Problem> {
    let bot_token = environment.secret("SLACK_BOT_TOKEN")?.or(table.bot_token);
    let app_token = environment.secret("SLACK_APP_TOKEN")?.or(table.app_token);
    let signing_secret = environment
        .secret("SLACK_SIGNING_SECRET")?
        .or(table.signing_secret);
    let Some(bot_token) = bot_token else {
        return match app_token.or(signing_secret) {
            None => Ok(None),
            Some(_) => Err(Problem::misuse(
                "Slack is half configured: `SLACK_BOT_TOKEN` is missing",
            )
            .hint(
                "copy the Bot User OAuth Token (`xoxb-…`) from your app's page OAuth & Permissions",
            )),
        };
    };
    starts_with(&bot_token, "SLACK_BOT_TOKEN", "xoxb-")?;
    if let Some(token) = &app_token {
        starts_with(token, "SLACK_APP_TOKEN", "xapp-")?;
    } else if signing_secret.is_none() {
        return Err(Problem::misuse(
            "Slack is half configured: idp can send, but nothing reaches it",
        )
        .hint("for Socket Mode set `SLACK_APP_TOKEN` (`xapp-…`, scope connections:write)")
        .hint("for HTTP set `SLACK_SIGNING_SECRET` (from your app's page Basic Information)"));
    }
    let api_url = environment.word("SLACK_API_URL")?.or(table.api_url);
    let api_url = web_address("SLACK_API_URL", api_url.as_deref().unwrap_or(SLACK_API))?;
    Ok(Some(Slack {
        api_url,
        bot_token,
        signing_secret,
        app_token,
    }))
}

/// Tokens of one app look alike and are easily swapped; Slack names their kind in the first letters:
/// <https://docs.slack.dev/authentication/tokens/>.
fn starts_with(token: &SecretString, name: &str, prefix: &str) -> Result<(), Problem> {
    // With token rotation switched on, the same kind comes as `xoxe.xoxb-…`.
    let kind = token.expose_secret().trim_start_matches("xoxe.");
    if kind.starts_with(prefix) {
        return Ok(());
    }
    Err(
        Problem::misuse(format!("`{name}` is not the right kind of token"))
            .hint(format!("this one begins with `{prefix}`")),
    )
}

fn address(text: Option<&str>) -> Result<SocketAddr, Problem> {
    let text = text.unwrap_or(LISTEN);
    text.replace("localhost:", "127.0.0.1:")
        .parse()
        .map_err(|e: std::net::AddrParseError| {
            Problem::misuse(format!("`{text}` is not an address to listen on"))
                .because(e)
                .hint(format!(
                    "write an IP address and a port, such as `{LISTEN}`"
                ))
        })
}

fn web_address(name: &str, text: &str) -> Result<Url, Problem> {
    let problem = || {
        Problem::misuse(format!("`{name}` is not a web address: `{text}`"))
            .hint("write it with its scheme, such as `https://idp.example.com`")
    };
    let url = Url::parse(text).map_err(|e| problem().because(e))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(problem())
    }
}

fn postgres_url(url: SecretString) -> Result<SecretString, Problem> {
    let scheme = url.expose_secret().split("://").next().unwrap_or_default();
    if matches!(scheme, "postgres" | "postgresql") {
        return Ok(url);
    }
    Err(
        Problem::misuse("`DATABASE_URL` is not the address of a Postgres")
            .hint("write `postgres://USER:PASSWORD@HOST/DATABASE`"),
    )
}

fn postgres_source(named: Option<PathBuf>) -> postgres::Source {
    match named {
        None => postgres::Source::Machine,
        Some(word) if word.as_os_str() == "download" => postgres::Source::Download,
        Some(dir) => postgres::Source::Folder(dir),
    }
}

/// Where downloads are kept: as the XDG base directories say, else beside the data.
fn cache_dir(environment: &Environment, data_dir: &Path) -> PathBuf {
    let set = |name| environment.path(name).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map_or_else(|| data_dir.join("cache"), |cache| cache.join("idp"))
}

#[cfg(test)]
mod tests;
