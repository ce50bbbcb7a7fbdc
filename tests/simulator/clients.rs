//! Slack's own clients, and discord.js, against the simulator: scripts under `tests/clients/`, run with what `scripts/setup-tools`
//! installed under `.tools/`.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use super::harness::Sim;

/// A client that takes longer hangs; the browser is the slowest, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test]
async fn bolt_js_over_http() {
    node("bolt_http.js").await;
}

#[tokio::test]
async fn bolt_js_over_socket_mode() {
    node("bolt_socket.js").await;
}

#[tokio::test]
async fn slacks_socket_mode_client() {
    node("socket_mode.js").await;
}

#[tokio::test]
async fn pythons_slack_sdk() {
    let python = root().join(".tools/venv/bin/python");
    if found(&python, "slack_sdk") {
        run(Command::new(python).arg(root().join("tests/clients/sdk.py"))).await;
    }
}

#[tokio::test]
async fn discord_js_over_the_gateway() {
    node("discord.js").await;
}

#[tokio::test]
async fn discord_js_builders_over_http() {
    node("discord_http.js").await;
}

/// Runs a script of `tests/clients/` in Node.
pub async fn node(script: &str) {
    let modules = root().join(".tools/node/node_modules");
    let needed = if script.starts_with("discord") {
        "discord.js"
    } else {
        "@slack/bolt"
    };
    if found(&modules.join(needed), script) {
        run(Command::new("node")
            .arg(root().join("tests/clients").join(script))
            .env("NODE_PATH", modules))
        .await;
    }
}

/// Whether the client is installed; where everything must be, its absence fails.
pub fn found(path: &Path, what: &str) -> bool {
    if path.exists() {
        return true;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no configuration of their own"
    )]
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(
        !ci,
        "{} is missing: run scripts/setup-tools",
        path.display()
    );
    crate::support::left_out(&format!(
        "{what}: {} is missing, scripts/setup-tools installs it",
        path.display()
    ));
    false
}

/// Runs a client against a fresh simulator; it exits with 0 when everything was as it expects from Slack.
async fn run(command: &mut Command) {
    let sim = Sim::start(|_| {}).await;
    let config = command
        .env("SIM_URL", sim.base.as_str())
        .env("SIM_BOT_TOKEN", "xoxb-sandbox-bot")
        .env("SIM_APP_TOKEN", "xapp-sandbox-app")
        .env("SIM_SIGNING_SECRET", "sandbox-signing-secret")
        .env("SIM_DISCORD_TOKEN", "sandbox.discord.bot")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, config.output())
        .await
        .unwrap_or_else(|_| panic!("the client doesn't end"))
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
