//! What GitHub knows: organisation, people, teams, the App, tokens and repositories, with a clock that tests can move.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::levers::Levers;
use super::limits::Limits;

/// Who may do what, by GitHub's names: `contents` is `write`.
pub type Permissions = BTreeMap<String, String>;

/// All of it.
pub struct World {
    pub shift: TimeDelta,
    pub api: String,
    pub web: String,
    pub folder: PathBuf,
    pub org: Org,
    pub users: BTreeMap<String, User>,
    pub app: App,
    pub tokens: HashMap<String, Token>,
    pub repos: BTreeMap<u64, Repo>,
    /// Former full names, in lower case, and what stood there: GitHub redirects them.
    pub moved: HashMap<String, u64>,
    pub device: Vec<Device>,
    pub limits: Limits,
    pub levers: Levers,
    pub log: Vec<Logged>,
    pub faults: Vec<String>,
    last_id: u64,
}

/// The organisation.
pub struct Org {
    pub id: u64,
    pub login: String,
    /// Visibilities that nobody may choose here.
    pub forbidden: BTreeSet<String>,
    pub teams: BTreeMap<String, Team>,
    /// Login → role (`admin`, `member`).
    pub members: BTreeMap<String, String>,
    /// Custom properties by name, as GitHub shows them.
    pub properties: BTreeMap<String, Value>,
    /// Rulesets of the organisation.
    pub rulesets: BTreeMap<u64, Value>,
}

pub struct Team {
    pub id: u64,
    pub slug: String,
    pub name: String,
    pub members: BTreeSet<String>,
    pub created: DateTime<Utc>,
}

pub struct User {
    pub id: u64,
    pub login: String,
    pub name: String,
}

/// The GitHub App and where it is installed.
pub struct App {
    pub id: u64,
    pub slug: String,
    pub client_id: String,
    /// The public key, DER, PKCS#1.
    pub key: Vec<u8>,
    pub device_flow: bool,
    /// Seconds between two looks for a code; GitHub's are five.
    pub device_interval: i64,
    pub installation: u64,
    pub installed: bool,
    pub suspended: bool,
    pub granted: Permissions,
    /// Repositories it was given; none: all.
    pub selected: Option<BTreeSet<u64>>,
}

/// What a token is good for.
pub struct Token {
    pub holder: Holder,
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Clone)]
pub enum Holder {
    /// An installation token, perhaps narrowed.
    Installation {
        permissions: Permissions,
        repositories: Option<BTreeSet<u64>>,
    },
    /// A classic personal token.
    Classic { login: String, scopes: Vec<String> },
    /// A fine-grained personal token, or one that the App got for a person.
    FineGrained {
        login: String,
        permissions: Permissions,
    },
}

pub struct Device {
    pub code: String,
    pub user_code: String,
    pub expires: DateTime<Utc>,
    pub interval: i64,
    pub asked: Option<DateTime<Utc>>,
    /// What the person did: a login that agreed, or none for a refusal.
    pub answer: Option<Option<String>>,
    pub used: bool,
}

pub struct Repo {
    pub id: u64,
    pub owner: String,
    pub name: String,
    pub visibility: String,
    pub default_branch: String,
    pub archived: bool,
    pub topics: Vec<String>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub pushed: DateTime<Utc>,
    /// What was set by create and update and is only shown: description, merge switches and the like.
    pub shown: Map<String, Value>,
    /// Team slug → permission.
    pub teams: BTreeMap<String, String>,
    /// Login → permission.
    pub collaborators: BTreeMap<String, String>,
    pub shelf: Shelf,
    /// Environment name (GitHub keeps its case) → settings and what is kept in it.
    pub environments: BTreeMap<String, Environment>,
    pub hooks: BTreeMap<u64, Value>,
    pub rulesets: BTreeMap<u64, Value>,
    pub properties: BTreeMap<String, Value>,
    pub protections: BTreeMap<String, Value>,
    pub statuses: Vec<(String, Value)>,
    pub comments: Vec<(String, Value)>,
    /// Pull requests by number, and what is said in them.
    pub pulls: BTreeSet<u64>,
    pub talk: Vec<(u64, Value)>,
    pub dir: PathBuf,
}

pub struct Environment {
    pub id: u64,
    pub name: String,
    pub settings: Value,
    pub created: DateTime<Utc>,
    pub shelf: Shelf,
}

/// Variables and secrets of a repository or an environment, with the key that secrets are sealed for.
pub struct Shelf {
    pub variables: BTreeMap<String, Kept>,
    pub secrets: BTreeMap<String, Kept>,
    pub key: crypto_box::SecretKey,
    pub key_id: String,
}

/// A value with its times.
pub struct Kept {
    pub value: String,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
}

/// One call, for counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub kind: Kind,
    pub method: String,
    pub path: String,
    /// GitHub's name for the operation; empty for git and unknown paths.
    pub operation: String,
    /// None: the connection was broken.
    pub status: Option<u16>,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    /// A request of git's protocol; a push is two of them.
    Git,
    /// Tokens and device flow: no content.
    Auth,
}

impl World {
    pub fn new(api: String, web: String, folder: PathBuf, app: App, org: Org) -> Self {
        Self {
            shift: TimeDelta::zero(),
            api,
            web,
            folder,
            org,
            users: BTreeMap::new(),
            app,
            tokens: HashMap::new(),
            repos: BTreeMap::new(),
            moved: HashMap::new(),
            device: Vec::new(),
            limits: Limits::default(),
            levers: Levers::default(),
            log: Vec::new(),
            faults: Vec::new(),
            last_id: 1_000,
        }
    }

    /// GitHub's time: whole seconds, as its headers have it.
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now() + self.shift;
        DateTime::from_timestamp(now.timestamp(), 0).unwrap()
    }

    /// An id that was never used: ids outlive names.
    pub fn new_id(&mut self) -> u64 {
        self.last_id += 7;
        self.last_id
    }

    pub fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    pub fn repo_at(&self, owner: &str, name: &str) -> Option<&Repo> {
        self.repos.values().find(|repo| {
            repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name)
        })
    }

    /// Removes a repository for good, with every name that led to it.
    pub fn delete(&mut self, id: u64) {
        let gone = self.repos.remove(&id).unwrap();
        self.moved.retain(|_, moved| *moved != id);
        std::fs::remove_dir_all(gone.dir).unwrap();
    }

    /// Gives a repository another name; the old one leads to it until somebody else takes it.
    pub fn rename(&mut self, id: u64, owner: Option<&str>, name: Option<&str>) {
        let repo = self.repos.get_mut(&id).unwrap();
        let old = repo.full_name().to_lowercase();
        if let Some(owner) = owner {
            owner.clone_into(&mut repo.owner);
        }
        if let Some(name) = name {
            name.clone_into(&mut repo.name);
        }
        let new = repo.full_name().to_lowercase();
        self.moved.remove(&new);
        if new != old {
            self.moved.insert(old, id);
        }
    }

    /// Whether this person administers the organisation.
    pub fn is_admin(&self, login: &str) -> bool {
        self.org
            .members
            .get(login)
            .is_some_and(|role| role == "admin")
    }
}

impl Repo {
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl Shelf {
    pub fn new(id: u64) -> Self {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        Self {
            variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
            key: crypto_box::SecretKey::from_bytes(bytes),
            key_id: format!("5680{id:014}"),
        }
    }
}

/// `2026-11-23T12:00:00Z`
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What GraphQL calls an object; opaque, and never the same for two.
pub fn node_id(kind: &str, id: u64) -> String {
    use base64::Engine as _;
    format!(
        "{kind}_{}",
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("k{id:010}"))
    )
}
