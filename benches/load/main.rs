//! The load behind the figures of `docs/performance.md`: the bot as a child process, reached over its real wire by a
//! small Slack of our own, beside the named peers.
//!
//! ```sh
//! benches/run submissions | presses | latency | step | lifecycle | recovery | discord | discord-presses | discord-memory
//! ```
//!
//! `benches/run` gives it a Postgres with fsync on (`DATABASE_URL`) and the release build (`IDP_BIN`).

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool that may stop aloud"
)]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    missing_docs,
    reason = "it prints figures"
)]

mod bot;
mod discord;
mod figures;
mod lean;
mod slack;
mod step;

#[tokio::main]
async fn main() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    // `cargo bench` adds `--bench`; what is left names the figure.
    let Some(figure) = std::env::args().skip(1).find(|a| !a.starts_with("--")) else {
        println!(
            "name a figure: submissions, presses, latency, step, lifecycle, recovery, discord, discord-presses, discord-memory"
        );
        return;
    };
    match figure.as_str() {
        "submissions" => figures::submissions().await,
        "presses" => figures::presses().await,
        "latency" => figures::latency().await,
        "step" => step::step().await,
        "lifecycle" => figures::lifecycle().await,
        "recovery" => figures::recovery().await,
        "discord" => discord::submissions().await,
        "discord-presses" => discord::presses().await,
        "discord-memory" => discord::memory().await,
        other => panic!("no figure is called {other}"),
    }
}
