//! The parts put together: what the configuration says, in the words of each layer.

use crate::boot::config::Config;
use crate::catalog::Sources;

/// Where commands and templates come from.
pub fn sources(config: &Config) -> Sources {
    Sources {
        commands: config.commands_dir.clone(),
        templates: config.templates_dir.clone(),
    }
}
