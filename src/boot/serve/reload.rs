//! What an operator may change while idp runs: definitions, and what `idp.toml` says of the organisation.
//!
//! A good change is in force at once, everywhere in the process, and leaves an audit row; a bad one is told in the log
//! and changes nothing. What only a start reads (addresses, tokens) is named in the log when it changes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;

use super::settings;
use crate::app::link::listed;
use crate::app::{App, Broken, configured};
use crate::boot::config::Organisation;
use crate::boot::config::file::{self, fixed};
use crate::boot::problem::{OrFail as _, Problem};
use crate::catalog::library::{Reloaded, Watching, watch, watch_file};
use crate::domain::canonical::Digest;

/// Watches the folders of definitions; `None`: they are the built-in ones.
pub(super) fn definitions(app: &App) -> Result<Option<Watching>, Problem> {
    let (tasks, keeper) = (Handle::current(), app.clone());
    watch(&app.library, move |reloaded| {
        keep(&keeper, &tasks, reloaded);
    })
    .or_fail("can't watch the folders of definitions")
}

/// Tells and keeps what reading the definitions again brought.
fn keep(app: &App, tasks: &Handle, reloaded: &Reloaded) {
    for problem in &reloaded.problems {
        tracing::error!(%problem, "A definition is broken; its last good version stays");
    }
    tracing::info!(changed = ?reloaded.changed, removed = ?reloaded.removed, "Read the definitions again");
    if let Err(cause) = tasks.block_on(configured::reloaded(app, reloaded)) {
        Broken::log("keeping what was reloaded", cause);
    }
}

/// Watches the configuration file.
pub(super) fn configuration(app: &App, file: &Path) -> Result<Watching, Problem> {
    let mut reader = Reader::new(app, file);
    let tasks = Handle::current();
    let watching = watch_file(file, move || reader.look(&tasks));
    watching.or_fail(format!("can't watch {}", file.display()))
}

/// Reads the file again when its text is another one.
struct Reader {
    app: App,
    file: PathBuf,
    /// The text that was read last, good or bad: a touch is no change. `None`: there was no file.
    text: Option<Digest>,
    /// What the running process was started with.
    fixed: BTreeMap<String, Digest>,
}

impl Reader {
    fn new(app: &App, file: &Path) -> Self {
        let text = fs::read_to_string(file).ok();
        Self {
            app: app.clone(),
            file: file.to_owned(),
            text: text.as_deref().map(|text| Digest::of(text.as_bytes())),
            fixed: text.as_deref().map(fixed).unwrap_or_default(),
        }
    }

    /// Looks whether there is something new, and takes it over.
    fn look(&mut self, tasks: &Handle) {
        let file = self.file.display();
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.text.is_none() => return,
            Err(e) => {
                tracing::error!(%file, error = %e, "The configuration can't be read; what it said before stays");
                return;
            }
        };
        let digest = Some(Digest::of(text.as_bytes()));
        if self.text == digest {
            return;
        }
        self.text = digest;
        let for_a_start = self.for_a_start(&text);
        match Organisation::parse(&self.file, text) {
            Ok(organisation) => self.take_over(&organisation, tasks),
            Err(problem) => {
                tracing::error!(%problem, "The configuration is broken; what it said before stays");
                return;
            }
        }
        if !for_a_start.is_empty() {
            tracing::warn!(keys = ?for_a_start, "The configuration changed where only a start reads it: start idp again");
        }
    }

    fn take_over(&self, organisation: &Organisation, tasks: &Handle) {
        let app = &self.app;
        let fresh = settings::organised((*app.settings.current()).clone(), organisation);
        let before = app.settings.replace(fresh);
        let changed = app.settings.current().differences(&before);
        if changed.is_empty() {
            return;
        }
        tracing::info!(file = %self.file.display(), ?changed, "Read the configuration again");
        if let Err(cause) = tasks.block_on(configured::changed(app, &changed)) {
            Broken::log("keeping a change of the configuration", cause);
        }
        if changed.iter().any(|key| key == "people")
            && let Err(cause) = tasks.block_on(listed::apply(app))
        {
            Broken::log("linking the people of the configuration", cause);
        }
        if changed.iter().any(|key| key.starts_with("teams.")) {
            // Definitions name teams: what is wrong with them may be another thing now.
            let github = app.settings.current().organisation.clone();
            let actions = app.library.actions();
            app.library
                .know(settings::known(organisation, github.as_deref(), actions));
            keep(app, tasks, &app.library.reload());
        }
    }

    /// Keys that differ from those that this process was started with.
    fn for_a_start(&self, text: &str) -> Vec<String> {
        let now = fixed(text);
        let github = self.app.settings.current().organisation.clone();
        // On the local forge it is in force at once, and beside another `github.org` it says nothing.
        let owns = github.is_some_and(|name| file::names(&self.fixed, &name));
        let keys = self.fixed.keys().chain(now.keys());
        let mut differ: Vec<String> = keys
            .filter(|key| owns || *key != file::ORGANISATION)
            .filter(|key| self.fixed.get(*key) != now.get(*key))
            .cloned()
            .collect();
        differ.sort();
        differ.dedup();
        differ
    }
}
