//! Reads a whole catalog: all commands and templates, held against each other and the world.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::source::{CommandFile, TemplateFolder};
use super::{Catalog, Origin, Sources};
use crate::catalog::step::Checks;
use crate::catalog::{Command, Known, Problem, Template};
use crate::domain::action::ActionSpec;

impl Catalog {
    /// Reads and checks everything. What is wrong is in [`Self::problems`]; what is right is there to be used.
    pub fn load(sources: &Sources, actions: &[ActionSpec], known: &Known) -> Self {
        Self::read(sources, actions, known, None)
    }

    /// The same; a file that is broken now stands for what it was in `before`.
    pub(super) fn read(
        sources: &Sources,
        actions: &[ActionSpec],
        known: &Known,
        before: Option<&Catalog>,
    ) -> Self {
        let mut catalog = Catalog::default();
        let commands = sources.commands(&mut catalog.problems);
        let templates = sources.templates(&mut catalog.problems);
        // Of commands that can't be read nobody knows what they bring.
        let brought = brought(&commands).filter(|_| catalog.problems.is_empty());
        let checks = Checks {
            actions: Some(actions),
            known: Some(known),
            files: true,
            parameters: brought.as_ref(),
            ..Checks::default()
        };
        catalog.read_templates(templates, &checks, before);
        let found = catalog.templates.clone();
        catalog.read_commands(
            commands,
            &Checks {
                templates: Some(&found),
                ..checks
            },
            before,
        );
        if sources_unread(&catalog.problems, sources) {
            catalog.keep_all(before);
        }
        catalog.problems.sort();
        catalog.problems.dedup();
        catalog
    }

    fn read_templates(
        &mut self,
        folders: Vec<TemplateFolder>,
        checks: &Checks<'_>,
        before: Option<&Catalog>,
    ) {
        for (folder, files) in folders {
            let template = match Template::read(&folder, files, checks) {
                Ok(template) => Some(Arc::new(template)),
                Err(problems) => {
                    self.problems.extend(problems);
                    match before.and_then(|before| before.origins.get(&folder)) {
                        Some(Origin::Template(template)) => Some(Arc::clone(template)),
                        _ => None,
                    }
                }
            };
            let Some(template) = template else { continue };
            if self.templates.contains_key(&template.name) {
                let what = format!("another template is called `{}` already", template.name);
                self.problems
                    .push(Problem::whole(format!("{folder}template.yaml"), what));
                continue;
            }
            self.origins
                .insert(folder, Origin::Template(Arc::clone(&template)));
            self.templates.insert(template.name.clone(), template);
        }
    }

    fn read_commands(
        &mut self,
        files: Vec<CommandFile>,
        checks: &Checks<'_>,
        before: Option<&Catalog>,
    ) {
        for (file, bytes) in files {
            let command = match Command::read(&file, &bytes, checks) {
                Ok(command) => Some(Arc::new(command)),
                Err(problems) => {
                    self.problems.extend(problems);
                    match before.and_then(|before| before.origins.get(&file)) {
                        Some(Origin::Command(command)) => Some(Arc::clone(command)),
                        _ => None,
                    }
                }
            };
            let Some(command) = command else { continue };
            if self.commands.contains_key(&command.name) {
                let what = format!("another command is called `{}` already", command.name);
                self.problems.push(Problem::whole(&file, what));
                continue;
            }
            self.origins
                .insert(file, Origin::Command(Arc::clone(&command)));
            self.commands.insert(command.name.clone(), command);
        }
    }

    /// A folder that can't be read at the moment takes nothing away.
    fn keep_all(&mut self, before: Option<&Catalog>) {
        let Some(before) = before else { return };
        for (file, origin) in &before.origins {
            self.origins
                .entry(file.clone())
                .or_insert_with(|| origin.clone());
        }
        for (name, command) in &before.commands {
            self.commands
                .entry(name.clone())
                .or_insert_with(|| Arc::clone(command));
        }
        for (name, template) in &before.templates {
            self.templates
                .entry(name.clone())
                .or_insert_with(|| Arc::clone(template));
        }
    }
}

/// The parameters that commands with a template bring to it; `None` if a command is too broken to tell, or none takes a
/// template (then nothing of them can be wrong, and shipped templates are no noise beside commands of one's own).
fn brought(commands: &[CommandFile]) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut any = false;
    for (file, bytes) in commands {
        let command = Command::read(file, bytes, &Checks::default()).ok()?;
        if command.uses_template() {
            any = true;
            names.extend(command.parameters.names().map(str::to_owned));
        }
    }
    any.then_some(names)
}

fn sources_unread(problems: &[Problem], sources: &Sources) -> bool {
    let folders = [&sources.commands, &sources.templates];
    let names: Vec<String> = folders
        .into_iter()
        .flatten()
        .map(|folder| folder.display().to_string())
        .collect();
    problems.iter().any(|problem| names.contains(&problem.file))
}
