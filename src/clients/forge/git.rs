//! The git program: run without a shell, without our environment, and only so many at a time.
//!
//! Writing needs no git; reading what strangers pushed does (deltas, packed references), and so do clients that clone.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Git processes at a time. Each serves one clone, push or page; more would only compete for the same disk.
const AT_A_TIME: usize = 16;

/// Settings that hold in every call, whatever a repository or the machine says: no hooks, no housekeeping while
/// somebody waits, nothing but what a push or fetch needs.
const CONFIG: &[(&str, &str)] = &[
    ("safe.directory", "*"), // the data folder may belong to another user (a mounted volume)
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("receive.autogc", "false"),
    ("receive.fsckObjects", "true"),
    ("http.receivepack", "true"),
    ("http.getanyfile", "false"),
    ("uploadpack.allowFilter", "true"),
];

/// How git is found and limited. Cheap to clone; clones share the limit.
#[derive(Clone, Debug)]
pub struct Git {
    search: OsString,
    slots: Arc<Semaphore>,
}

impl Git {
    /// `search` is the `PATH` in which `git` is looked for.
    pub fn new(search: impl Into<OsString>) -> Self {
        Self {
            search: search.into(),
            slots: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// A git command with nothing in its environment but what it needs.
    pub fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", &self.search)
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_COUNT", CONFIG.len().to_string())
            .stdin(Stdio::null());
        for (n, (key, value)) in CONFIG.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{n}"), key)
                .env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        command
    }

    /// Waits for a free place; it is given back when the permit is dropped. `None` never happens: nobody closes it.
    pub async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }
}
