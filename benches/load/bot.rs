//! The bot as an operator starts it: a child process with an environment.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::slack::Slack;

/// A running `idp serve`, killed when dropped.
pub struct Bot {
    pub child: Child,
    pub url: String,
    /// Start to `/readyz` good.
    pub ready: Duration,
    folder: tempfile::TempDir,
}

/// How a bot is set up.
pub struct Set<'a> {
    /// A replica that only takes deliveries (`web`), or only works (`worker`), or both.
    pub role: &'a str,
    /// How many steps the command has.
    pub steps: usize,
    /// What else stands in `idp.toml`.
    pub toml: &'a str,
}

impl Default for Set<'_> {
    fn default() -> Self {
        Self {
            role: "all",
            steps: 1,
            toml: "",
        }
    }
}

/// The command that everybody asks for; its steps do nothing.
fn command(steps: usize) -> String {
    let head = r#"
apiVersion: idp.dev/v1
kind: Command
metadata: { name: bench, title: Bench }
spec:
  parameters:
    - title: Bench
      required: [name]
      properties:
        name: { type: string, title: Name, maxLength: 60 }
  approval:
    - name: leads
      require: [{ from: "group:leads", count: 1 }]
      expires: 24h
  steps:
"#;
    let step = |n| {
        format!("    - {{ id: step{n}, action: \"debug:log\", input: {{ message: \"one\" }} }}\n")
    };
    (0..steps).fold(head.to_owned(), |text, n| text + &step(n))
}

impl Bot {
    pub async fn start(slack: &Slack, database: &str) -> Self {
        Self::start_as("all", slack, database).await
    }

    /// A replica that only takes deliveries, or only works, or both.
    pub async fn start_as(role: &str, slack: &Slack, database: &str) -> Self {
        let set = Set {
            role,
            ..Set::default()
        };
        Self::start_with(set, database, |command| slack.add(command)).await
    }

    /// The same, set up otherwise, and on other platforms.
    pub async fn start_with(
        set: Set<'_>,
        database: &str,
        platforms: impl FnOnce(&mut Command),
    ) -> Self {
        let Set { role, steps, toml } = set;
        let folder = tempfile::tempdir().unwrap();
        let commands = folder.path().join("commands");
        std::fs::create_dir_all(&commands).unwrap();
        std::fs::write(commands.join("bench.yaml"), command(steps)).unwrap();
        std::fs::write(
            folder.path().join("idp.toml"),
            format!("[limits]\nopen_requests_per_person = 1000000\n{toml}"),
        )
        .unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        let mut command =
            Command::new(std::env::var("IDP_BIN").expect("IDP_BIN names the release build"));
        platforms(&mut command);
        let child = command
            .args(["serve", "--role", role])
            .current_dir(folder.path())
            .env("DATABASE_URL", database)
            .env("IDP_DATA_DIR", folder.path().join("data"))
            .env("IDP_LISTEN", format!("127.0.0.1:{port}"))
            .env("IDP_COMMANDS_DIR", &commands)
            .env("IDP_STATE_KEY", "bench-state-key-bench-state-key-bench")
            .env("IDP_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut bot = Self {
            child,
            url,
            ready: Duration::ZERO,
            folder,
        };
        wait_for("the bot to be ready", Duration::from_secs(30), async || {
            reqwest::get(format!("{}/readyz", bot.url))
                .await
                .is_ok_and(|a| a.status().is_success())
        })
        .await;
        bot.ready = begun.elapsed();
        bot
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// CPU seconds so far, user and system.
    pub fn cpu(&self) -> f64 {
        cpu_of(self.child.id())
    }

    /// Resident memory in MiB.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            / 1024.0
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        let _ = &self.folder;
    }
}

/// CPU seconds of a process: fields 14 and 15 of `/proc/PID/stat`, in ticks of 1/100 s (proc(5)).
pub fn cpu_of(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit(") ").next().unwrap();
    let ticks: Vec<f64> = after
        .split(' ')
        .skip(11)
        .take(2)
        .map(|t| t.parse().unwrap())
        .collect();
    (ticks[0] + ticks[1]) / 100.0
}

/// Asks again every few milliseconds until it holds.
pub async fn wait_for(what: &str, at_most: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < at_most, "waited {at_most:?} for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
