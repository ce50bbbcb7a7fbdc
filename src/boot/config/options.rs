//! The flags that every command takes. Each is also a variable of the environment and a key of `idp.toml`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::boot::problem::Problem;
use crate::boot::telemetry::Format;

/// The file that is read when none is named.
const FILE: &str = "idp.toml";

/// Where things are; secrets are not among them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct Options {
    /// The configuration file [default: idp.toml, if there is one]
    #[arg(long, global = true, env = "IDP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where idp keeps its own Postgres and repositories [default: idp-data]
    #[arg(long, global = true, env = "IDP_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// A Postgres of your own (or `DATABASE_URL`, `DATABASE_URL_FILE`) [default: a managed one]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// The programs for the managed Postgres: a folder, or `download` [default: found on the machine]
    #[arg(long, global = true, env = "IDP_POSTGRES_BIN", value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,

    /// The address for HTTP [default: 127.0.0.1:8484]
    #[arg(long, global = true, env = "IDP_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// The address under which people and platforms reach idp
    #[arg(long, global = true, env = "IDP_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Command files in place of the built-in ones
    #[arg(long, global = true, env = "IDP_COMMANDS_DIR", value_name = "DIR")]
    pub commands_dir: Option<PathBuf>,

    /// Templates in place of the built-in ones
    #[arg(long, global = true, env = "IDP_TEMPLATES_DIR", value_name = "DIR")]
    pub templates_dir: Option<PathBuf>,

    /// Take Discord's deliveries over its gateway: it needs no public address [default: over HTTP]
    #[arg(
        long,
        global = true,
        env = "DISCORD_GATEWAY",
        value_name = "1|0",
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        default_missing_value = "1"
    )]
    pub discord_gateway: Option<bool>,

    /// What to log: a level, or levels by module [default: info]
    #[arg(long, global = true, env = "IDP_LOG", value_name = "LEVELS")]
    pub log: Option<String>,

    /// How log lines look
    #[arg(
        long,
        global = true,
        env = "IDP_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: Format,
}

impl Options {
    /// The file to read: the named one, which must be there, or `idp.toml`, which need not.
    pub(super) fn config_file(&self) -> Result<PathBuf, Problem> {
        match &self.config {
            Some(path) if path.is_file() => Ok(path.clone()),
            Some(path) => Err(Problem::misuse(format!(
                "there is no configuration file {}",
                path.display()
            ))
            .hint("start with a copy of `idp.toml.example`")),
            None => Ok(PathBuf::from(FILE)),
        }
    }
}
