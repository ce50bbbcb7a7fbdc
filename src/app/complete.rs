//! What can be asked for, by what was typed of its name so far.

use super::App;
use crate::domain::form::Choice;

impl App {
    /// The commands whose name or title holds what was typed, those that begin with it first. Whether somebody may ask
    /// for one is told when they do.
    pub fn completions(&self, typed: &str) -> Vec<Choice> {
        let typed = typed.trim().to_lowercase();
        let catalog = self.library.current();
        let mut found: Vec<Choice> = catalog
            .commands()
            .filter(|command| {
                command.name.contains(&typed) || command.title.to_lowercase().contains(&typed)
            })
            .map(|command| Choice {
                value: command.name.clone(),
                label: format!("{} · {}", command.name, command.title),
                description: None,
            })
            .collect();
        found.sort_by_key(|choice| !choice.value.starts_with(&typed));
        found
    }
}
