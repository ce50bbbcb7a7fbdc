//! Names of fields that a platform's ids had no room for: what came back stands for one that the catalog knows.

use super::App;
use crate::domain::event::Event;
use crate::domain::form::{is_short, short_name};

/// Puts the fields' own names into a filled page.
pub(super) fn restore(app: &App, event: &mut Event) {
    let Event::PageFilled { values, .. } = event else {
        return;
    };
    for (name, _) in values.iter_mut().filter(|(name, _)| is_short(name)) {
        if let Some(whole) = whole(app, name) {
            *name = whole;
        }
    }
}

fn whole(app: &App, short: &str) -> Option<String> {
    let catalog = app.library.current();
    let of_commands = catalog.commands().flat_map(|c| c.parameters.names());
    let of_templates = catalog.templates().flat_map(|t| t.parameters.names());
    let mut names = of_commands.chain(of_templates);
    names
        .find(|name| short_name(name) == short)
        .map(str::to_owned)
}
