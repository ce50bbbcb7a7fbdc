//! The command line: what can be typed, and what each of it comes to. A file per command.
//!
//! Exit codes: 0 good, 1 refused or failed, 2 misuse. Results go to standard output, everything else to standard error.

mod audit;
mod check;
mod completions;
mod demo;
mod doctor;
mod migrate;
mod office;
mod policy;
pub mod print;
mod render;
mod request;
mod serve;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::print::Printer;
use super::config::{Config, Environment, Options};
use super::problem::Problem;
use super::telemetry;

/// An Internal Developer Platform in chat.
#[derive(Debug, Parser)]
#[command(name = "idp", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try idp in a chat workspace on this machine
    Demo(demo::Args),
    /// Run the bot
    Serve(serve::Args),
    /// Bring the database to the state that this release needs
    Migrate,
    /// Check commands and templates
    Check,
    /// Look whether everything is there that idp needs, and say what to do
    Doctor(doctor::Args),
    /// Render a template into a folder or a git repository
    Render(render::Args),
    /// Ask for a command, list and show requests
    #[command(subcommand)]
    Request(request::Command),
    /// Tell why a rule decides
    #[command(subcommand)]
    Policy(policy::Command),
    /// Check and copy out the evidence
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print a script that completes `idp` commands in your shell
    Completions(completions::Args),
}

/// What every command gets.
#[derive(Debug)]
struct Context {
    options: Options,
    printer: Arc<Printer>,
}

impl Context {
    fn config(&self) -> Result<Config, Problem> {
        Config::load(&self.options, &Environment::of_process())
    }
}

/// Does what the command line says.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Cli { command, options } = match parse(arguments, &Environment::of_process()) {
        Ok(cli) => cli,
        // clap prints help and mistakes itself, in the same manner.
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    let context = Context {
        options,
        printer: Arc::new(Printer::new()),
    };
    match dispatch(command, &context).await {
        Ok(code) => code,
        Err(problem) => context.printer.problem(&problem),
    }
}

/// Reads the command line, and the flags that variables stand for. An empty variable counts as unset, since compose files and
/// charts pass empty ones on; an empty flag is what somebody typed.
fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Cli, clap::Error> {
    let command = Cli::command().mut_args(|arg| {
        let is_empty = arg.get_env().is_some_and(|name| environment.is_empty(name));
        if is_empty {
            arg.env(None::<&'static str>)
        } else {
            arg
        }
    });
    let matches = command.try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

async fn dispatch(command: Command, context: &Context) -> Result<ExitCode, Problem> {
    telemetry::start(context.options.log_format, context.options.log.as_deref())?;
    match command {
        Command::Demo(args) => demo::run(context, args).await?,
        Command::Serve(args) => serve::run(context, &args).await?,
        Command::Migrate => migrate::run(context).await?,
        Command::Check => return check::run(context),
        Command::Doctor(args) => return doctor::run(context, &args).await,
        Command::Render(args) => render::run(context, &args)?,
        Command::Request(command) => request::run(context, &command).await?,
        Command::Policy(command) => policy::run(context, &command).await?,
        Command::Audit(command) => audit::run(context, &command).await?,
        Command::Completions(args) => completions::run(context, &args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `name=value`
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
