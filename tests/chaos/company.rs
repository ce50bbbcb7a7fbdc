//! The company: its chat workspace, its people, and two replicas of the bot, each a process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use super::story::Way;
use crate::support::postgres::Database;

/// Replicas of the bot.
pub const REPLICAS: usize = 2;

/// How long anything may take that somebody waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that runs. It ends with the value.
pub struct Company {
    pub database: Database,
    folder: TempDir,
    workspace: SocketAddr,
    bots: Vec<Bot>,
    http: reqwest::Client,
    _chat: Process,
}

impl Company {
    /// The workspace and the replicas, ready.
    pub async fn open(way: Way) -> Self {
        Self::prepared(way, &[]).await
    }

    /// The same, with what was done in the workspace before the bots came.
    pub async fn prepared(way: Way, acts: &[(&str, Value)]) -> Self {
        let database = Database::new().await;
        let folder = TempDir::new().unwrap();
        let addresses = free_addresses();
        let (workspace, bots) = addresses.split_first().unwrap();
        let chat = Process::start(chat(folder.path(), *workspace, way, bots), None);
        let http = reqwest::Client::new();
        answers(&http, &format!("http://{workspace}/sim/workspace")).await;
        for (what, act) in acts {
            let url = format!("http://{workspace}/sim/{what}");
            let answer = http.post(url).json(act).send().await.unwrap();
            assert!(answer.status().is_success(), "{what}: {act}");
        }
        let bots: Vec<Bot> = bots
            .iter()
            .map(|address| Bot {
                address: *address,
                process: Mutex::new(Process::start(
                    bot(folder.path(), &database, *workspace, way, *address),
                    Some(&log(folder.path(), *address)),
                )),
            })
            .collect();
        for bot in &bots {
            answers(&http, &format!("http://{}/readyz", bot.address)).await;
        }
        known(&database).await;
        Self {
            database,
            folder,
            workspace: *workspace,
            bots,
            http,
            _chat: chat,
        }
    }

    /// Kills a replica and starts it again, without waiting for it.
    pub fn kill(&self, which: usize, way: Way) {
        let Bot { address, process } = &self.bots[which];
        let mut process = process.lock().unwrap();
        process.kill();
        let command = bot(self.data(), &self.database, self.workspace, way, *address);
        *process = Process::start(command, Some(&log(self.data(), *address)));
    }

    /// Waits until every replica is ready.
    pub async fn ready(&self) {
        for bot in &self.bots {
            answers(&self.http, &format!("http://{}/readyz", bot.address)).await;
        }
    }

    /// What each replica says of its readiness.
    pub async fn readiness(&self) -> Vec<(u16, String)> {
        let mut told = Vec::new();
        for bot in &self.bots {
            let url = format!("http://{}/readyz", bot.address);
            let answer = self.http.get(url).send().await.unwrap();
            told.push((answer.status().as_u16(), answer.text().await.unwrap()));
        }
        told
    }

    /// The folder of the replicas.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// `idp` with this company's database and folder.
    pub fn idp(&self, arguments: &[&str]) -> Command {
        let mut command = idp(self.data(), arguments);
        command.env("DATABASE_URL", self.database.url());
        let key = SECRETS
            .into_iter()
            .filter(|(name, _)| *name == "IDP_STATE_KEY");
        command.envs(key);
        command
    }

    /// Somebody does something in the workspace. `Err`: what they are told, or that nothing could be done.
    pub async fn act(&self, what: &str, act: Value) -> Result<(), String> {
        let url = format!("http://{}/sim/{what}", self.workspace);
        let answer = self.http.post(url).json(&act).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = answer.json().await.unwrap();
        match (good, said["problem"].as_str(), said["error"].as_str()) {
            (true, None, _) => Ok(()),
            (_, Some(problem), _) | (_, _, Some(problem)) => Err(problem.to_owned()),
            _ => Err(said.to_string()),
        }
    }

    /// What somebody sees: `timeline?person=…`.
    pub async fn see(&self, what: &str) -> Value {
        let url = format!("http://{}/sim/{what}", self.workspace);
        let answer = self.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Looks until there is something to be seen.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            assert!(
                Instant::now() < deadline,
                "in vain: {what}\n{}",
                self.logs()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The last lines that the replicas wrote.
    pub fn logs(&self) -> String {
        let tail = |text: String| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        };
        self.all_logged()
            .into_iter()
            .map(tail)
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// The whole log of each replica.
    pub fn all_logged(&self) -> Vec<String> {
        let of =
            |bot: &Bot| std::fs::read_to_string(log(self.data(), bot.address)).unwrap_or_default();
        self.bots.iter().map(of).collect()
    }

    /// Opens the form, fills it in and sends it off, trying again where nobody answered.
    pub async fn ask(&self, person: &str, name: &str) {
        self.ask_in(person, "platform", name).await;
    }

    /// The same, typed in this channel.
    pub async fn ask_in(&self, person: &str, channel: &str, name: &str) {
        let view = || async {
            let view = self.see(&format!("view?person={person}")).await;
            view.is_object().then_some(view)
        };
        self.until("a form", async || {
            let open = view().await;
            if open.is_none() {
                let said =
                    json!({ "person": person, "channel": channel, "text": "/idp new-service" });
                let _ = self.act("say", said).await; // nobody answered: said again
            }
            open
        })
        .await;
        self.until("a form that is taken", async || {
            let Some(open) = view().await else {
                return Some(());
            };
            let entries = entries(&open, name);
            let form = json!({ "person": person, "view": open["id"], "entries": entries });
            let _ = self.act("submit", form).await; // nobody answered: sent again
            None
        })
        .await;
    }

    /// Presses a button of a card, again where nobody answered.
    pub async fn press(&self, person: &str, card: &Value, button: &str) {
        let on = json!({ "message": { "channel": card["channel"], "ts": card["ts"] } });
        let press = json!({ "person": person, "on": on, "action_id": button });
        self.until("a press that is answered", async || {
            match self.act("press", press.clone()).await {
                Ok(()) => Some(()),
                // The button is gone: an earlier press counted though its answer was lost.
                Err(told) if told.starts_with("There is nothing called") => Some(()),
                Err(_) => None,
            }
        })
        .await;
    }

    /// The root cards in the channel that people ask in.
    pub async fn cards(&self) -> Vec<Value> {
        let timeline = self.see("timeline?person=alex&channel=platform").await;
        let posts = timeline.as_array().unwrap();
        let by_bot = posts.iter().filter(|post| post["by_bot"] == true);
        by_bot.map(|post| post["message"].clone()).collect()
    }
}

struct Bot {
    address: SocketAddr,
    process: Mutex<Process>,
}

/// A child that doesn't outlive us.
struct Process(Child);

impl Process {
    fn start(mut command: Command, log: Option<&Path>) -> Self {
        let out = || match log {
            Some(log) => File::options()
                .create(true)
                .append(true)
                .open(log)
                .unwrap()
                .into(),
            None => Stdio::null(),
        };
        Self(
            command
                .stdin(Stdio::null())
                .stdout(out())
                .stderr(out())
                .spawn()
                .unwrap(),
        )
    }

    /// SIGKILL.
    fn kill(&mut self) {
        let _ = self.0.kill(); // gone already is as good
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn idp(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("IDP_DATA_DIR", folder);
    command
}

fn chat(folder: &Path, workspace: SocketAddr, way: Way, bots: &[SocketAddr]) -> Command {
    let mut command = idp(folder, &["demo", "--chat-only"]);
    command.env("IDP_LISTEN", workspace.to_string());
    if way == Way::Http {
        command.arg("--deliver-to");
        command.args(bots.iter().map(|bot| format!("http://{bot}/")));
    }
    command
}

/// What a replica is trusted with, and nobody else may ever read.
pub const SECRETS: [(&str, &str); 4] = [
    ("SLACK_BOT_TOKEN", "xoxb-demo"),
    ("SLACK_SIGNING_SECRET", "demo-signing-secret"),
    ("SLACK_APP_TOKEN", "xapp-demo"),
    ("IDP_STATE_KEY", "a-state-key-that-nobody-may-read"),
];

/// A replica, with what `idp demo --chat-only` tells its reader to start it with.
fn bot(
    folder: &Path,
    database: &Database,
    workspace: SocketAddr,
    way: Way,
    address: SocketAddr,
) -> Command {
    let mut command = idp(folder, &["serve"]);
    command
        .env("DATABASE_URL", database.url())
        .env("IDP_CONFIG", folder.join("demo/idp.toml"))
        .env("IDP_LISTEN", address.to_string())
        .env("IDP_PUBLIC_URL", format!("http://{address}"))
        .env("SLACK_API_URL", format!("http://{workspace}/api"));
    let other = match way {
        Way::Http => "SLACK_APP_TOKEN",
        Way::Socket => "SLACK_SIGNING_SECRET",
    };
    command.envs(SECRETS.into_iter().filter(|(name, _)| *name != other));
    command
}

fn log(folder: &Path, address: SocketAddr) -> PathBuf {
    folder.join(format!("bot-{}.log", address.port()))
}

/// Addresses that are free at this moment: one for the workspace and one for each replica.
fn free_addresses() -> Vec<SocketAddr> {
    let held: Vec<TcpListener> = (0..=REPLICAS)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    held.iter().map(|one| one.local_addr().unwrap()).collect()
}

/// Waits until an address answers well.
async fn answers(http: &reqwest::Client, url: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = http.get(url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "{url} never answers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the bots have read who the people are: before that, nobody may ask for anything.
async fn known(database: &Database) {
    let pool = database.pool(1).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let known: bool = sqlx::query_scalar(
            "select count(*) >= 2 from account a join membership m on m.account_id = a.id
             join idp_group g on g.id = m.group_id
             where g.handle = 'engineers' and a.kind = 'full' and a.external_id in ('U07PRIYA001', 'U07ALEXR002')",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        if known {
            return;
        }
        assert!(Instant::now() < deadline, "nobody is known");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a hurried person enters: whatever has no default.
fn entries(view: &Value, name: &str) -> Vec<Value> {
    let wanted = [
        ("name", name),
        ("template", "static-site"),
        ("owner", "payments"),
    ];
    let blocks = view["definition"]["blocks"].as_array().unwrap();
    let entry = |block: &Value| {
        let id = block["block_id"].as_str()?;
        let (_, value) = wanted
            .iter()
            .find(|(field, _)| id.ends_with(&format!(":{field}")))?;
        Some(json!({ "block_id": id, "action_id": block["element"]["action_id"], "value": value }))
    };
    blocks.iter().filter_map(entry).collect()
}
