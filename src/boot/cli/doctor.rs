//! `idp doctor`: a line for each thing that idp needs, what to do below. Exit 1 when something doesn't work.

use std::process::ExitCode;

use serde_json::json;

use super::Context;
use crate::boot::config::Environment;
use crate::boot::doctor::{self, Check, State};
use crate::boot::problem::Problem;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<ExitCode, Problem> {
    let printer = &context.printer;
    let environment = Environment::of_process();
    let checks = doctor::examine(&context.options, &environment, &|stage| {
        printer.stage(stage);
    })
    .await;
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (failed, warned) = (count(State::Fail), count(State::Warn));
    if args.json {
        let document = json!({ "good": failed == 0, "checks": checks });
        printer.result(format_args!("{document:#}"))?;
    } else {
        lines(&checks)
            .iter()
            .try_for_each(|line| printer.result(line))?;
        printer.result(format_args!("\n{}", verdict(failed, warned)))?;
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Aligned: the state, the topic, what was found; what to do stands below what was found.
fn lines(checks: &[Check]) -> Vec<String> {
    let width = checks
        .iter()
        .map(|check| check.topic.len())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        lines.push(format!(
            "{:<4}  {:<width$}  {}",
            check.state.word(),
            check.topic,
            check.says
        ));
        let fixes = check.fix.iter();
        lines.extend(fixes.map(|fix| format!("{:<4}  {:<width$}  fix: {fix}", "", "")));
    }
    lines
}

fn verdict(failed: usize, warned: usize) -> String {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (failed, warned) {
        (0, 0) => "All good.".to_owned(),
        (0, n) => format!("It works, with {}.", plural(n, "warning")),
        (n, 0) => format!("{}.", plural(n, "failure")),
        (n, m) => format!("{}, {}.", plural(n, "failure"), plural(m, "warning")),
    }
}
