//! The operator's configuration in the words of `app` and of the catalog's checks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rand::TryRng as _;

use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::{Map, Value};

use crate::app::{Channels, Limits, Listed, PLATFORM_GROUP, Settings, Team};
use crate::boot::config::{Channel, ChatAccount, Config, Member, Organisation};
use crate::boot::problem::{OrFail as _, Problem};
use crate::catalog::{Known, Sources};
use crate::clients::forge::ForgeKind;
use crate::domain::action::ActionSpec;
use crate::steps::Secrets;

/// The file of the state key that idp makes for itself, in the data directory.
pub(in crate::boot) const KEY_FILE: &str = "state-key";

/// A state key's length in bytes: as long as the MAC that it keys.
const KEY_BYTES: usize = 32;

/// Where commands and templates come from.
pub(in crate::boot) fn sources(config: &Config) -> Sources {
    Sources {
        commands: config.commands_dir.clone(),
        templates: config.templates_dir.clone(),
    }
}

/// What definitions are checked against; `github` is the organisation there. Groups of the platform are known only once
/// they were read.
pub(in crate::boot) fn known(
    organisation: &Organisation,
    github: Option<&str>,
    actions: &[ActionSpec],
) -> Known {
    Known {
        groups: None,
        organisations: Some(
            github
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        ),
        teams: Some(organisation.teams.keys().cloned().collect()),
        channels: None,
        absent: absent(actions),
    }
}

/// The organisation on GitHub, where there is one.
pub(in crate::boot) fn github(config: &Config) -> Option<&str> {
    config
        .github
        .as_ref()
        .map(|g| g.forge.organisation.as_str())
}

/// Which forge there is.
pub(in crate::boot) const fn forge_kind(config: &Config) -> ForgeKind {
    match config.github {
        Some(_) => ForgeKind::GitHub,
        None => ForgeKind::Local,
    }
}

/// The actions of the forge that there isn't, and why not.
fn absent(actions: &[ActionSpec]) -> BTreeMap<String, String> {
    [
        (
            "publish:github",
            "GitHub isn't configured (docs/github.md). `publish:repository` goes with any forge.",
        ),
        (
            "publish:local",
            "GitHub is configured, so there is no local forge. `publish:repository` goes with any forge.",
        ),
    ]
    .into_iter()
    .filter(|(name, _)| actions.iter().all(|action| action.name != *name))
    .map(|(name, why)| (name.to_owned(), why.to_owned()))
    .collect()
}

/// Members of what templates read as `environment.parameters`.
const ORGANISATION: &str = "organisation";
const FORGE: &str = "forge";
const GITHUB: &str = "github";
const TEAMS: &str = "teams";

/// What templates read of the deployment and only a start changes: which forge, its organisation where it has one of
/// its own, and a reference for each secret.
fn deployed(config: &Config) -> Map<String, Value> {
    let mut environment = Map::new();
    match &config.github {
        Some(github) => {
            let organisation = github.forge.organisation.as_str();
            environment.insert(ORGANISATION.to_owned(), organisation.into());
            environment.insert(FORGE.to_owned(), GITHUB.into());
        }
        None => {
            environment.insert(FORGE.to_owned(), "local".into());
        }
    }
    let secrets = config.secrets.keys();
    let references = secrets.map(|name| (name.clone(), Secrets::reference(name).into()));
    environment.insert("secrets".to_owned(), Value::Object(references.collect()));
    environment
}

/// What verbs need of the configuration.
pub(in crate::boot) fn settings(config: &Config) -> Result<Settings, Problem> {
    let fixed = Settings {
        public_url: config
            .public_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned()),
        forge_is_open: config.github.is_none() && config.is_open(),
        state_key: Some(state_key(config)?),
        environment: deployed(config),
        links: config
            .github
            .as_ref()
            .is_some_and(|g| g.client_id.is_some()),
        organisation: config.github.as_ref().map(|g| g.forge.organisation.clone()),
        ..Settings::default()
    };
    Ok(organised(fixed, &config.organisation))
}

/// The same settings with what may change while idp runs taken from here.
pub(super) fn organised(settings: Settings, organisation: &Organisation) -> Settings {
    let teams = organisation.teams.iter().map(|(name, team)| {
        let team = Team {
            title: team.title.clone(),
            members: team.members.iter().map(Member::to_string).collect(),
            leads: team.leads.iter().map(Member::to_string).collect(),
        };
        (name.clone(), team)
    });
    Settings {
        teams: teams.collect(),
        groups: organisation
            .groups
            .iter()
            .map(|(name, list)| (name.clone(), list.iter().map(Member::to_string).collect()))
            .collect(),
        people: (organisation.people.iter())
            .map(|accounts| accounts.iter().map(listed).collect())
            .collect(),
        channels: channels(organisation),
        limits: Limits {
            open_requests: organisation.limits.open_requests_per_person,
            draft_hours: organisation.retention.drafts_hours,
            delivery_days: organisation.retention.deliveries_days,
            message_days: organisation.retention.messages_days,
            ..settings.limits
        },
        paused: organisation.paused.clone(),
        environment: environment(settings.environment.clone(), organisation),
        ..settings
    }
}

fn listed(account: &ChatAccount) -> Listed {
    let ChatAccount {
        platform,
        installation,
        account,
        at,
    } = account.clone();
    Listed {
        platform,
        installation,
        account,
        at,
    }
}

/// What templates read as `environment.parameters`: also each team's name on the forge. On GitHub its organisation
/// stays, whatever the file says.
fn environment(mut fixed: Map<String, Value>, organisation: &Organisation) -> Map<String, Value> {
    let teams = organisation.teams.iter();
    let teams = teams.map(|(name, team)| (name.clone(), team.github.as_str().into()));
    fixed.insert(TEAMS.to_owned(), Value::Object(teams.collect()));
    if fixed.get(FORGE).is_some_and(|forge| forge == GITHUB) {
        return fixed;
    }
    match &organisation.name {
        Some(name) => fixed.insert(ORGANISATION.to_owned(), name.as_str().into()),
        None => fixed.remove(ORGANISATION),
    };
    fixed
}

/// Without a channel by default it is the platform group's, as far as that has one.
fn channels(organisation: &Organisation) -> Channels {
    let named = |channels: &BTreeMap<String, Channel>| {
        channels
            .iter()
            .map(|(name, channel)| (name.clone(), channel.to_string()))
            .collect()
    };
    let default = organisation.default_channel.as_ref();
    Channels {
        default: default
            .or(organisation.channels.get(PLATFORM_GROUP))
            .map(Channel::to_string),
        commands: named(&organisation.command_channels),
        groups: named(&organisation.channels),
    }
}

/// The configured key, else one that is made once and kept in the data directory.
fn state_key(config: &Config) -> Result<SecretSlice<u8>, Problem> {
    if let Some(key) = &config.state_key {
        return Ok(key.expose_secret().as_bytes().to_vec().into());
    }
    kept_key(&config.data_dir.join(KEY_FILE))
}

fn kept_key(path: &Path) -> Result<SecretSlice<u8>, Problem> {
    let cannot = || format!("can't keep a state key in {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).or_fail(cannot())?;
    }
    if path.exists() {
        return read_key(path);
    }
    let mut fresh = [0; KEY_BYTES];
    rand::rngs::SysRng
        .try_fill_bytes(&mut fresh)
        .or_fail("the system gives no random bytes")?;
    // Two processes may come here at once: whoever links first wins, and both read a whole key.
    let draft = path.with_extension(std::process::id().to_string());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .or_fail(cannot())?;
    file.write_all(hex::encode(fresh).as_bytes())
        .or_fail(cannot())?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).or_fail(cannot())?;
    match linked {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Problem::failed(cannot()).because(e));
        }
        Ok(()) | Err(_) => {}
    }
    read_key(path)
}

fn read_key(path: &Path) -> Result<SecretSlice<u8>, Problem> {
    let text = fs::read_to_string(path).or_fail(format!("can't read {}", path.display()))?;
    match hex::decode(text.trim()) {
        Ok(key) if key.len() == KEY_BYTES => Ok(key.into()),
        _ => Err(
            Problem::failed(format!("{} holds no state key", path.display()))
                .hint("put the key back that stood there, or set `IDP_STATE_KEY`"),
        ),
    }
}
