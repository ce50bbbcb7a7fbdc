//! `idp check`: are the definitions right? What is wrong is a result, so it goes to standard output.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::Context;
use crate::boot::config::Config;
use crate::boot::problem::Problem;
use crate::boot::wire;
use crate::catalog::{Catalog, Known};
use crate::steps;

pub(super) fn run(context: &Context) -> Result<ExitCode, Problem> {
    let config = context.config()?;
    let catalog = Catalog::load(&wire::sources(&config), &steps::specs(), &known(&config));
    for problem in catalog.problems() {
        context.printer.result(format_args!("{problem}\n"))?;
    }
    let (commands, templates) = (catalog.commands().count(), catalog.templates().count());
    match catalog.problems().len() {
        0 => {
            context
                .printer
                .result(format_args!("All good: {}.", counted(commands, templates)))?;
            Ok(ExitCode::SUCCESS)
        }
        1 => Err(Problem::failed("1 problem was found")),
        n => Err(Problem::failed(format!("{n} problems were found"))),
    }
}

/// Teams are all in the configuration; groups and channels are the platform's, which `idp doctor` asks.
fn known(config: &Config) -> Known {
    let teams: BTreeSet<String> = config.organisation.teams.keys().cloned().collect();
    Known {
        teams: Some(teams).filter(|teams| !teams.is_empty()),
        ..Known::default()
    }
}

fn counted(commands: usize, templates: usize) -> String {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!(
        "{}, {}",
        plural(commands, "command"),
        plural(templates, "template")
    )
}
