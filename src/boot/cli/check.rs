//! `idp check`: are the definitions right? What is wrong is a result, so it goes to standard output.

use std::process::ExitCode;

use super::Context;
use crate::boot::problem::Problem;
use crate::boot::serve::settings;
use crate::catalog::Catalog;
use crate::steps;

pub(super) fn run(context: &Context) -> Result<ExitCode, Problem> {
    let config = context.config()?;
    let actions = steps::specs(settings::forge_kind(&config));
    let catalog = Catalog::load(
        &settings::sources(&config),
        &actions,
        &settings::known(&config.organisation, settings::github(&config), &actions),
    );
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

fn counted(commands: usize, templates: usize) -> String {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!(
        "{}, {}",
        plural(commands, "command"),
        plural(templates, "template")
    )
}
