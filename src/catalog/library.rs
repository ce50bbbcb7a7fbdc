//! The catalog at work: read from folders or from the binary, swapped as a whole when files change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::{Command, Known, Problem, Template, problem};
use crate::domain::action::ActionSpec;
use crate::domain::form::Choice;

/// Where definitions come from; `None`: the ones embedded in the binary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `IDP_COMMANDS_DIR`.
    pub commands: Option<PathBuf>,
    /// `IDP_TEMPLATES_DIR`.
    pub templates: Option<PathBuf>,
}

/// All definitions at one moment.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    commands: BTreeMap<String, Arc<Command>>,
    templates: BTreeMap<String, Arc<Template>>,
    problems: Vec<Problem>,
}

impl Catalog {
    /// Reads and checks everything. What is wrong is in [`Self::problems`]; what is right is there to be used.
    pub fn load(sources: &Sources, actions: &[ActionSpec], known: &Known) -> Self {
        let _ = (sources, actions, known);
        todo!()
    }

    /// A command by its name.
    pub fn command(&self, name: &str) -> Option<&Arc<Command>> {
        self.commands.get(name)
    }

    /// The command whose name is nearest to a word, if one is near enough to be meant.
    pub fn nearest_command(&self, word: &str) -> Option<&Arc<Command>> {
        let name = problem::nearest(word, self.commands.keys().map(String::as_str))?;
        self.command(name)
    }

    /// All commands by name.
    pub fn commands(&self) -> impl Iterator<Item = &Arc<Command>> {
        self.commands.values()
    }

    /// A template by its name.
    pub fn template(&self, name: &str) -> Option<&Arc<Template>> {
        self.templates.get(name)
    }

    /// All templates by name.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.templates.values()
    }

    /// What a `TemplatePicker` offers.
    pub fn template_choices(&self) -> Vec<Choice> {
        self.templates
            .values()
            .map(|template| Choice {
                value: template.name.clone(),
                label: template.title.clone(),
                description: template.description.clone(),
            })
            .collect()
    }

    /// What is wrong, in the order of files and lines.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// The current catalog, and the way to the next.
#[derive(Debug)]
pub struct Library {
    sources: Sources,
    actions: Vec<ActionSpec>,
    known: Mutex<Known>,
    current: ArcSwap<Catalog>,
}

/// What a reload brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Commands and templates that are new or differ (`command new-service`, `template node-http`).
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
    /// What is wrong now. Files that are named here keep their last good version.
    pub problems: Vec<Problem>,
}

impl Library {
    /// Reads everything for the first time. What is wrong is in the catalog's problems.
    pub fn open(sources: Sources, actions: Vec<ActionSpec>, known: Known) -> Self {
        let current = Catalog::load(&sources, &actions, &known);
        Self {
            sources,
            actions,
            known: Mutex::new(known),
            current: ArcSwap::from_pointee(current),
        }
    }

    /// The definitions as of now. Hold it for one piece of work, not longer.
    pub fn current(&self) -> Arc<Catalog> {
        self.current.load_full()
    }

    /// What actions there are.
    pub fn actions(&self) -> &[ActionSpec] {
        &self.actions
    }

    /// Tells what is known of groups, teams and channels, for the check of the next reload.
    pub fn know(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Reads everything again; a broken file keeps its last good version.
    pub fn reload(&self) -> Reloaded {
        todo!()
    }
}

/// Watches the folders until it is dropped.
#[derive(Debug)]
pub struct Watching {
    _watcher: notify::RecommendedWatcher,
}

/// Reloads when files change, a moment after the last change, and tells `on_reload` what came of it. Nothing to watch
/// where both sources are embedded: `None`.
pub fn watch(
    library: &Arc<Library>,
    on_reload: impl Fn(&Reloaded) + Send + 'static,
) -> notify::Result<Option<Watching>> {
    let _ = (library, on_reload);
    todo!()
}
