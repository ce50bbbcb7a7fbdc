//! `idp completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Context};
use crate::boot::problem::{OrFail, Problem};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell that will read it
    shell: Shell,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "idp", &mut script);
    let script = String::from_utf8(script).or_fail("can't write the script")?;
    context.printer.result(script.trim_end())
}
