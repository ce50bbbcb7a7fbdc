//! The catalog at work: read from folders or from the binary, swapped as a whole when files change.

mod load;
mod source;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

pub use self::source::Sources;
pub use self::watch::{Watching, watch, watch_file};
use super::template::RECOMMENDED;
use super::{Command, Known, Problem, Template, problem};
use crate::domain::action::ActionSpec;
use crate::domain::form::Choice;

/// All definitions at one moment.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    commands: BTreeMap<String, Arc<Command>>,
    templates: BTreeMap<String, Arc<Template>>,
    problems: Vec<Problem>,
    /// Which file each definition came from: what a broken file stood for.
    origins: BTreeMap<String, Origin>,
}

/// What a file (or folder of a template) held when it was last good.
#[derive(Debug, Clone)]
enum Origin {
    Command(Arc<Command>),
    Template(Arc<Template>),
}

impl Catalog {
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

    /// The template that forms preselect: the first one with the tag `recommended`, else the only one there is.
    pub fn recommended(&self) -> Option<&str> {
        let tagged = |t: &&Arc<Template>| t.tags.iter().any(|tag| tag == RECOMMENDED);
        let only = || {
            self.templates
                .values()
                .next()
                .filter(|_| self.templates.len() == 1)
        };
        let found = self.templates.values().find(tagged).or_else(only);
        found.map(|template| template.name.as_str())
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
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let fresh = Catalog::read(&self.sources, &self.actions, &known, Some(&before));
        let reloaded = Reloaded::between(&before, &fresh);
        self.current.store(Arc::new(fresh));
        drop(known); // held until here, so that two reloads can't overtake each other
        reloaded
    }
}

impl Reloaded {
    fn between(before: &Catalog, after: &Catalog) -> Self {
        let digests = |catalog: &Catalog| -> BTreeMap<String, crate::domain::canonical::Digest> {
            let commands = catalog
                .commands()
                .map(|c| (format!("command {}", c.name), c.digest()));
            let templates = catalog
                .templates()
                .map(|t| (format!("template {}", t.name), t.digest()));
            commands.chain(templates).collect()
        };
        let (old, new) = (digests(before), digests(after));
        Self {
            changed: new
                .iter()
                .filter(|(name, digest)| old.get(*name) != Some(digest))
                .map(|(name, _)| name.clone())
                .collect(),
            removed: old
                .keys()
                .filter(|name| !new.contains_key(*name))
                .cloned()
                .collect(),
            problems: after.problems.clone(),
        }
    }
}
