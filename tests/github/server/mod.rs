//! A GitHub of our own for tests: an organisation, its App and its people behind GitHub's published API, real git, its
//! limits and its refusals.
//!
//! It is strict: what GitHub's description doesn't know is refused *and* remembered as a fault, and a test that leaves
//! faults fails at its end. Its own answers are held to the same description. What it can't know of GitHub is told in
//! `docs/github.md`.

pub mod answer;
mod api;
mod auth;
pub mod bare;
mod device;
mod git;
mod http;
pub mod levers;
pub mod limits;
mod mould;
mod ops;
mod permissions;
pub mod spec;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use self::http::{Shared, Side};
use self::levers::{Lever, Trouble};
use self::world::{App, Holder, Kind, Logged, Org, Permissions, Repo, Team, Token, User, World};

/// The organisation of the tests.
pub const ORG: &str = "acme";
/// One of its owners, who also made the App.
pub const OWNER: &str = "olivia";

/// What the App is granted unless a test says otherwise: what `deploy/github/app-manifest.json` asks for, and more.
const GRANTED: &[(&str, &str)] = &[
    ("actions", "read"),
    ("actions_variables", "write"),
    ("administration", "write"),
    ("contents", "write"),
    ("environments", "write"),
    ("members", "read"),
    ("metadata", "read"),
    ("organization_custom_properties", "admin"),
    ("pull_requests", "write"),
    ("repository_custom_properties", "write"),
    ("repository_hooks", "write"),
    ("secrets", "write"),
    ("statuses", "write"),
    ("workflows", "write"),
];

/// The running server. Dropping it stops it, and fails the test where something was sent that GitHub would not take.
pub struct GitHub {
    world: Arc<Mutex<World>>,
    api: String,
    web: String,
    private_key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl GitHub {
    /// Starts it on two free ports, on a thread of its own so that a test may also block.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            (listener, address)
        };
        let ((api_listener, api), (web_listener, web)) = (listen(), listen());
        let (private_key, key) = keys();
        let mut world = World::new(
            api.clone(),
            web.clone(),
            folder.path().to_owned(),
            app(key),
            org(),
        );
        people(&mut world);
        let world = Arc::new(Mutex::new(world));
        let shared = Arc::new(Shared {
            world: Arc::clone(&world),
            in_flight: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                for (listener, side) in [(api_listener, Side::Api), (web_listener, Side::Web)] {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    tokio::spawn(http::serve(listener, Arc::clone(&shared), side));
                }
                let _dropped = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_secs(5));
        });
        Self {
            world,
            api,
            web,
            private_key,
            stop: Some(stop),
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// `GITHUB_API_URL`
    pub fn api_url(&self) -> &str {
        &self.api
    }

    /// `GITHUB_GIT_URL`: also where people go.
    pub fn git_url(&self) -> &str {
        &self.web
    }

    /// The same API where an Enterprise Server has it.
    pub fn enterprise_api_url(&self) -> String {
        format!("{}/api/v3", self.web)
    }

    pub fn app_id(&self) -> u64 {
        self.world().app.id
    }

    /// The App's private key as GitHub hands it out: PEM, PKCS#1.
    pub fn private_key(&self) -> &str {
        &self.private_key
    }

    /// Everything there is, to look at and to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A repository by its name in the organisation.
    pub fn repo<T>(&self, name: &str, look: impl FnOnce(&Repo) -> T) -> Option<T> {
        self.world().repo_at(ORG, name).map(look)
    }

    /// A classic personal token.
    pub fn classic_token(&self, login: &str, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.token(
            "ghp",
            Holder::Classic {
                login: login.to_owned(),
                scopes,
            },
        )
    }

    /// A fine-grained personal token.
    pub fn fine_grained_token(&self, login: &str, permissions: &[(&str, &str)]) -> String {
        let permissions = owned(permissions);
        self.token(
            "github_pat",
            Holder::FineGrained {
                login: login.to_owned(),
                permissions,
            },
        )
    }

    /// A token of the installation with all that the App was granted, for tests that don't ask for one themselves.
    pub fn installation_token(&self) -> String {
        let permissions = self.world().app.granted.clone();
        self.token(
            "ghs",
            Holder::Installation {
                permissions,
                repositories: None,
            },
        )
    }

    fn token(&self, prefix: &str, holder: Holder) -> String {
        let text = auth::new_token(prefix);
        self.world().tokens.insert(
            text.clone(),
            Token {
                holder,
                expires: None,
            },
        );
        text
    }

    /// Moves GitHub's clock on, against everybody else's.
    pub fn advance(&self, by: Duration) {
        self.world().shift += TimeDelta::from_std(by).unwrap();
    }

    /// Puts GitHub's clock this far off: ours runs behind where it is positive.
    pub fn skew(&self, seconds: i64) {
        self.world().shift = TimeDelta::seconds(seconds);
    }

    /// What the App may do from now on; tokens that were given keep what they have.
    pub fn grant(&self, permissions: &[(&str, &str)]) {
        self.world().app.granted = owned(permissions);
    }

    /// Takes a permission from the App and from every token of it.
    pub fn withdraw(&self, permission: &str) {
        let mut world = self.world();
        world.app.granted.remove(permission);
        for token in world.tokens.values_mut() {
            if let Holder::Installation { permissions, .. } = &mut token.holder {
                permissions.remove(permission);
            }
        }
    }

    /// Every token is void at once.
    pub fn revoke_tokens(&self) {
        self.world().tokens.clear();
    }

    pub fn uninstall(&self) {
        self.world().app.installed = false;
    }

    pub fn suspend(&self, suspended: bool) {
        self.world().app.suspended = suspended;
    }

    /// Nobody may choose this visibility in the organisation.
    pub fn forbid(&self, visibility: &str) {
        self.world().org.forbidden.insert(visibility.to_owned());
    }

    pub fn rename(&self, name: &str, to: &str) {
        let mut world = self.world();
        let id = world.repo_at(ORG, name).unwrap().id;
        world.rename(id, None, Some(to));
    }

    pub fn transfer(&self, name: &str, to: &str) {
        let mut world = self.world();
        let id = world.repo_at(ORG, name).unwrap().id;
        world.rename(id, Some(to), None);
    }

    pub fn delete(&self, name: &str) {
        let mut world = self.world();
        let id = world.repo_at(ORG, name).unwrap().id;
        world.delete(id);
    }

    pub fn rename_branch(&self, name: &str, from: &str, to: &str) {
        let mut world = self.world();
        let id = world.repo_at(ORG, name).unwrap().id;
        let repo = world.repos.get_mut(&id).unwrap();
        bare::git(&repo.dir, &["branch", "-m", from, to]).unwrap();
        if repo.default_branch == from {
            to.clone_into(&mut repo.default_branch);
        }
    }

    pub fn delete_team(&self, slug: &str) {
        let mut world = self.world();
        world.org.teams.remove(slug);
        for repo in world.repos.values_mut() {
            repo.teams.remove(slug);
        }
    }

    /// Somebody else commits to the default branch; gives the commit.
    pub fn foreign_push(&self, name: &str, path: &str, content: &str) -> String {
        let world = self.world();
        let repo = world.repo_at(ORG, name).unwrap();
        let stranger = ("Stranger", "stranger@example.com");
        let target = (&*repo.default_branch, path);
        bare::put_file(
            &repo.dir,
            target,
            content.as_bytes(),
            "A stranger's",
            stranger,
        )
        .unwrap()
        .0
    }

    /// A ruleset of the organisation, which every repository is under.
    pub fn org_ruleset(&self, rules: &Value) {
        let mut world = self.world();
        let id = world.new_id();
        let now = world::stamp(world.now());
        let ruleset = json!({
            "id": id, "name": "Organisation", "target": "branch", "source_type": "Organization", "source": ORG,
            "enforcement": "active", "bypass_actors": [], "rules": rules, "created_at": now, "updated_at": now,
            "conditions": { "ref_name": { "include": ["~DEFAULT_BRANCH"], "exclude": [] } },
        });
        world.org.rulesets.insert(id, ruleset);
    }

    /// The person at the browser agrees to the device flow as this login, or (none) declines.
    pub fn authorise_device(&self, user_code: &str, login: Option<&str>) {
        let mut world = self.world();
        let device = world
            .device
            .iter_mut()
            .find(|device| device.user_code == user_code)
            .unwrap();
        device.answer = Some(login.map(str::to_owned));
    }

    /// Lets the next call of an operation go wrong, after so many that go well. `git` is a push, `*` any call.
    pub fn trouble(&self, operation: &str, skip: usize, trouble: Trouble) {
        self.troubles(operation, skip, 1, trouble);
    }

    /// The same for so many calls in a row.
    pub fn troubles(&self, operation: &str, skip: usize, times: usize, trouble: Trouble) {
        let lever = Lever {
            operation: operation.to_owned(),
            skip,
            times,
            trouble,
        };
        self.world().levers.pull(lever);
    }

    /// All calls so far.
    pub fn log(&self) -> Vec<Logged> {
        self.world().log.clone()
    }

    /// How many calls of a kind there were.
    pub fn count(&self, kind: Kind) -> usize {
        self.world()
            .log
            .iter()
            .filter(|call| call.kind == kind)
            .count()
    }

    /// Forgets the calls so far.
    pub fn clear_log(&self) {
        self.world().log.clear();
    }

    /// What was sent that GitHub would not take. Whoever looks has to judge it: they are forgotten here.
    pub fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut self.world().faults)
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
        let faults = self.take_faults();
        if !faults.is_empty() && !std::thread::panicking() {
            panic!("GitHub would not have taken this:\n{}", faults.join("\n"));
        }
    }
}

fn owned(permissions: &[(&str, &str)]) -> Permissions {
    permissions
        .iter()
        .map(|(name, level)| ((*name).to_owned(), (*level).to_owned()))
        .collect()
}

/// The App's key: the private half as PEM, the public half as DER. One for all tests of a process: making one takes a
/// while.
fn keys() -> (String, Vec<u8>) {
    static KEYS: std::sync::OnceLock<(String, Vec<u8>)> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // PKCS#8 of an RSA key is a head of fixed length around PKCS#1 (RFC 5208), which is what GitHub hands out.
        let text = base64::engine::general_purpose::STANDARD.encode(&der.as_ref()[26..]);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
            lines.join("\n")
        );
        (pem, pair.public_key().as_ref().to_vec())
    })
    .clone()
}

fn app(key: Vec<u8>) -> App {
    App {
        id: 421_337,
        slug: "acme-idp".to_owned(),
        client_id: "Iv23liIdpTests000001".to_owned(),
        key,
        device_flow: true,
        device_interval: 5,
        installation: 58_110_042,
        installed: true,
        suspended: false,
        granted: owned(GRANTED),
        selected: None,
    }
}

fn org() -> Org {
    Org {
        id: 9_001,
        login: ORG.to_owned(),
        forbidden: BTreeSet::new(),
        teams: BTreeMap::new(),
        members: BTreeMap::new(),
        properties: BTreeMap::new(),
        rulesets: BTreeMap::new(),
    }
}

/// The people of the demo, in their teams, and one outside the organisation.
fn people(world: &mut World) {
    let people = [
        (OWNER, "Olivia Owner", "admin"),
        ("priya-nair", "Priya Nair", "member"),
        ("alex-ruiz", "Alex Ruiz", "member"),
        ("sam-ito", "Sam Ito", "member"),
    ];
    for (login, name, role) in people {
        world.org.members.insert(login.to_owned(), role.to_owned());
        let id = world.new_id();
        world.users.insert(
            login.to_owned(),
            User {
                id,
                login: login.to_owned(),
                name: name.to_owned(),
            },
        );
    }
    let id = world.new_id();
    let name = "Eve Elsewhere".to_owned();
    world.users.insert(
        "eve-elsewhere".to_owned(),
        User {
            id,
            login: "eve-elsewhere".to_owned(),
            name,
        },
    );
    for (slug, members) in [
        ("payments", &["priya-nair", "sam-ito"][..]),
        ("payments-leads", &["alex-ruiz", "sam-ito"]),
        ("platform", &["olivia"]),
        ("security", &["sam-ito"]),
    ] {
        let id = world.new_id();
        let team = Team {
            id,
            slug: slug.to_owned(),
            name: slug.to_owned(),
            members: members.iter().map(|login| (*login).to_owned()).collect(),
            created: world.now(),
        };
        world.org.teams.insert(slug.to_owned(), team);
    }
}
