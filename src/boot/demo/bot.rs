//! The demo's bot: `idp serve` as a process of its own, started again when it dies.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::distr::Alphanumeric;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::place::Place;
use crate::boot::cli::print::Printer;
use crate::boot::problem::{OrFail, Problem};
use crate::boot::shutdown;
use crate::sandbox::DiscordConfig;

/// How long the bot may take to be ready: it migrates an empty database first.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// A bot that dies sooner than this after its start didn't start.
const TOO_SOON: Duration = Duration::from_secs(2);
/// How many such deaths in a row are a failure of the demo and not an accident.
const DEATHS: u32 = 3;
/// The pause before each new start.
const PAUSE: Duration = Duration::from_millis(200);

/// What the chat simulators and the bot both know.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) signing_secret: String,
    pub(super) bot_token: String,
    pub(super) app_token: String,
    /// The application on Discord.
    pub(super) discord: DiscordConfig,
    /// Lets the chat workspace show the evidence behind a message.
    pub(super) api_token: String,
}

/// The running bot, whichever process it is at present.
#[derive(Debug)]
pub(super) struct Bot {
    address: SocketAddr,
    log: PathBuf,
    stop: CancellationToken,
    failed: CancellationToken,
    kills: mpsc::Sender<()>,
    supervisor: JoinHandle<()>,
}

/// Kills the bot at once.
#[derive(Debug, Clone)]
pub(super) struct Killer(mpsc::Sender<()>);

impl Credentials {
    /// New ones.
    pub(super) fn new() -> Self {
        let word = |n| {
            rand::rng()
                .sample_iter(Alphanumeric)
                .take(n)
                .map(char::from)
                .collect::<String>()
        };
        Self {
            signing_secret: word(32),
            bot_token: format!("xoxb-{}", word(24)),
            app_token: format!("xapp-{}", word(24)),
            discord: DiscordConfig {
                bot_token: format!("demo.{}", word(38)),
                seed: rand::random(),
                deliver_to: Vec::new(),
            },
            api_token: word(32),
        }
    }

    /// The same ones each time, for a bot that is started by hand again and again.
    pub(super) fn fixed() -> Self {
        Self {
            signing_secret: "demo-signing-secret".into(),
            bot_token: "xoxb-demo".into(),
            app_token: "xapp-demo".into(),
            discord: DiscordConfig {
                bot_token: "demo.discord.bot".into(),
                seed: *b"the same key pair at each start.",
                deliver_to: Vec::new(),
            },
            api_token: "demo-api-token".into(),
        }
    }

    /// What a bot needs to know of the chat workspace and the Discord server at `page`. `socket`: it connects to both by
    /// itself, and nothing is posted to it.
    pub(super) fn variables(&self, page: SocketAddr, socket: bool) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("SLACK_API_URL", format!("http://{page}/api")),
            ("SLACK_BOT_TOKEN", self.bot_token.clone()),
            ("DISCORD_API_URL", format!("http://{page}/discord/api/v10")),
            ("DISCORD_BOT_TOKEN", self.discord.bot_token.clone()),
            ("DISCORD_PUBLIC_KEY", self.discord.public_key()),
        ];
        if socket {
            variables.push(("SLACK_APP_TOKEN", self.app_token.clone()));
            variables.push(("DISCORD_GATEWAY", "1".to_owned()));
        } else {
            variables.push(("SLACK_SIGNING_SECRET", self.signing_secret.clone()));
        }
        variables
    }
}

/// Where the bot and what it works with are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    /// The chat workspace.
    pub(super) page: SocketAddr,
    /// Where the bot listens.
    pub(super) address: SocketAddr,
    /// Command files in place of the built-in ones.
    pub(super) commands: Option<&'a Path>,
    /// Templates in place of the built-in ones.
    pub(super) templates: Option<&'a Path>,
}

impl Setting<'_> {
    fn definitions(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let named = [
            ("IDP_COMMANDS_DIR", self.commands),
            ("IDP_TEMPLATES_DIR", self.templates),
        ];
        named
            .into_iter()
            .filter_map(|(name, folder)| Some((name, folder?.to_owned())))
    }
}

impl Bot {
    /// Starts it.
    pub(super) fn start(
        place: &Place,
        credentials: &Credentials,
        setting: Setting<'_>,
        printer: &Arc<Printer>,
    ) -> Result<Self, Problem> {
        let mut command = Command::new(std::env::current_exe().or_fail("can't find `idp` itself")?);
        // Settings of a real bot in our own environment are not the demo's.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if [
                "SLACK_",
                "DISCORD_",
                "GITHUB_",
                "IDP_",
                "DATABASE_URL",
                "KUBECONFIG",
            ]
            .iter()
            .any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        let log = place.bot_log();
        File::create(&log).or_fail(format!("can't write {}", log.display()))?;
        command
            .args(["serve", "--until-input-ends"])
            .envs(credentials.variables(setting.page, false))
            .envs(setting.definitions())
            .env("IDP_CONFIG", place.configuration()?)
            .env("IDP_DATA_DIR", place.data())
            .env("IDP_LISTEN", setting.address.to_string())
            .env("IDP_PUBLIC_URL", format!("http://{}", setting.address))
            .env("IDP_API_TOKEN", &credentials.api_token)
            // Ctrl-C in our terminal is for us: we stop the bot, in the right order.
            .process_group(0)
            .kill_on_drop(true);
        let (stop, failed) = (CancellationToken::new(), CancellationToken::new());
        let (kills, killed) = mpsc::channel(1);
        let supervisor = Supervisor {
            command,
            log: log.clone(),
            stop: stop.clone(),
            failed: failed.clone(),
            killed,
            printer: Arc::clone(printer),
        };
        let supervisor = tokio::spawn(supervisor.run());
        Ok(Self {
            address: setting.address,
            log,
            stop,
            failed,
            kills,
            supervisor,
        })
    }

    /// Comes back when the bot answers that it is ready, or when it is clear that it never will.
    pub(super) async fn ready(&self) -> Result<(), Problem> {
        let client = reqwest::Client::new();
        let address = format!("http://{}/readyz", self.address);
        let asking = async {
            loop {
                match client.get(&address).send().await {
                    Ok(answer) if answer.status().is_success() => return,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::select! {
            () = asking => Ok(()),
            () = self.failed.cancelled() => Err(self.explain("the bot can't start")),
            () = tokio::time::sleep(READY_WITHIN) => Err(self.explain("the bot is not ready")),
        }
    }

    pub(super) fn killer(&self) -> Killer {
        Killer(self.kills.clone())
    }

    /// Stops it in good order.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.supervisor.await; // it neither fails nor is cancelled
    }

    fn explain(&self, text: &str) -> Problem {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n    ");
        Problem::failed(text)
            .because(anyhow::anyhow!("{tail}"))
            .hint(format!("its log is {}", self.log.display()))
    }
}

impl Killer {
    /// SIGKILL, with no chance to tidy up.
    pub(super) fn kill(&self) -> Result<(), String> {
        self.0
            .try_send(())
            .map_err(|_| "The bot is being killed already.".to_owned())
    }
}

struct Supervisor {
    command: Command,
    log: PathBuf,
    stop: CancellationToken,
    failed: CancellationToken,
    killed: mpsc::Receiver<()>,
    printer: Arc<Printer>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut deaths = 0;
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            match self.spawn() {
                Ok(child) => self.watch(child).await,
                Err(problem) => self.printer.note(problem),
            }
            if self.stop.is_cancelled() {
                return;
            }
            deaths = if began.elapsed() < TOO_SOON {
                deaths + 1
            } else {
                0
            };
            if deaths >= DEATHS {
                self.failed.cancel();
                return;
            }
            self.printer.note("The bot is gone; starting it again.");
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn spawn(&mut self) -> Result<Child, Problem> {
        let log = File::options()
            .append(true)
            .open(&self.log)
            .or_fail("can't write the bot's log")?;
        let again = log.try_clone().or_fail("can't write the bot's log")?;
        // The other end of its input closes with us, however we end, and it stops.
        self.command.stdin(Stdio::piped()).stdout(log).stderr(again);
        self.command.spawn().or_fail("can't start the bot")
    }

    /// Comes back when the process is gone.
    async fn watch(&mut self, mut child: Child) {
        // Held here, since waiting for a child closes the input that it holds itself.
        let mut input = child.stdin.take();
        loop {
            tokio::select! {
                _ = child.wait() => return,
                Some(()) = self.killed.recv() => {
                    let _ = child.start_kill(); // gone already is as good
                }
                () = self.stop.cancelled() => {
                    drop(input.take()); // as `--until-input-ends` has it
                    if tokio::time::timeout(shutdown::PATIENCE, child.wait()).await.is_err() {
                        let _ = child.kill().await;
                    }
                    return;
                }
            }
        }
    }
}
