//! `idp serve` as a process of its own, as an operator runs it: a folder with `idp.toml`, a database, a fake Slack.

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::postgres::Database;
use super::slack::{self, BOT_TOKEN, Fake, SIGNING_SECRET};

/// How long a test waits for something that is to happen in another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// The token of `/api/requests`.
pub const API_TOKEN: &str = "operators-token";

/// A folder, a database and a Slack: what `idp` is run in.
pub struct Site {
    /// The Slack that it knows.
    pub fake: Fake,
    /// Its database.
    pub database: Database,
    folder: TempDir,
}

/// A running `idp serve`; killed when dropped.
pub struct Served {
    /// Where it answers.
    pub url: String,
    log: Arc<Mutex<String>>,
    child: Child,
}

impl Site {
    /// With this `idp.toml`.
    pub async fn new(toml: &str) -> Self {
        Self::with(Database::new().await, toml).await
    }

    /// On this database.
    pub async fn with(database: Database, toml: &str) -> Self {
        let site = Self {
            fake: Fake::start().await,
            database,
            folder: TempDir::new().unwrap(),
        };
        site.configure(toml);
        site
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `idp.toml` as editors do: a new file in its place.
    pub fn configure(&self, toml: &str) {
        std::fs::write(self.path("idp.toml.new"), toml).unwrap();
        std::fs::rename(self.path("idp.toml.new"), self.path("idp.toml")).unwrap();
    }

    /// `idp` with these arguments, in the environment of an operator and no other.
    pub fn idp(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", self.database.url())
            .env("IDP_STATE_KEY", "0123456789abcdef0123456789abcdef")
            .env("IDP_API_TOKEN", API_TOKEN)
            .env("IDP_LISTEN", "127.0.0.1:0")
            .env("SLACK_API_URL", self.fake.api_url())
            .env("SLACK_BOT_TOKEN", BOT_TOKEN)
            .env("SLACK_SIGNING_SECRET", SIGNING_SECRET);
        command
    }

    /// Runs `idp` to its end, away from the threads that serve its Slack.
    pub async fn runs(&self, arguments: &[&str]) -> Output {
        let mut command = self.idp(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// Starts `idp serve` and waits until it is ready.
    pub async fn serve(&self) -> Served {
        self.serve_with(|_| ()).await
    }

    /// The same with more in its environment.
    pub async fn serve_with(&self, change: impl FnOnce(&mut Command)) -> Served {
        let served = self.begins_with(change).await;
        let ready = format!("{}/readyz", served.url);
        until("it is not ready", async || {
            let answer = super::http().get(&ready).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        served
    }

    /// Starts `idp serve` and waits until it listens.
    pub async fn begins(&self) -> Served {
        self.begins_with(|_| ()).await
    }

    async fn begins_with(&self, change: impl FnOnce(&mut Command)) -> Served {
        let mut command = self.idp(&["serve"]);
        change(&mut command);
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut served = Served {
            url: String::new(),
            log,
            child,
        };
        let address = served
            .says("Serving address=")
            .await
            .split("Serving address=")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap()
            .to_owned();
        served.url = format!("http://{address}");
        served
    }

    /// Waits until it has looked up an account and a channel, as it does by itself after its start.
    pub async fn knows(&self, account: &str, channel: &str) {
        let pool = self.database.pool(1).await;
        let known = "select exists (select from account where external_id = $1 and kind = 'full')
            and exists (select from channel where name = $2)";
        until("it doesn't look people up", async || {
            let query = sqlx::query_scalar(known).bind(account).bind(channel);
            query.fetch_one(&pool).await.unwrap_or(false).then_some(())
        })
        .await;
    }

    /// Somebody types the slash command.
    pub async fn types(&self, served: &Served, user: &str, text: &str) -> slack::Answer {
        let body = slack::form(&slack::command(&self.fake, user, text));
        slack::deliver(&served.url, "/slack/commands", &body).await
    }

    /// Somebody presses something.
    pub async fn presses(&self, served: &Served, payload: &serde_json::Value) -> slack::Answer {
        let body = slack::form(&[("payload", payload.to_string())]);
        slack::deliver(&served.url, "/slack/interactions", &body).await
    }
}

impl Served {
    /// Waits until the log says this, and gives the log.
    pub async fn says(&self, words: &str) -> String {
        until(words, async || {
            let log = self.log.lock().unwrap().clone();
            log.contains(words).then_some(log)
        })
        .await
    }

    /// Tells it to stop, as a supervisor does, and waits for its end.
    pub async fn stops(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        until("it doesn't stop", async || self.child.try_wait().unwrap()).await;
    }

    /// What the log says so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let _ = std::io::stderr().write_all(self.log().as_bytes());
        }
    }
}

/// Looks again and again until there is something; `what` is what never came.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
